"""Mailbox keys: the hybrid X-Wing identity and recipient of age, and the acknowledgement key.

Implements the MLKEM768-X25519 recipient type of c2sp.org/age on the HPKE of `cryptography`
(RFC 9180, draft-ietf-hpke-pq), and DESIGN section 6.
Not here: classical or passphrase recipients, which the product neither writes nor opens; storing
keys (`wrapping`, keyring).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.sealing import bech32
from siegelpost.sealing.age_header import (
    FILE_KEY_SIZE,
    Stanza,
    decode_base64,
    encode_base64,
)
from siegelpost.sealing.errors import HeaderError, KeyFormatError

#: Stanza type of the only recipients that this product writes.
HYBRID = "mlkem768x25519"
#: Bytes of an identity.
SEED_SIZE = 32
#: Bytes of a recipient: ML-KEM-768 (1184) and X25519 (32) public keys.
RECIPIENT_SIZE = 1216

_MLKEM_PUBLIC_SIZE = 1184
_MLKEM_CIPHERTEXT_SIZE = 1088
_ENC_SIZE = 1120
_INFO = b"age-encryption.org/mlkem768x25519"
_IDENTITY_PREFIX = "age-secret-key-pq-"
_RECIPIENT_PREFIX = "age1pq"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class Recipient:
    """A public mailbox key. Keeps the parsed key: reuse the object, sealing to it is then cheap."""

    __slots__ = ("_public_key", "_raw")

    def __init__(self, raw: bytes) -> None:
        """From the 1216 raw bytes (about 50 µs); KeyFormatError if they are no public key."""
        if len(raw) != RECIPIENT_SIZE:
            raise KeyFormatError(f"recipient of {len(raw)} bytes instead of {RECIPIENT_SIZE}")
        try:
            self._public_key = hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_SIZE]),
                X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_SIZE:]),
            )
        except ValueError:
            # FIPS 203, 7.2: coefficients of 3329 and more are refused.
            raise KeyFormatError("the ML-KEM-768 half of the recipient is invalid") from None
        self._raw = bytes(raw)

    @classmethod
    def parse(cls, text: str) -> Recipient:
        """From `age1pq1…`; KeyFormatError if malformed."""
        return cls(_parse(text, _RECIPIENT_PREFIX))

    @property
    def raw(self) -> bytes:
        """The 1216 bytes, as stored."""
        return self._raw

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the 1216 raw bytes: a short name for people; nothing signed holds it.

        Key bindings sign another digest, `recipient_sha256`, of the text `age1pq1…`.
        """
        return hashlib.sha256(self._raw).digest()

    def encode(self) -> str:
        """`age1pq1…` (1,959 characters, about 2 ms: not for the dispatch path)."""
        return bech32.encode(_RECIPIENT_PREFIX, self._raw)

    def wrap(self, file_key: bytes) -> Stanza:
        """A fresh stanza that gives `file_key` (16 bytes) to this recipient."""
        try:
            sealed = _SUITE.encrypt(file_key, self._public_key, info=_INFO)
        except ValueError:
            raise KeyFormatError("the X25519 half of the recipient is of low order") from None
        return Stanza(
            arguments=(HYBRID, encode_base64(sealed[:_ENC_SIZE])), body=sealed[_ENC_SIZE:]
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipient) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"Recipient(fingerprint={self.fingerprint.hex()[:16]})"


