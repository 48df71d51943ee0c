"""Cosignatures of witnesses (c2sp.org/tlog-cosignature v1, Ed25519).

A cosignature says: at this time, this is the largest tree that I have seen of this log, and it
extends every one that I saw before.
It is a signature line of the checkpoint note, with a time in front of the signature.
Not here: when a witness may say so (`witness`), and whose word counts (`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from siegelpost.evidence.errors import NoteError, SignatureError
from siegelpost.evidence.notes import (
    NoteSignature,
    Signer,
    Verifier,
    check_name,
    key_hash_of,
    read_vkey,
    split_note,
    write_vkey,
)

#: Signature type identifier of a timestamped Ed25519 cosignature.
COSIGNATURE = 0x04

_TIME_SIZE = 8
_SIZE = _TIME_SIZE + 64
#: 9999-12-31: later seconds fit the specification, but no datetime.
_LAST_SECOND = 253402300799


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A witness's Ed25519 public key under its name; has the shape of a `NoteVerifier`."""

    #: Key name, without Unicode spaces and plus; should be a schema-less URL.
    name: str
    #: The 32 bytes of RFC 8032.
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public_key) != 32:
            raise NoteError(f"Ed25519 public key of {len(self.public_key)} bytes instead of 32")

    @property
    def key_hash(self) -> bytes:
        """SHA-256(name ‖ newline ‖ 0x04 ‖ public key), first four bytes."""
        return key_hash_of(self.name, bytes([COSIGNATURE]) + self.public_key)

    @property
    def vkey(self) -> str:
        """`<name>+<key hash in hex>+<base64 of type and key>`."""
        return write_vkey(self.name, COSIGNATURE, self.public_key)

    @classmethod
    def from_vkey(cls, vkey: str) -> Witness:
        """Parse `vkey`; NoteError if malformed, of another type, or with a wrong hash."""
        name, public_key = read_vkey(vkey, COSIGNATURE, "Ed25519 cosignature (0x04)")
        return cls(name=name, public_key=public_key)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return if `signature` (time and Ed25519 signature) cosigns the note text `message`."""
        if len(signature) != _SIZE:
            raise SignatureError(f"the cosignature of {self.name} has a wrong length")
        seconds = int.from_bytes(signature[:_TIME_SIZE])
        if seconds > _LAST_SECOND:
            raise SignatureError(f"the cosignature of {self.name} is from after the year 9999")
        Verifier(name=self.name, public_key=self.public_key).verify(
            _message(message, seconds), signature[_TIME_SIZE:]
        )


@dataclass(frozen=True, kw_only=True)
class Cosignature:
    """A verified cosignature."""

    witness: Witness
    #: When the witness signed, by its own clock; whole seconds.
    at: datetime
    signature: NoteSignature


def witness_of(signer: Signer) -> Witness:
    """The public half of a signer that cosigns; its key must not sign anything else."""
    return Witness(name=signer.name, public_key=signer.verifier.public_key)


def cosign(text: str, signer: Signer, at: datetime) -> NoteSignature:
    """The cosignature of a checkpoint's note text at `at` (aware, kept in seconds)."""
    if at.tzinfo is None:
        raise NoteError("naive time: it names no point in time")
    seconds = int(at.timestamp())
    signature = signer.sign(_message(text.encode("utf-8"), seconds))
    return NoteSignature(
        name=signer.name,
        key_hash=witness_of(signer).key_hash,
        signature=seconds.to_bytes(_TIME_SIZE) + signature,
    )


def cosignatures(note: str | bytes, witnesses: Iterable[Witness]) -> tuple[Cosignature, ...]:
    """Those lines of a checkpoint note that are of `witnesses`, verified; at most one a witness.

    Lines of others are ignored.
    Raises NoteError if the note is malformed, SignatureError if a known witness's line is forged.
    """
    text, signatures = split_note(note)
    known = {(witness.name, witness.key_hash): witness for witness in witnesses}
    found: dict[str, Cosignature] = {}
    for signature in signatures:
        witness = known.get((signature.name, signature.key_hash))
        if witness is None:
            continue
        witness.verify(text.encode("utf-8"), signature.signature)
        at = datetime.fromtimestamp(int.from_bytes(signature.signature[:_TIME_SIZE]), UTC)
        found.setdefault(witness.vkey, Cosignature(witness=witness, at=at, signature=signature))
    return tuple(found.values())


def _message(text: bytes, seconds: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % seconds + text
