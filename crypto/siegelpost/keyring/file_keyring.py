"""The default keyring: one JSON file, every key sealed under a master secret (DESIGN section 6).

The master secret (32 bytes) lives elsewhere: a credential, another file. Two keys derive from it
(HKDF-SHA-256): one wraps private keys, one authenticates the file as a whole, so that removing a
key or a retirement is noticed. Putting back a whole older file is not.
Each change reads the file again under a lock and replaces it atomically; a running service sees
changes after `reload`, or `refresh`, which costs nothing while there are none.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import ID_RANDOM, KeyId, check_id, new_id
from siegelpost.evidence.notes import Ed25519Signer, Signer, check_name
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import TrustedKey
from siegelpost.keyring.entry import MAX_OWN_FORMAT, KeyEntry, Random, Reason, unseal
from siegelpost.keyring.errors import (
    KeyMissingError,
    KeyringCorruptError,
    KeyringError,
    WrongMasterSecretError,
)
from siegelpost.keyring.files import MASTER_SECRET_SIZE, locked, read_private, write_private
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import read_seal_key

FORMAT = "siegelpost/keyring/v1"
MAX_KEYRING = 32 << 20

#: Purposes that every service needs from the start; others come with agencies or on demand.
STANDARD: tuple[KeyPurpose, ...] = tuple(
    purpose for purpose in KeyPurpose if not purpose.per_agency and not purpose.has_own_format
)

_Change = Callable[[list[KeyEntry]], list[KeyEntry]]


class FileKeyring:
    """A `Keyring` over one file. Make it with `create` or `open`."""

    def __init__(self, path: Path, master: bytes, random: Random) -> None:
        if len(master) != MASTER_SECRET_SIZE:
            raise WrongMasterSecretError(f"a master secret has {MASTER_SECRET_SIZE} bytes")
        self._path = path
        self._random = random
        self._wrapping = _derive(master, b"wrap")
        self._authentication = _derive(master, b"authenticate")
        self._master_id = _derive(master, b"identify")[:8].hex()
        self._origin = ""
        self._entries: tuple[KeyEntry, ...] = ()
        self._signers: dict[KeyId, Ed25519Signer] = {}
        self._own_formats: dict[tuple[KeyPurpose, str | None], KeyEntry] = {}
        self._version: tuple[int, int] | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        master: bytes,
        *,
        origin: str,
        now: datetime,
        purposes: Iterable[KeyPurpose] = STANDARD,
        random: Random = os.urandom,
    ) -> FileKeyring:
        """Make the file with one key for each of `purposes`; an existing file is an error.

        `origin` is the service's name without scheme, such as `post.example`.
        """
        keyring = cls(path, master, random)
        check_name(origin)
        keyring._origin = origin
        entries = [keyring._new_entry(purpose, None, now) for purpose in purposes]
        write_private(path, keyring._encode(entries), replace=False)
        keyring._adopt(entries)
        return keyring

    @classmethod
    def open(cls, path: Path, master: bytes, *, random: Random = os.urandom) -> FileKeyring:
        """Read an existing file.

        Raises WrongMasterSecretError, KeyringCorruptError, KeyringModeError (see `errors`), and
        KeyringError if the file cannot be read.
        """
        keyring = cls(path, master, random)
        keyring.reload()
        return keyring

    @property
    def origin(self) -> str:
        """The service's name, from which key names derive."""
        return self._origin

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """Every key, in the order of making."""
        return self._entries

    def signer(self, purpose: KeyPurpose, scope: str | None = None) -> Signer:
        return self._signers[self._current(purpose, scope, signs=True).id]

    def secret(self, purpose: KeyPurpose) -> bytes:
        return self._current(purpose, None, signs=False).private

    def secrets(self, purpose: KeyPurpose) -> tuple[bytes, ...]:
        self._current(purpose, None, signs=False)
        return tuple(
            entry.private
            for entry in reversed(self._entries)
            if entry.purpose is purpose and entry.reason != "compromised"
        )

    def public_keys(self) -> tuple[TrustedKey, ...]:
        return tuple(entry.public() for entry in self._entries if entry.purpose.signs)

    def private_key(self, purpose: KeyPurpose, scope: str | None = None) -> bytes:
        entry = self._own_formats.get((purpose, scope))
        if entry is None:
            raise KeyMissingError(f"no key for {_label(purpose, scope)}")
        return entry.private

    def seal_certificates(self) -> tuple[SealCertificate, ...]:
        return tuple(
            SealCertificate(
                der=read_seal_key(entry.private).certificates[0],
                valid_from=entry.valid_from,
                valid_until=entry.valid_until,
                compromised_at=entry.valid_until if entry.reason == "compromised" else None,
            )
            for entry in self._entries
            if entry.purpose is KeyPurpose.SEAL
        )

    def scopes(self, purpose: KeyPurpose) -> tuple[str | None, ...]:
        return tuple(
            entry.scope
            for entry in self._entries
            if entry.purpose is purpose and entry.valid_until is None
        )

    def add_key(
        self,
        purpose: KeyPurpose,
        scope: str | None = None,
        *,
        now: datetime,
        private: bytes | None = None,
    ) -> KeyId:
        """Make a first key, or take `private` as one; KeyringError if one is in force (`rotate`).

        `private` is for the purposes whose keys have their own format, and only for them.
        """

        def change(entries: list[KeyEntry]) -> list[KeyEntry]:
            if _find(entries, purpose, scope) is not None:
                raise KeyringError(f"there is a key for {_label(purpose, scope)} already")
            return [*entries, self._new_entry(purpose, scope, now, private)]

        return self._change(change)[-1].id

    def rotate(
        self,
        purpose: KeyPurpose,
        scope: str | None = None,
        *,
        now: datetime,
        overlap: timedelta = timedelta(),
        private: bytes | None = None,
    ) -> KeyId:
        """Retire the key in force and put a new one in its place, in one write.

        For `overlap` signatures of the old key stay valid, so that a running service may finish
        what it is doing and take up the new key a moment later. `private` as for `add_key`.
        """

        def change(entries: list[KeyEntry]) -> list[KeyEntry]:
            old = _find(entries, purpose, scope)
            if old is None:
                raise KeyMissingError(f"no key for {_label(purpose, scope)}")
            retired = [
                _retire(entry, now + overlap, "rotated") if entry is old else entry
                for entry in entries
            ]
            return [*retired, self._new_entry(purpose, scope, now, private)]

        return self._change(change)[-1].id

    def retire(self, key: KeyId, *, at: datetime, reason: Reason) -> None:
        """End a key's use now, as of `at` (not in the future).

        A key that was retired in good order may later be retired as compromised.
        """

        def change(entries: list[KeyEntry]) -> list[KeyEntry]:
            if all(entry.id != key for entry in entries):
                raise KeyMissingError(f"no key {key}")
            return [_retire(entry, at, reason) if entry.id == key else entry for entry in entries]

        self._change(change)

    def reload(self) -> None:
        """Read the file again, after another process changed it; on errors nothing changes."""
        version = self._file_version()
        self._adopt(self._decode(read_private(self._path, max_size=MAX_KEYRING)))
        self._version = version

    def refresh(self) -> bool:
        """Read the file again if it is another one than before; tell whether it was.

        Raises like `open`, and then keeps the keys it has.
        """
        if self._file_version() == self._version:
            return False
        self.reload()
        return True

    def _file_version(self) -> tuple[int, int]:
        # Each change puts a new file in the old one's place.
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeyringError(f"cannot read {self._path}: {error.strerror}") from error
        return status.st_ino, status.st_mtime_ns

    def _current(self, purpose: KeyPurpose, scope: str | None, *, signs: bool) -> KeyEntry:
        fits = purpose.signs is signs and not purpose.has_own_format
        entry = _find(self._entries, purpose, scope) if fits else None
        if entry is None:
            raise KeyMissingError(f"no key for {_label(purpose, scope)}")
        return entry

    def _new_entry(
        self,
        purpose: KeyPurpose,
        scope: str | None,
        now: datetime,
        private: bytes | None = None,
    ) -> KeyEntry:
        format_time(now)
        if purpose.per_agency != (scope is not None):
            raise KeyringError("manifest and OpenPGP keys, and only they, belong to an agency")
        if purpose.has_own_format != (private is not None):
            raise KeyringError(f"keys for {purpose.value} are made elsewhere, and only such ones")
        if private is not None and not 0 < len(private) <= MAX_OWN_FORMAT:
            raise KeyringError(f"a key has between 1 and {MAX_OWN_FORMAT} bytes")
        parts = [self._origin, purpose.value]
        if scope is not None:
            parts.append(check_id(scope, "agency"))
        return KeyEntry(
            id=KeyId(new_id(now, self._random(ID_RANDOM))),
            purpose=purpose,
            scope=scope,
            name="/".join(parts) if purpose.signs else "",
            private=self._random(32) if private is None else private,
            valid_from=now,
        )

    def _change(self, change: _Change) -> list[KeyEntry]:
        with locked(self._path):
            entries = change(self._decode(read_private(self._path, max_size=MAX_KEYRING)))
            write_private(self._path, self._encode(entries), replace=True)
        self._adopt(entries)
        return entries

    def _adopt(self, entries: list[KeyEntry]) -> None:
        self._own_formats = {
            (entry.purpose, entry.scope): entry
            for entry in entries
            if entry.purpose.has_own_format and entry.valid_until is None
        }
        self._signers = {entry.id: entry.signer() for entry in entries if entry.purpose.signs}
        self._entries = tuple(entries)

    def _encode(self, entries: list[KeyEntry]) -> bytes:
        value: dict[str, Json] = {
            "format": FORMAT,
            "origin": self._origin,
            "master_id": self._master_id,
            "keys": [entry.seal(self._wrapping, self._random) for entry in entries],
        }
        value["mac"] = self._mac(value)
        return (json.dumps(value, indent=1) + "\n").encode("ascii")

    def _decode(self, data: bytes) -> list[KeyEntry]:
        try:
            value = canonical.parse(data, max_size=MAX_KEYRING)
            fields = Fields(
                value, "keyring", required=("format", "origin", "master_id", "keys", "mac")
            )
            fields.expect("format", FORMAT)
            if fields.text("master_id") != self._master_id:
                raise WrongMasterSecretError(f"{self._path} was made with another master secret")
            assert isinstance(value, dict)
            content = {name: part for name, part in value.items() if name != "mac"}
            if not hmac.compare_digest(fields.text("mac").encode(), self._mac(content).encode()):
                raise KeyringCorruptError(
                    f"{self._path} was changed or damaged; restore it from a backup"
                )
            entries = [
                unseal(item, self._wrapping) for item in fields.items("keys", max_items=100_000)
            ]
        except (EvidenceError, ValueError) as error:
            raise KeyringCorruptError(f"{self._path} is damaged: {error}") from error
        self._origin = fields.text("origin")
        return entries

    def _mac(self, content: dict[str, Json]) -> str:
        return hmac.digest(self._authentication, canonical.encode(content), hashlib.sha256).hex()


def _find(entries: Iterable[KeyEntry], purpose: KeyPurpose, scope: str | None) -> KeyEntry | None:
    for entry in entries:
        if (entry.purpose, entry.scope, entry.valid_until) == (purpose, scope, None):
            return entry
    return None


def _retire(entry: KeyEntry, at: datetime, reason: Reason) -> KeyEntry:
    format_time(at)
    ended = at if entry.valid_until is None else min(at, entry.valid_until)
    return replace(entry, valid_until=ended, reason=reason)


def _label(purpose: KeyPurpose, scope: str | None) -> str:
    return purpose.value if scope is None else f"{purpose.value} of {scope}"


def _derive(master: bytes, use: bytes) -> bytes:
    info = FORMAT.encode("ascii") + b" " + use
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
