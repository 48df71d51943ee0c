"""One key of a keyring, and its sealed form in a keyring file.

A key in a token (PKCS #11) has an entry, too: what it is for, how long, and its public half.
Private bytes are sealed with AES-256-GCM under a key derived from the master secret (HKDF-SHA-256,
RFC 5869); everything readable beside them is bound as associated data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.fields import Fields, from_hex
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId
from siegelpost.evidence.notes import Ed25519Signer, Signer, Verifier
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Purpose, TrustedKey
from siegelpost.keyring.errors import KeyringCorruptError, KeyringError
from siegelpost.keyring.protocol import Custody, KeyPurpose
from siegelpost.keyring.token_keys import TokenCustody, TokenSigner
from siegelpost.keyring.tokens import Token
from siegelpost.sealing.wrapping import managed_key

#: Why a key was retired: replaced in good order, or known to somebody else.
Reason = Literal["rotated", "compromised"]

#: Gives that many random bytes.
Random = Callable[[int], bytes]

#: Most bytes of a private key in its own format.
MAX_OWN_FORMAT = 64 << 10

_NONCE = 12
_PRIVATE = 32
_META = ("id", "purpose", "scope", "algorithm", "name", "valid_from", "valid_until", "reason")
#: Of keys in a token only, so that files without any are those of before.
_TOKEN_META = ("in_token", "public_key")


@dataclass(frozen=True, kw_only=True)
class KeyEntry:
    """One key with its private bytes, which its repr does not show."""

    id: KeyId
    purpose: KeyPurpose
    #: Agency id for manifest keys, else None.
    scope: str | None
    #: Key name in notes; empty for secrets.
    name: str
    #: Ed25519 seed or symmetric secret of 32 bytes, a private key in its own format, or nothing.
    private: bytes = field(repr=False)
    valid_from: datetime
    #: Retired from this moment on; None while in force.
    valid_until: datetime | None = None
    #: Why it was retired; None while in force.
    reason: Reason | None = None
    #: Whether a token holds the private bytes.
    in_token: bool = False
    #: Of a signing key in a token: the 32 bytes of RFC 8032.
    public_key: bytes = b""

    @property
    def algorithm(self) -> str:
        if self.purpose.has_own_format:
            return self.purpose.value
        if self.purpose.signs:
            return "ed25519"
        return "hmac-sha256" if self.in_token else "secret-32"

    @property
    def verifier(self) -> Verifier:
        """The public half of a signing key."""
        if self.in_token:
            return Verifier(name=self.name, public_key=self.public_key)
        return Ed25519Signer.from_seed(self.name, self.private).verifier

    def signer(self, token: Token | None) -> Signer:
        """The signer of a signing key; KeyringError if it is in a token and there is none."""
        if self.in_token:
            return TokenSigner(self._in(token), self.id, self.verifier)
        return Ed25519Signer.from_seed(self.name, self.private)

    def custody(self, token: Token | None) -> Custody:
        """Likewise of a key for custody."""
        if self.in_token:
            return TokenCustody(self._in(token), self.id)
        return _FileCustody(self.private)

    def _in(self, token: Token | None) -> Token:
        if token is None:
            raise KeyringError(
                f"key {self.id} ({self.purpose.value}) is in a token,"
                " and the settings name none: keyring.token_module"
            )
        return token

    def public(self) -> TrustedKey:
        """The public half of a signing key, as trust files list it."""
        return TrustedKey(
            purpose=Purpose(self.purpose.value),
            verifier=self.verifier,
            agency=None if self.scope is None else AgencyId(self.scope),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            compromised_at=self.valid_until if self.reason == "compromised" else None,
        )

    def seal(self, wrapping_key: bytes, random: Random) -> dict[str, Json]:
        """The entry as it stands in the file, under a fresh nonce."""
        meta: dict[str, Json] = {
            "id": self.id,
            "purpose": self.purpose.value,
            "scope": self.scope,
            "algorithm": self.algorithm,
            "name": self.name,
            "valid_from": format_time(self.valid_from),
            "valid_until": None if self.valid_until is None else format_time(self.valid_until),
            "reason": self.reason,
        }
        if self.in_token:
            meta |= {"in_token": True, "public_key": self.public_key.hex()}
        nonce = random(_NONCE)
        sealed = AESGCM(wrapping_key).encrypt(nonce, self.private, canonical.encode(meta))
        vkey = self.verifier.vkey if self.purpose.signs else None
        return {**meta, "vkey": vkey, "nonce": nonce.hex(), "sealed": sealed.hex()}


def unseal(value: Json, wrapping_key: bytes) -> KeyEntry:
    """The entry of its form in the file; FormatError if malformed, KeyringCorruptError if forged.

    The readable `vkey` is for people; the public key comes from the private one.
    """
    fields = Fields(
        value, "keyring: key", required=(*_META, "vkey", "nonce", "sealed"), optional=_TOKEN_META
    )
    assert isinstance(value, dict)
    nonce = from_hex(fields.text("nonce"), "keyring: nonce", size=_NONCE)
    purpose = KeyPurpose(fields.text("purpose"))
    in_token = fields.has("in_token")
    text = fields.text("sealed", max_length=2 * (MAX_OWN_FORMAT + 16))
    size = len(text) // 2 if purpose.has_own_format else (0 if in_token else _PRIVATE) + 16
    sealed = from_hex(text, "keyring: sealed key", size=size)
    names = (*_META, *_TOKEN_META) if in_token else _META
    meta = canonical.encode({name: value.get(name) for name in names})
    try:
        private = AESGCM(wrapping_key).decrypt(nonce, sealed, meta)
    except InvalidTag:
        raise KeyringCorruptError("a key does not unseal: its entry was changed") from None
    reason: Reason | None = None
    if fields.has("reason"):
        reason = "compromised" if fields.text("reason") == "compromised" else "rotated"
    return KeyEntry(
        id=KeyId(fields.text("id")),
        purpose=purpose,
        scope=fields.text("scope") if fields.has("scope") else None,
        name=fields.text("name"),
        private=private,
        valid_from=fields.time("valid_from"),
        valid_until=fields.time("valid_until") if fields.has("valid_until") else None,
        reason=reason,
        in_token=in_token,
        public_key=fields.hex("public_key", size=32 if purpose.signs else 0) if in_token else b"",
    )


class _FileCustody:
    """A secret that the keyring's file holds."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def wrapping_key(self, mailbox: MailboxId, key: KeyId, salt: bytes) -> bytes:
        return managed_key(self._secret, salt)
