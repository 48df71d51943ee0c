"""A reader of classical X25519 stanzas (c2sp.org/age), for test vectors only.

Most age vectors for header, MAC and payload are sealed to an X25519 key. The product neither
writes nor opens such files, so this stays among the tests.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.sealing import bech32
from siegelpost.sealing.age_header import Stanza, decode_base64
from siegelpost.sealing.errors import HeaderError, KeyFormatError


class X25519Identity:
    """`AGE-SECRET-KEY-1…`."""

    def __init__(self, text: str) -> None:
        prefix, scalar = bech32.decode(text)
        if prefix != "age-secret-key-":
            raise KeyFormatError("not a classical identity")
        self._key = X25519PrivateKey.from_private_bytes(scalar)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        for stanza in stanzas:
            if stanza.type == "X25519" and (file_key := self._open(stanza)) is not None:
                return file_key
        return None

    def _open(self, stanza: Stanza) -> bytes | None:
        if len(stanza.arguments) != 2:
            raise HeaderError("an X25519 stanza takes two arguments")
        share = decode_base64(stanza.arguments[1])
        if len(share) != 32 or len(stanza.body) != 32:
            raise HeaderError("an X25519 stanza has a share and a body of 32 bytes each")
        try:
            secret = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise HeaderError("the X25519 share is of low order") from None
        key = HKDF(
            algorithm=SHA256(),
            length=32,
            salt=share + self._key.public_key().public_bytes_raw(),
            info=b"age-encryption.org/v1/X25519",
        ).derive(secret)
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            return None
