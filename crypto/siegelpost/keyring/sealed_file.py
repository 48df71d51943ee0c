"""A keyring file's bytes: every key sealed under the master secret, and the whole authenticated.

Two keys derive from the master secret (HKDF-SHA-256): one wraps private keys, one authenticates the
file as a whole, so that removing a key or a retirement is noticed. Putting back a whole older file
is not.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.fields import Fields
from siegelpost.keyring.entry import KeyEntry, Random, unseal
from siegelpost.keyring.errors import KeyringCorruptError, WrongMasterSecretError
from siegelpost.keyring.files import MASTER_SECRET_SIZE

FORMAT = "siegelpost/keyring/v1"
#: Largest file, in bytes.
MAX_KEYRING = 32 << 20


class SealedFile:
    """Writes and reads the bytes of keyring files under one master secret (32 bytes)."""

    def __init__(self, master: bytes, random: Random) -> None:
        if len(master) != MASTER_SECRET_SIZE:
            raise WrongMasterSecretError(f"a master secret has {MASTER_SECRET_SIZE} bytes")
        self._random = random
        self._wrapping = derive(master, b"wrap")
        self._authentication = derive(master, b"authenticate")
        self._master_id = derive(master, b"identify")[:8].hex()

    def encode(self, origin: str, entries: Iterable[KeyEntry]) -> bytes:
        """The file, every key under a fresh nonce."""
        value: dict[str, Json] = {
            "format": FORMAT,
            "origin": origin,
            "master_id": self._master_id,
            "keys": [entry.seal(self._wrapping, self._random) for entry in entries],
        }
        value["mac"] = self._mac(value)
        return (json.dumps(value, indent=1) + "\n").encode("ascii")

    def decode(self, data: bytes, path: Path) -> tuple[str, list[KeyEntry]]:
        """Origin and keys; `path` is named in errors.

        Raises WrongMasterSecretError, and KeyringCorruptError for whatever else is wrong.
        """
        try:
            value = canonical.parse(data, max_size=MAX_KEYRING)
            fields = Fields(
                value, "keyring", required=("format", "origin", "master_id", "keys", "mac")
            )
            fields.expect("format", FORMAT)
            if fields.text("master_id") != self._master_id:
                raise WrongMasterSecretError(f"{path} was made with another master secret")
            assert isinstance(value, dict)
            content = {name: part for name, part in value.items() if name != "mac"}
            if not hmac.compare_digest(fields.text("mac").encode(), self._mac(content).encode()):
                raise KeyringCorruptError(
                    f"{path} was changed or damaged; restore it from a backup"
                )
            entries = [
                unseal(item, self._wrapping) for item in fields.items("keys", max_items=100_000)
            ]
        except (EvidenceError, ValueError) as error:
            raise KeyringCorruptError(f"{path} is damaged: {error}") from error
        return fields.text("origin"), entries

    def _mac(self, content: dict[str, Json]) -> str:
        return hmac.digest(self._authentication, canonical.encode(content), hashlib.sha256).hex()


def derive(master: bytes, use: bytes) -> bytes:
    """A key of 32 bytes for one use, out of the master secret."""
    info = FORMAT.encode("ascii") + b" " + use
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
