"""Errors of OpenPGP operations: one root; no message holds key material or a user id."""

from __future__ import annotations

from enum import StrEnum


class OpenPgpError(Exception):
    """Root of every error that this package raises on purpose."""


class GpgMissing(OpenPgpError):
    """There is no usable gpg, or no folder in which it could work."""


class GpgFailed(OpenPgpError):
    """gpg refused, broke off or took too long; nothing came out of it."""


class Refusal(StrEnum):
    """Why a key is not used."""

    #: no OpenPGP public key could be read from it
    UNREADABLE = "unreadable"
    #: more bytes than any sensible key has
    TOO_LARGE = "too-large"
    #: several keys in one upload, so that it is unclear which one is meant
    SEVERAL_KEYS = "several-keys"
    #: a private key: it was shown to us, so its owner should replace it
    PRIVATE_KEY = "private-key"
    #: its time is over
    EXPIRED = "expired"
    #: its owner has revoked it
    REVOKED = "revoked"
    #: it has no valid part that can encrypt
    CANNOT_ENCRYPT = "cannot-encrypt"
    #: shorter than today's least
    TOO_WEAK = "too-weak"


_MEANING = {
    Refusal.UNREADABLE: "this is no OpenPGP public key",
    Refusal.TOO_LARGE: "this is larger than a key should be; export it with export-minimal",
    Refusal.SEVERAL_KEYS: "these are several keys; give exactly one",
    Refusal.PRIVATE_KEY: "this is a private key; never give it to anybody, and replace it",
    Refusal.EXPIRED: "this key has expired; extend it or give another one",
    Refusal.REVOKED: "this key was revoked by its owner; give another one",
    Refusal.CANNOT_ENCRYPT: "this key has no valid subkey for encryption",
    Refusal.TOO_WEAK: "this key is too short to be safe (RSA needs 2048 bits)",
}


class KeyRefused(OpenPgpError):
    """A key that may not be used, with the reason."""

    def __init__(self, reason: Refusal) -> None:
        """Explain `reason`."""
        super().__init__(_MEANING[reason])
        #: for machines; pages translate it
        self.reason = reason
