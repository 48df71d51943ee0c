"""The keyring: one JSON file, every key sealed under a master secret (DESIGN section 6).

With a token (PKCS #11), signing keys and what opens managed mailboxes are made in it and stay
there; the file tells which they are and how long they count, and holds the other secrets.

The master secret (32 bytes) lives elsewhere: a credential, another file (`sealed_file`).
Each change reads the file again under a lock and replaces it atomically; a running service sees
changes after `reload`, or `refresh`, which costs nothing while there are none.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from siegelpost.evidence.ids import ID_RANDOM, KeyId, check_id, new_id
from siegelpost.evidence.notes import Signer, check_name
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import TrustedKey
from siegelpost.keyring.entry import MAX_OWN_FORMAT, KeyEntry, Random, Reason
from siegelpost.keyring.errors import KeyMissingError, KeyringError
from siegelpost.keyring.files import locked, read_private, write_private
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.protocol import Custody, KeyPurpose
from siegelpost.keyring.seal_key import read_seal_key
from siegelpost.keyring.sealed_file import MAX_KEYRING, SealedFile, derive
from siegelpost.keyring.token_keys import TokenSigner, destroy, make_custody_key, make_signing_key
from siegelpost.keyring.tokens import Token

#: Purposes that every service needs from the start; others come with agencies or on demand.
STANDARD: tuple[KeyPurpose, ...] = tuple(
    purpose for purpose in KeyPurpose if not purpose.per_agency and not purpose.has_own_format
)

_Change = Callable[[list[KeyEntry]], list[KeyEntry]]


class FileKeyring:
    """A `Keyring` over one file. Make it with `create` or `open`.

    `token` is where new keys are made if it can hold them, and where those are that are in one.
    """

    def __init__(
        self, path: Path, master: bytes, random: Random, token: Token | None = None
    ) -> None:
        self._file = SealedFile(master, random)
        self._path = path
        self._pins_key = derive(master, b"refused PIN")
        self._random = random
        self._token = token
        self._origin = ""
        self._entries: tuple[KeyEntry, ...] = ()
        self._signers: dict[KeyId, Signer] = {}
        self._answers_at_once = True
        self._own_formats: dict[tuple[KeyPurpose, str | None], KeyEntry] = {}
        self._version: tuple[int, int] | None = None
        # Of two threads that read it at once, the one with the older file might end last.
        self._adopting = threading.RLock()

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
        token: Token | None = None,
    ) -> FileKeyring:
        """Make the file with one key for each of `purposes`; an existing file is an error.

        `origin` is the service's name without scheme, such as `post.example`.
        """
        keyring = cls(path, master, random, token)
        check_name(origin)
        keyring._origin = origin
        if path.exists():
            raise KeyringError(f"{path} exists already")
        entries = [keyring._new_entry(purpose, None, now) for purpose in purposes]
        write_private(path, keyring._file.encode(origin, entries), replace=False)
        keyring._adopt(entries)
        return keyring

    @classmethod
    def open(
        cls,
        path: Path,
        master: bytes,
        *,
        random: Random = os.urandom,
        token: Token | None = None,
    ) -> FileKeyring:
        """Read an existing file.

        Raises WrongMasterSecretError, KeyringCorruptError, KeyringModeError (see `errors`), and
        KeyringError if the file cannot be read.
        """
        keyring = cls(path, master, random, token)
        keyring.reload()
        return keyring

    def pin(self, file: Path) -> Pin:
        """The PIN in `file`, of a token that others name; refusals are noted beside the keyring."""
        refusals = self._path.with_name(f"{self._path.name}.refused-seal-pin")
        return Pin(file, refusals=refusals, key=self._pins_key)

    @property
    def origin(self) -> str:
        """The service's name, from which key names derive."""
        return self._origin

    @property
    def entries(self) -> tuple[KeyEntry, ...]:
        """Every key, in the order of making."""
        return self._entries

    @property
    def answers_at_once(self) -> bool:
        return self._answers_at_once

    def ready(self) -> None:
        self.secret(KeyPurpose.TOKEN)
        if not self._answers_at_once:
            signer = self.signer(KeyPurpose.ACCEPTANCE)
            if isinstance(signer, TokenSigner):
                signer.probe()

    def signer(self, purpose: KeyPurpose, scope: str | None = None) -> Signer:
        entry = self._current(purpose, scope, signs=True)
        return self._signers.get(entry.id) or entry.signer(self._token)

    def secret(self, purpose: KeyPurpose) -> bytes:
        return self._current(purpose, None, signs=False).private

    def secrets(self, purpose: KeyPurpose) -> tuple[bytes, ...]:
        self._current(purpose, None, signs=False)
        return tuple(entry.private for entry in self._usable(purpose))

    def custody(self) -> Custody:
        self.refresh()  # what a retired key wraps after `rewrap` would be lost
        return self.custodies()[0]

    def custodies(self) -> tuple[Custody, ...]:
        current = _find(self._entries, KeyPurpose.CUSTODY, None)
        if current is None:
            raise KeyMissingError(f"no key for {KeyPurpose.CUSTODY.value}")
        others = (
            entry
            for entry in reversed(self._entries)
            if entry.purpose is KeyPurpose.CUSTODY and entry is not current
        )
        return tuple(entry.custody(self._token) for entry in (current, *others))

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
        in_file: bool = False,
    ) -> KeyId:
        """Retire the key in force and put a new one in its place, in one write.

        For `overlap` signatures of the old key stay valid, so that a running service may finish
        what it is doing and take up the new key a moment later. `private` as for `add_key`.
        `in_file` makes it here although a token could hold it: for leaving the token.
        """

        def change(entries: list[KeyEntry]) -> list[KeyEntry]:
            old = _find(entries, purpose, scope)
            if old is None:
                raise KeyMissingError(f"no key for {_label(purpose, scope)}")
            retired = [
                _retire(entry, now + overlap, "rotated") if entry is old else entry
                for entry in entries
            ]
            return [*retired, self._new_entry(purpose, scope, now, private, in_file=in_file)]

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

    def forget(self, key: KeyId) -> None:
        """Erase a retired key for custody, here and in its token; what it wraps stays closed.

        Others are no secret worth erasing, or still read what was made with them.
        """

        def change(entries: list[KeyEntry]) -> list[KeyEntry]:
            old = next((entry for entry in entries if entry.id == key), None)
            if old is None:
                raise KeyMissingError(f"no key {key}")
            if old.purpose is not KeyPurpose.CUSTODY or old.valid_until is None:
                raise KeyringError("only keys for custody are erased, and only retired ones")
            if old.in_token and self._token is not None:
                destroy(self._token, old.id)
            return [entry for entry in entries if entry is not old]

        self._change(change)

    def reload(self) -> None:
        """Read the file again, after another process changed it; on errors nothing changes."""
        with self._adopting:
            version = self._file_version()
            self._adopt(self._read())
            self._version = version

    def refresh(self) -> bool:
        """Read the file again if it is another one than before; tell whether it was.

        Raises like `open`, and then keeps the keys it has.
        """
        with self._adopting:
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
        handed_out = purpose.signs or not purpose.fits_in_token
        fits = purpose.signs is signs and handed_out and not purpose.has_own_format
        entry = _find(self._entries, purpose, scope) if fits else None
        if entry is None:
            raise KeyMissingError(f"no key for {_label(purpose, scope)}")
        return entry

    def _usable(self, purpose: KeyPurpose) -> list[KeyEntry]:
        return [
            entry
            for entry in reversed(self._entries)
            if entry.purpose is purpose and entry.reason != "compromised"
        ]

    def _new_entry(
        self,
        purpose: KeyPurpose,
        scope: str | None,
        now: datetime,
        private: bytes | None = None,
        *,
        in_file: bool = False,
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
        entry = KeyEntry(
            id=KeyId(new_id(now, self._random(ID_RANDOM))),
            purpose=purpose,
            scope=scope,
            name="/".join(parts) if purpose.signs else "",
            private=b"",
            valid_from=now,
        )
        if private is not None:
            return replace(entry, private=private)
        if self._token is None or in_file or not purpose.fits_in_token:
            return replace(entry, private=self._random(32))
        # In the token first: a key there without an entry harms nobody.
        label = " ".join(parts)
        if purpose.signs:
            public = make_signing_key(self._token, entry.id, label)
            return replace(entry, in_token=True, public_key=public)
        make_custody_key(self._token, entry.id, label)
        return replace(entry, in_token=True)

    def _change(self, change: _Change) -> list[KeyEntry]:
        with locked(self._path):
            entries = change(self._read())
            write_private(self._path, self._file.encode(self._origin, entries), replace=True)
        with self._adopting:
            self._adopt(entries)
        return entries

    def _read(self) -> list[KeyEntry]:
        data = read_private(self._path, max_size=MAX_KEYRING)
        self._origin, entries = self._file.decode(data, self._path)
        return entries

    def _adopt(self, entries: list[KeyEntry]) -> None:
        self._own_formats = {
            (entry.purpose, entry.scope): entry
            for entry in entries
            if entry.purpose.has_own_format and entry.valid_until is None
        }
        self._signers = {
            entry.id: entry.signer(self._token)
            for entry in entries
            if entry.purpose.signs and (self._token is not None or not entry.in_token)
        }
        self._answers_at_once = not any(
            entry.in_token and entry.purpose.signs and entry.valid_until is None
            for entry in entries
        )
        self._entries = tuple(entries)


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
