"""What the service asks of a keyring (DESIGN section 6).

Signing keys leave it only as signers, and what opens managed mailboxes only as the wrapping key of
one copy, so that both can rest in a token (PKCS #11); other secrets leave it as bytes.
Making and rotating keys is each implementation's own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.evidence.notes import Signer
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.trust import TrustedKey


class KeyPurpose(StrEnum):
    """What a key is for: some sign notes, some are 32-byte secrets, some have their own format."""

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
    #: Wraps the seeds of managed mailboxes.
    CUSTODY = "custody"
    #: Sessions and form tokens.
    SESSION = "session"
    #: Signs alerts of one agency (the scope) as OpenPGP: `siegelpost.openpgp.AgencyKey`, encoded.
    OPENPGP = "openpgp"
    #: Signs every mail as DKIM (RFC 8463): PKCS #8, DER.
    DKIM_ED25519 = "dkim-ed25519"
    #: Signs every mail as DKIM (RFC 6376), for servers that know no Ed25519: PKCS #8, DER.
    DKIM_RSA = "dkim-rsa"

    #: Seals PDF receipts: `siegelpost.keyring.seal_key.SealKey`, encoded.
    SEAL = "seal"
    #: Waits for the certificate that was asked for; likewise, without a certificate.
    SEAL_REQUEST = "seal-request"

    @property
    def signs(self) -> bool:
        """Whether keys of this purpose are signing keys."""
        return self in (KeyPurpose.LOG, KeyPurpose.ACCEPTANCE, KeyPurpose.MANIFEST)

    @property
    def has_own_format(self) -> bool:
        """Whether its keys are made elsewhere and kept here as bytes of some other format."""
        return self in (
            KeyPurpose.OPENPGP,
            KeyPurpose.DKIM_ED25519,
            KeyPurpose.DKIM_RSA,
            KeyPurpose.SEAL,
            KeyPurpose.SEAL_REQUEST,
        )

    @property
    def fits_in_token(self) -> bool:
        """Whether a token (PKCS #11) can hold its keys and do their work.

        The others are asked for with every request, or are of formats that tokens don't know.
        """
        return self.signs or self is KeyPurpose.CUSTODY

    @property
    def per_agency(self) -> bool:
        """Whether each agency has its own, by its id as scope."""
        return self in (KeyPurpose.MANIFEST, KeyPurpose.OPENPGP)


class Custody(Protocol):
    """A secret that wraps the seeds of managed mailboxes; its bytes may live in a token."""

    def wrapping_key(self, mailbox: MailboxId, key: KeyId, salt: bytes) -> bytes:
        """The 32 bytes that wrap this copy (`sealing.wrapping`); blocks, raises KeyringError."""


class Keyring(Protocol):
    """Keys by purpose, and by scope (an agency's id) where each agency has its own.

    Every method raises KeyMissingError if there is no such key, and KeyringError if the keyring
    cannot be used at all; never another exception for reasons of its own. A purpose of the wrong
    kind (a secret asked for as signer, or the reverse) is a KeyMissingError.
    """

    @property
    def answers_at_once(self) -> bool:
        """Whether its signers work in memory; else they ask a device: not on the event loop."""

    def ready(self) -> None:
        """Return if keys can be used just now; blocks."""

    def signer(self, purpose: KeyPurpose, scope: str | None = None) -> Signer:
        """The signer in force; its name derives from the service's origin."""

    def secret(self, purpose: KeyPurpose) -> bytes:
        """The 32-byte secret in force, for making things."""

    def secrets(self, purpose: KeyPurpose) -> tuple[bytes, ...]:
        """That secret and its predecessors, newest first, for checking what was made before.

        Compromised secrets are left out.
        """

    def custody(self) -> Custody:
        """What wraps seeds from now on; blocks, and looks whether it was rotated just now."""

    def custodies(self) -> tuple[Custody, ...]:
        """What opens seeds: the key in force and those before, newest first.

        Compromised ones, too: else their mailboxes would be closed for good.
        """

    def public_keys(self) -> tuple[TrustedKey, ...]:
        """Every public key with its validity, retired ones too: the matter of trust files."""

    def private_key(self, purpose: KeyPurpose, scope: str | None = None) -> bytes:
        """The key in force of a purpose that has its own format."""

    def seal_certificates(self) -> tuple[SealCertificate, ...]:
        """The certificate of every key that sealed PDFs, retired ones too."""

    def scopes(self, purpose: KeyPurpose) -> tuple[str | None, ...]:
        """For which scopes a key of this purpose is in force; empty if there is none."""
