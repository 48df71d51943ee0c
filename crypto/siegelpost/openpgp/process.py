"""python-gnupg with a time limit, without a network, and with every failure as one error.

What it guards against: calls without a time limit; BrokenPipeError instead of a result when gpg
stops reading; debug lines that hold user ids.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gnupg  # type: ignore[import-untyped]  # python-gnupg has no types

from siegelpost.openpgp.errors import GpgFailed, GpgMissing

T = TypeVar("T")

# It logs command lines and listings, with names and addresses.
logging.getLogger("gnupg").setLevel(logging.CRITICAL + 1)

_OPTIONS = [
    "--no-options",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--disable-dirmngr",
    "--no-auto-check-trustdb",
    "--trust-model=always",
]


class BoundedGpg(gnupg.GPG):  # type: ignore[misc]  # the base has no types
    """One home; processes are killed after `seconds`. Not safe for several threads at once."""

    def __init__(self, home: Path, *, seconds: float, agent: bool, program: str = "gpg") -> None:
        """Check that gpg runs. Raises GpgMissing."""
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self.late = False
        options = _OPTIONS if agent else [*_OPTIONS, "--no-autostart"]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        try:
            super().__init__(
                gpgbinary=program,
                gnupghome=str(home),
                options=options,
                env=environment,
                encoding="utf-8",
            )
        except (OSError, ValueError) as error:
            raise GpgMissing("gpg cannot be started") from error
        finally:
            self._disarm()
        self.decode_errors = "replace"
        if not self.version or self.version < (2, 2):
            raise GpgMissing("gpg 2.2 or newer is needed")

    def make_args(self, args: list[str], passphrase: bool) -> list[str]:
        """Encrypt to keys in files where a recipient is a path: nothing is imported for it."""
        made: list[str] = super().make_args(args, passphrase)
        return [
            "--recipient-file" if one == "--recipient" and following.startswith("/") else one
            for one, following in zip(made, [*made[1:], ""], strict=True)
        ]

    def call(self, operation: Callable[[], T]) -> T:
        """Run one operation of this object; raises GpgFailed for whatever goes wrong in it."""
        self.late = False
        try:
            result = operation()
        except Exception as error:
            # BrokenPipeError above all: gpg gave up reading, for a reason that is in no result.
            raise GpgFailed(self._why(type(error).__name__)) from error
        finally:
            self._disarm()
        if self.late:
            raise GpgFailed(self._why(""))
        return result

    def _open_subprocess(self, args: list[str], passphrase: bool = False) -> Any:
        # The only place that knows the process; python-gnupg waits for it without a limit.
        process: subprocess.Popen[bytes] = super()._open_subprocess(args, passphrase)
        self._disarm()
        self._timer = threading.Timer(self._seconds, self._expire, [process])
        self._timer.daemon = True
        self._timer.start()
        return process

    def _expire(self, process: subprocess.Popen[bytes]) -> None:
        self.late = True
        process.kill()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _why(self, what: str) -> str:
        return f"gpg took longer than {self._seconds:g} s" if self.late else f"gpg failed: {what}"
