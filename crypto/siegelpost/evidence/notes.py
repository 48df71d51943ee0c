"""Signed notes (c2sp.org/signed-note v1.0.0) with Ed25519 keys.

A note is text, an empty line, and signature lines; it carries checkpoints, acceptances and
manifests. `open_note` takes anything with the `NoteVerifier` shape, so that witness cosignatures
(c2sp.org/tlog-cosignature, signature type 0x04), which sign other bytes, fit in later.
Not here: what the text means.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from siegelpost.evidence.errors import NoteError, SignatureError

#: Largest note, in bytes (the same limit as Go's sumdb/note).
MAX_NOTE = 1_000_000
#: Most signature lines in a note; the specification demands at least 16.
MAX_SIGNATURES = 100
#: Signature type identifier of plain Ed25519.
ED25519 = 0x01

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SEPARATOR = "\n\n"
_SIGNATURE_PREFIX = "— "


class NoteVerifier(Protocol):
    """A public key that checks signature lines with its own name and key hash."""

    @property
    def name(self) -> str:
        """Key name: a schema-less URL without spaces and plus."""

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell keys of one name apart."""

    def verify(self, message: bytes, signature: bytes) -> None:
        """Return if `signature` (without the key hash) is over `message`; else SignatureError."""


class Signer(Protocol):
    """A private key; its bytes may live elsewhere (file keyring, PKCS#11)."""

    @property
    def name(self) -> str:
        """Key name, equal to `verifier.name`."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature (RFC 8032: deterministic) over exactly `message`."""


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """An Ed25519 public key under a name."""

    #: Key name, without Unicode spaces and plus.
    name: str
    #: The 32 bytes of RFC 8032.
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public_key) != 32:
            raise NoteError(f"Ed25519 public key of {len(self.public_key)} bytes instead of 32")

    @property
    def key_hash(self) -> bytes:
        """SHA-256(name ‖ newline ‖ 0x01 ‖ public key), first four bytes."""
        return key_hash_of(self.name, bytes([ED25519]) + self.public_key)

    @property
    def vkey(self) -> str:
        """`<name>+<key hash in hex>+<base64 of type and key>`, as Go's sumdb/note prints it."""
        return write_vkey(self.name, ED25519, self.public_key)

    @classmethod
    def from_vkey(cls, vkey: str) -> Verifier:
        """Parse `vkey`; NoteError if malformed, of another algorithm, or with a wrong hash."""
        name, public_key = read_vkey(vkey, ED25519, "Ed25519 (0x01)")
        return cls(name=name, public_key=public_key)

    def verify(self, message: bytes, signature: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise SignatureError(f"the signature of {self.name} does not verify") from None


class Ed25519Signer:
    """A `Signer` whose private key is in memory."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self._verifier = Verifier(name=name, public_key=private_key.public_key().public_bytes_raw())

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Ed25519Signer:
        """The signer of a 32-byte seed (RFC 8032, 5.1.5); ValueError for other lengths."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def name(self) -> str:
        return self._verifier.name

    @property
    def verifier(self) -> Verifier:
        return self._verifier

    def sign(self, message: bytes) -> bytes:
        return self._private_key.sign(message)


@dataclass(frozen=True, kw_only=True)
class NoteSignature:
    """One signature line."""

    #: Key name as written in the line.
    name: str
    #: Four bytes.
    key_hash: bytes
    #: What follows the key hash; 64 bytes for Ed25519.
    signature: bytes

    def line(self) -> str:
        """The signature line, with its newline."""
        encoded = base64.b64encode(self.key_hash + self.signature).decode("ascii")
        return f"{_SIGNATURE_PREFIX}{self.name} {encoded}\n"


@dataclass(frozen=True, kw_only=True)
class OpenedNote:
    """A note of which at least one known key verified."""

    #: The signed text, with its final newline.
    text: str
    #: Verified signatures, at most one a key, in the order of the note.
    signatures: tuple[NoteSignature, ...]
    #: Signatures of keys that were not asked about; they prove nothing.
    unknown: tuple[NoteSignature, ...]


def sign_note(text: str, *signers: Signer) -> str:
    """The note of `text` (which must end in a newline) signed by every signer, in order."""
    if not signers:
        raise NoteError("a note needs at least one signer")
    _check_text(text)
    message = text.encode("utf-8")
    lines = (
        NoteSignature(
            name=signer.name,
            key_hash=signer.verifier.key_hash,
            signature=signer.sign(message),
        ).line()
        for signer in signers
    )
    return text + "\n" + "".join(lines)


def open_note(note: str | bytes, verifiers: Iterable[NoteVerifier]) -> OpenedNote:
    """The text of `note` once at least one of `verifiers` has verified.

    Signatures of unknown keys are ignored, also if name or hash alone matches a known key.
    Raises NoteError if the note is malformed or too large, SignatureError if no known key signed
    or if a known key's signature does not verify.
    """
    known: dict[tuple[str, bytes], NoteVerifier] = {}
    for verifier in verifiers:
        key = (verifier.name, verifier.key_hash)
        if key in known:
            raise NoteError(f"two verifiers share name and key hash of {verifier.name}")
        known[key] = verifier
    text, signatures = split_note(note)
    message = text.encode("utf-8")
    verified: dict[tuple[str, bytes], NoteSignature] = {}
    unknown: list[NoteSignature] = []
    for signature in signatures:
        key = (signature.name, signature.key_hash)
        if key not in known:
            unknown.append(signature)
            continue
        known[key].verify(message, signature.signature)
        verified.setdefault(key, signature)
    if not verified:
        raise SignatureError("the note is signed by no known key")
    return OpenedNote(text=text, signatures=tuple(verified.values()), unknown=tuple(unknown))


def split_note(note: str | bytes) -> tuple[str, tuple[NoteSignature, ...]]:
    """Text and signature lines of a note, with nothing verified; NoteError if malformed."""
    if len(note) > MAX_NOTE:
        raise NoteError(f"the note is larger than {MAX_NOTE} bytes")
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError:
            raise NoteError("the note is not valid UTF-8") from None
    _check_text(note)
    # The text may hold empty lines: the last one separates it from the signatures.
    text, separator, block = note.rpartition(_SEPARATOR)
    if not separator or not text or not block:
        raise NoteError("the note has no text or no signature")
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return text + "\n", tuple(_parse_signature(line) for line in lines)


def key_hash_of(name: str, typed_key: bytes) -> bytes:
    """SHA-256(name ‖ newline ‖ type and key), first four bytes."""
    return hashlib.sha256(name.encode("utf-8") + b"\n" + typed_key).digest()[:4]


def write_vkey(name: str, kind: int, public_key: bytes) -> str:
    """`<name>+<key hash in hex>+<base64 of type and key>`, for keys of any signature type."""
    typed = bytes([kind]) + public_key
    encoded = base64.b64encode(typed).decode("ascii")
    return f"{name}+{key_hash_of(name, typed).hex()}+{encoded}"


def read_vkey(vkey: str, kind: int, kind_name: str) -> tuple[str, bytes]:
    """Name and public key of a vkey of type `kind`; NoteError if it is malformed or of another."""
    if len(vkey) > 1000:
        raise NoteError("verifier key is too long")
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise NoteError("verifier key is not name+hash+key")
    name, key_hash, encoded = parts
    raw = _b64decode(encoded)
    if raw[:1] != bytes([kind]):
        raise NoteError(f"verifier key is not of type {kind_name}")
    check_name(name)
    if key_hash != key_hash_of(name, raw).hex():
        raise NoteError("verifier key does not match its key hash")
    return name, raw[1:]


def check_name(name: str) -> None:
    """Return if `name` may name a key: not empty, no Unicode space, plus or control character."""
    if (
        not name
        or len(name) > 500
        or any(character.isspace() or character < " " or character == "+" for character in name)
    ):
        raise NoteError(f"{name!r} is no key name")


def _parse_signature(line: str) -> NoteSignature:
    if not line.startswith(_SIGNATURE_PREFIX):
        raise NoteError("malformed signature line")
    name, _, encoded = line[len(_SIGNATURE_PREFIX) :].partition(" ")
    check_name(name)
    raw = _b64decode(encoded)
    if len(raw) < 5:
        raise NoteError("signature line without signature")
    return NoteSignature(name=name, key_hash=raw[:4], signature=raw[4:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the text does not end in a newline")
    if _CONTROL.search(text) is not None:
        raise NoteError("the text holds a control character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NoteError("the text holds a lone surrogate") from None


def _b64decode(encoded: str) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("malformed base64") from None
    # Unused bits may be set in lax encodings; one byte string has one encoding here.
    if base64.b64encode(raw).decode("ascii") != encoded:
        raise NoteError("malformed base64")
    return raw
