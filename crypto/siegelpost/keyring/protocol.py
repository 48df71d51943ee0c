"""What the service asks of a keyring (DESIGN section 6).

Signing keys leave it only as signers, so that PKCS#11 can implement it; symmetric secrets leave it
as bytes. Making and rotating keys is each implementation's own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from siegelpost.evidence.notes import Signer
from siegelpost.evidence.trust import TrustedKey


class KeyPurpose(StrEnum):
    """What a key is for. The first three sign notes, the others are 32-byte secrets."""

    #: Signs checkpoints.
    LOG = "log"
    #: Signs acceptances.
    ACCEPTANCE = "acceptance"
    #: Signs manifests of one agency (the scope).
    MANIFEST = "manifest"
    #: Authenticates the service's own access tokens.
    TOKEN = "token"  # noqa: S105 - a name, no secret
    #: Salts of documents and events derive from it.
    COMMITMENT = "commitment-secret"
    #: Keyed hash of birth dates and activation codes.
    PEPPER = "pepper"
    #: Signs return addresses of alerts.
    RETURN_ADDRESS = "return-address"
    #: Seeds of the keys that incoming reports are sealed to derive from it.
    EVIDENCE = "evidence"
    #: Sessions and form tokens.
    SESSION = "session"

    @property
    def signs(self) -> bool:
        """Whether keys of this purpose are signing keys."""
        return self in (KeyPurpose.LOG, KeyPurpose.ACCEPTANCE, KeyPurpose.MANIFEST)


class Keyring(Protocol):
    """Keys by purpose, and by scope (an agency's id) where each agency has its own.

    Every method raises KeyMissingError if there is no such key, and KeyringError if the keyring
    cannot be used at all; never another exception for reasons of its own. A purpose of the wrong
    kind (a secret asked for as signer, or the reverse) is a KeyMissingError.
    """

    def signer(self, purpose: KeyPurpose, scope: str | None = None) -> Signer:
        """The signer in force; its name derives from the service's origin."""

    def secret(self, purpose: KeyPurpose) -> bytes:
        """The 32-byte secret in force, for making things."""

    def secrets(self, purpose: KeyPurpose) -> tuple[bytes, ...]:
        """That secret and its predecessors, newest first, for checking what was made before.

        Compromised secrets are left out.
        """

    def public_keys(self) -> tuple[TrustedKey, ...]:
        """Every public key with its validity, retired ones too: the matter of trust files."""
