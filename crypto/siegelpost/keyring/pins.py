"""The PIN of a token: read from a private file, and never sent again once it was refused.

Tokens lock after a few wrong PINs, and a service that restarts, in several processes, would use
these up within seconds. So a refusal is written down beside the keyring, as an HMAC under a key
that derives from the master secret: whoever finds the file cannot try PINs against it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from siegelpost.keyring.errors import KeyringError, TokenPinError, TokenUnavailableError
from siegelpost.keyring.files import locked, read_private, write_private

_MAX_PIN = 1000
_DIGEST = hashlib.sha256().digest_size
#: Longest wait for other processes that log in, in seconds.
PATIENCE_SECONDS = 8.0


class Pin:
    """The PIN in `file`; `refusals` is where refusals are kept, None: in memory alone."""

    def __init__(self, file: Path, *, refusals: Path | None = None, key: bytes = b"") -> None:
        self._file = file
        self._refusals = refusals
        self._key = key
        self._refused = b""

    def read(self) -> str:
        """The PIN, to be sent; TokenPinError if it was refused.

        KeyringError if the file cannot be read, or a refusal could not be noted.
        """
        try:
            pin = read_private(self._file, max_size=_MAX_PIN).decode("utf-8").strip()
        except UnicodeDecodeError:
            pin = ""
        if not pin:
            raise TokenPinError(f"{self._file} holds no PIN")
        known = []
        if self._refusals is not None:
            if not self._refusals.exists():
                # Room for a refusal, before there is one: on a full disk no PIN is sent.
                write_private(self._refusals, bytes(_DIGEST), replace=True)
                self._refused = b""  # whoever removed it says that the PIN is right after all
            known.append(read_private(self._refusals, max_size=_MAX_PIN))
        known.append(self._refused)
        if any(hmac.compare_digest(each, self._digest(pin)) for each in known):
            raise TokenPinError(self._told("was refused by the token and is not tried again"))
        return pin

    def refuse(self, pin: str, what: str = "was refused by the token") -> TokenPinError:
        """Never send `pin` again; returns the error to raise, which says `what` it did."""
        self._refused = self._digest(pin)
        if self._refusals is not None:
            with suppress(OSError), self._refusals.open("r+b") as file:  # in its room
                file.write(self._refused)
                file.flush()
                os.fsync(file.fileno())
        return TokenPinError(self._told(what))

    def accept(self) -> None:
        """Forget refusals: the PIN was right."""
        self._refused = b""
        if self._refusals is not None:
            with suppress(OSError):
                self._refusals.unlink()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Within the block no other process starts a module and logs in.

        Together they could use up the tries with one wrong PIN. TokenUnavailableError if another
        one takes too long, perhaps because its module hangs.
        """
        if self._refusals is None:
            yield
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self._refusals, patience_seconds=PATIENCE_SECONDS))
            except KeyringError as error:
                raise TokenUnavailableError(str(error)) from None
            yield

    def _told(self, what: str) -> str:
        remedy = "put the right one there"
        if self._refusals is not None:
            remedy += f", or remove {self._refusals} if it is right after all"
        return f"the PIN in {self._file} {what}: {remedy}"

    def _digest(self, pin: str) -> bytes:
        return hmac.digest(self._key, pin.encode("utf-8"), hashlib.sha256)
