"""Reads the age test vectors of tests/vectors/age."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from siegelpost.sealing.age import Unwrapper
from siegelpost.sealing.keys import Identity
from tests.support.age_x25519 import X25519Identity

FOLDER = Path(__file__).parents[1] / "vectors" / "age"
_KEYS = {
    "expect", "payload", "identity", "passphrase", "armored", "compressed", "file key", "comment",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One vector file."""

    #: File name.
    name: str
    #: The result that the age specification demands.
    expect: str
    #: Hexadecimal SHA-256 of all plaintext that may be released; None if nothing may.
    payload: str | None
    #: Bech32 identities.
    identities: tuple[str, ...]
    #: Whether the file is ASCII armoured.
    armored: bool
    #: Whether it is opened with a passphrase.
    passphrase: bool
    #: The age file.
    data: bytes

    def unwrappers(self) -> list[Unwrapper]:
        """The identities as objects."""
        return [
            Identity.parse(text) if text.startswith("AGE-SECRET-KEY-PQ-") else X25519Identity(text)
            for text in self.identities
        ]


def load_all() -> list[Vector]:
    """Every vector, by name."""
    return [_load(path) for path in sorted(FOLDER.iterdir()) if path.name != "README.md"]


def _load(path: Path) -> Vector:
    head, _, data = path.read_bytes().partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().split("\n")]
    assert all(key in _KEYS for key, _ in pairs), path.name
    fields = dict(pairs)
    if "compressed" in fields:
        data = zlib.decompress(data)
    return Vector(
        name=path.name,
        expect=fields["expect"],
        payload=fields.get("payload"),
        identities=tuple(value for key, value in pairs if key == "identity"),
        armored="armored" in fields,
        passphrase="passphrase" in fields,
        data=data,
    )
