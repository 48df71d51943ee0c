"""A passkey in software, for tests: makes credentials and signs, honestly or not."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.custody import b64

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass(kw_only=True)
class SoftPasskey:
    """One credential of one authenticator; change its fields to cheat."""

    credential: bytes
    host: str = "post.example.org"
    origin: str = "https://post.example.org"
    verified: bool = True
    #: where it starts; many phones never count and say 0
    sign_count: int = 1
    counts: bool = True
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def attest(self, challenge: str) -> dict[str, str]:
        """What ``POST /account/passkeys`` takes, but for the copies; base64 throughout."""
        public = self.key.public_key().public_bytes_raw()
        cose = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: public})
        size = len(self.credential).to_bytes(2)
        data = self._data(_ATTESTED) + bytes(16) + size + self.credential + cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return {
            "credential": b64(self.credential),
            "client_data": b64(self._client_data("webauthn.create", challenge)),
            "attestation_object": b64(attestation),
        }

    def sign(self, challenge: str) -> dict[str, str]:
        """What ``POST /login/passkey`` takes."""
        self.sign_count += self.counts
        client_data, data = self._client_data("webauthn.get", challenge), self._data(0)
        return {
            "credential": b64(self.credential),
            "client_data": b64(client_data),
            "authenticator_data": b64(data),
            "signature": b64(self.key.sign(data + hashlib.sha256(client_data).digest())),
        }

    def _data(self, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verified else 0)
        host = hashlib.sha256(self.host.encode()).digest()
        return host + flags.to_bytes() + self.sign_count.to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        url = base64.urlsafe_b64encode(base64.b64decode(challenge)).decode().rstrip("=")
        data = {"type": kind, "challenge": url, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()
