"""The one door to gpg: reads citizens' keys, encrypts, signs, makes agencies' keys.

DESIGN section 5: one process at a time, whatever threads call; so import and encryption never
meet in one home. Uploads are read in a home of their own that ends with them; the engine's home
holds only the signing keys of agencies. Encryption reads the recipient's key from a file.
gpg uses this machine's clock; whether a key has expired is its judgement.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from siegelpost.openpgp.agency_keys import AgencyKey
from siegelpost.openpgp.armor import MAX_CLEAN_KEY, binary_public_key, one_public_key
from siegelpost.openpgp.errors import GpgFailed, KeyRefused, Refusal
from siegelpost.openpgp.homes import end_home, make_home
from siegelpost.openpgp.keys import PublicKey, Signature, usable_key
from siegelpost.openpgp.process import BoundedGpg

#: RFC 9580, 9.5, in the words of RFC 3156, 5.
_MICALGS = {"8": "pgp-sha256", "9": "pgp-sha384", "10": "pgp-sha512", "11": "pgp-sha224"}


class OpenPgp:
    """gpg behind one lock. Open it with `with`; every method may block for `seconds` and more."""

    def __init__(
        self, runtime: Path | None = None, *, seconds: float = 20.0, program: str = "gpg"
    ) -> None:
        """Work in a fresh folder under `runtime`; kill processes after `seconds`."""
        self._runtime = runtime
        self._seconds = seconds
        self._program = program
        self._lock = threading.Lock()
        self._home: Path | None = None
        self._gpg: BoundedGpg | None = None
        self._signers: set[str] = set()

    def __enter__(self) -> OpenPgp:
        """Make the home. Raises GpgMissing."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the agents and remove everything."""
        self.close()

    def open(self) -> None:
        """Make the home; once. Raises GpgMissing."""
        with self._lock:
            if self._home is not None:
                return
            home = make_home(self._runtime)
            try:
                self._gpg = BoundedGpg(
                    home, seconds=self._seconds, agent=True, program=self._program
                )
            except BaseException:
                end_home(home)
                raise
            self._home = home

    def close(self) -> None:
        """End the agents and remove the home with all keys in it; harmless when repeated."""
        with self._lock:
            home, self._home, self._gpg = self._home, None, None
            self._signers.clear()
            if home is not None:
                end_home(home)

    def read_key(self, data: bytes, *, binary: bool = False) -> PublicKey:
        """Return the one key in `data` if it may be used now, cleaned.

        `data` is ASCII armour, or with `binary` what WKD serves. Raises KeyRefused, GpgFailed.
        """
        data = binary_public_key(data) if binary else one_public_key(data)
        with self._lock, self._separate() as gpg:
            listing, armored = self._imported(gpg, data)
        key = usable_key(listing, armored)
        if len(armored) > MAX_CLEAN_KEY:
            raise KeyRefused(Refusal.TOO_LARGE)
        return key

    def fingerprint_of(self, data: bytes, *, binary: bool = False) -> str:
        """Return the fingerprint of the one key in `data` (see `read_key`), be it usable or not.

        Raises KeyRefused if it is not one key, GpgFailed.
        """
        data = binary_public_key(data) if binary else one_public_key(data)
        with self._lock, self._separate() as gpg:
            listing, _ = self._imported(gpg, data)
        if len(listing) != 1:
            raise KeyRefused(Refusal.SEVERAL_KEYS if listing else Refusal.UNREADABLE)
        return str(listing[0]["fingerprint"])

    def encrypt(self, data: bytes, armored: str, *, signer: str | None = None) -> str:
        """Return `data` encrypted to the key in `armored`, signed by the loaded key `signer`.

        ASCII armour. Raises GpgFailed; `read_key` tells whether the key is why.
        """
        with self._lock, self._recipient(armored) as recipient:
            gpg = self._opened()
            if signer is not None:
                self._check_signer(signer)
            result = gpg.call(lambda: gpg.encrypt(data, [str(recipient)], sign=signer, armor=True))
            if not result.ok or not result.data or result.returncode != 0:
                raise GpgFailed(f"gpg does not encrypt: {result.status or 'no reason given'}")
            return str(result.data.decode("ascii"))

    def sign(self, data: bytes, signer: str) -> Signature:
        """Return the detached signature of the loaded key `signer` over exactly `data`.

        Raises GpgFailed.
        """
        with self._lock:
            gpg = self._opened()
            self._check_signer(signer)
            result = gpg.call(lambda: gpg.sign(data, keyid=signer, clearsign=False, detach=True))
            micalg = _MICALGS.get(result.hash_algo or "")
            if result.returncode != 0 or not result.data or micalg is None:
                raise GpgFailed(f"gpg does not sign: {result.status or 'no reason given'}")
            return Signature(armored=result.data.decode("ascii"), micalg=micalg)

    def load(self, key: AgencyKey) -> None:
        """Take an agency's key into the home, for signing; once is enough. Raises GpgFailed."""
        with self._lock:
            if key.fingerprint in self._signers:
                return
            gpg = self._opened()
            result = gpg.call(lambda: gpg.import_keys(key.secret))
            if not result.sec_read or key.fingerprint not in result.fingerprints:
                raise GpgFailed("the agency's key could not be loaded")
            self._signers.add(key.fingerprint)

    def make_key(self, name: str, address: str, *, days: int) -> AgencyKey:
        """Make a signing key (Ed25519) for an agency's mail, valid for `days`. Raises GpgFailed."""
        if not name.isprintable() or not address.isprintable() or set("<>()") & set(name + address):
            raise GpgFailed("a name and an address without control characters and brackets")
        parameters = "\n".join(
            (
                "Key-Type: EDDSA",
                "Key-Curve: ed25519",
                "Key-Usage: sign",
                f"Name-Real: {name}",
                f"Name-Email: {address}",
                f"Expire-Date: {days}d",
                "%no-protection",
                "%commit",
                "",
            )
        )
        with self._lock, self._separate(agent=True) as gpg:
            fingerprint = gpg.call(lambda: gpg.gen_key(parameters)).fingerprint
            if not fingerprint:
                raise GpgFailed("gpg made no key")
            public = gpg.call(lambda: gpg.export_keys(fingerprint, armor=False, minimal=True))
            secret = gpg.call(
                lambda: gpg.export_keys(fingerprint, secret=True, expect_passphrase=False)
            )
        if not public or not secret:
            raise GpgFailed("gpg gave no key out")
        return AgencyKey(address=address, fingerprint=fingerprint, public=public, secret=secret)

    def _imported(self, gpg: BoundedGpg, data: bytes) -> tuple[list[dict[str, Any]], str]:
        """Return gpg's listing of `data` and, if it is one key, its clean form."""
        imported = gpg.call(
            lambda: gpg.import_keys(data, extra_args=["--import-options", "import-minimal"])
        )
        if imported.sec_read:
            raise KeyRefused(Refusal.PRIVATE_KEY)
        listing: list[dict[str, Any]] = gpg.call(gpg.list_keys)
        if len(listing) != 1:
            return listing, ""
        fingerprint = listing[0]["fingerprint"]
        return listing, gpg.call(lambda: gpg.export_keys(fingerprint, minimal=True))

    def _opened(self) -> BoundedGpg:
        if self._gpg is None:
            raise GpgFailed("the engine is closed")
        return self._gpg

    def _check_signer(self, signer: str) -> None:
        if signer not in self._signers:
            raise GpgFailed("this signing key is not loaded")

    @contextmanager
    def _separate(self, *, agent: bool = False) -> Iterator[BoundedGpg]:
        """A home for one upload or one new key; what is in it ends with it."""
        home = make_home(self._runtime)
        try:
            yield BoundedGpg(home, seconds=self._seconds, agent=agent, program=self._program)
        finally:
            end_home(home)

    @contextmanager
    def _recipient(self, armored: str) -> Iterator[Path]:
        if self._home is None:
            raise GpgFailed("the engine is closed")
        descriptor, name = tempfile.mkstemp(suffix=".asc", dir=self._home)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii", errors="replace") as file:
                file.write(armored)
            yield path
        finally:
            path.unlink(missing_ok=True)