class Identity:
    """A private mailbox key, expanded once from its 32-byte seed. Its repr tells nothing secret."""

    def __init__(self, seed: bytes) -> None:
        """From the seed (about 250 µs); KeyFormatError for other lengths."""
        if len(seed) != SEED_SIZE:
            raise KeyFormatError(f"seed of {len(seed)} bytes instead of {SEED_SIZE}")
        self._seed = bytes(seed)
        # X-Wing key expansion: 64 bytes of ML-KEM seed, 32 bytes of X25519.
        expanded = hashlib.shake_256(seed).digest(96)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._private_key = hpke.MLKEM768X25519PrivateKey(self._mlkem, self._x25519)

    @classmethod
    def parse(cls, text: str) -> Identity:
        """From `AGE-SECRET-KEY-PQ-1…`; KeyFormatError if malformed."""
        return cls(_parse(text, _IDENTITY_PREFIX))

    @property
    def seed(self) -> bytes:
        """The secret 32 bytes."""
        return self._seed

    def encode(self) -> str:
        """`AGE-SECRET-KEY-PQ-1…`, the secret as the age tool reads it."""
        return bech32.encode(_IDENTITY_PREFIX, self._seed).upper()

    @cached_property
    def recipient(self) -> Recipient:
        """The public half."""
        return Recipient(
            self._mlkem.public_key().public_bytes_raw()
            + self._x25519.public_key().public_bytes_raw()
        )

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """The file key out of the first stanza that this key opens, else None.

        Stanzas of other types are ignored. Raises HeaderError if a stanza of our type breaks the
        rules of its type, also if it is meant for somebody else.
        """
        sealed = [_sealed_file_key(stanza) for stanza in stanzas if stanza.type == HYBRID]
        for candidate in sealed:
            try:
                return _SUITE.decrypt(candidate, self._private_key, info=_INFO)
            except InvalidTag:
                self._refuse_low_order(candidate)
        return None

    def _refuse_low_order(self, sealed: bytes) -> None:
        # HPKE reports a share of low order like any stanza for somebody else; RFC 7748, 6.1 and
        # the age vectors want it told apart, since no honest sender makes one.
        share = X25519PublicKey.from_public_bytes(sealed[_MLKEM_CIPHERTEXT_SIZE:_ENC_SIZE])
        try:
            self._x25519.exchange(share)
        except ValueError:
            raise HeaderError("the X25519 share of a stanza is of low order") from None

    def __repr__(self) -> str:
        return f"Identity({self.recipient!r})"


def acknowledgement_key(seed: bytes) -> Ed25519PrivateKey:
    """The Ed25519 key that signs acknowledgements, derived from a mailbox's 32-byte seed.

    Its RFC 8032 seed is HKDF-SHA256(ikm = seed, salt = empty,
    info = "siegelpost/acknowledgement/v1", 32 bytes).
    """
    if len(seed) != SEED_SIZE:
        raise KeyFormatError(f"seed of {len(seed)} bytes instead of {SEED_SIZE}")
    derived = HKDF(
        algorithm=SHA256(), length=32, salt=None, info=b"siegelpost/acknowledgement/v1"
    ).derive(seed)
    return Ed25519PrivateKey.from_private_bytes(derived)


def check_hybrid(stanzas: Sequence[Stanza]) -> None:
    """Return if each stanza has the form of our type and none comes twice; else HeaderError."""
    sealed = [_sealed_file_key(stanza) for stanza in stanzas]
    if len(set(sealed)) != len(sealed):
        raise HeaderError(f"a {HYBRID} stanza comes twice")


def _sealed_file_key(stanza: Stanza) -> bytes:
    if len(stanza.arguments) != 2:
        raise HeaderError(f"a {HYBRID} stanza has {len(stanza.arguments)} arguments instead of 2")
    enc = decode_base64(stanza.arguments[1])
    if len(enc) != _ENC_SIZE:
        raise HeaderError(f"a {HYBRID} stanza encapsulates {len(enc)} bytes, not {_ENC_SIZE}")
    # Checked before decryption, against partitioning oracles (c2sp.org/age).
    if len(stanza.body) != FILE_KEY_SIZE + 16:
        raise HeaderError(f"a {HYBRID} stanza has a body of {len(stanza.body)} bytes, not 32")
    return enc + stanza.body


def _parse(text: str, prefix: str) -> bytes:
    found, data = bech32.decode(text)
    if found != prefix:
        raise KeyFormatError(f"the text does not start with {prefix}1")
    return data
