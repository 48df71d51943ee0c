"""Whose turn it is to write: among the threads of a process, and on SQLite among processes.

SQLite lets a waiting process look again after growing pauses, so that of two busy ones each sleeps
for long while the other is done. A lock of the operating system wakes the next one at once, and
can be asked for without waiting.
It orders the writers of running services only; that nobody else writes is SQLite's own to hold.
So a file system that cannot lock (some network ones) costs the order among processes, no more.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path


class Turn:
    """A lock that one thread of all processes on one file holds at a time."""

    def __init__(self, file: Path | None = None) -> None:
        """Share it with other processes by ``file``, which is made; without one, by threads only.

        Raises OSError if the file cannot be made.
        """
        self._threads = threading.Lock()
        self._file: int | None = None
        if file is not None:
            self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> None:
        """Wait until it is the caller's turn."""
        self._threads.acquire()
        if self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_EX)

    def take_at_once(self) -> bool:
        """Take the turn if nobody has it, and tell whether it was so."""
        if not self._threads.acquire(blocking=False):
            return False
        if self._file is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._threads.release()
                return False
            except OSError:
                pass
        return True

    def give(self) -> None:
        """End the turn; only who has it may."""
        if self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        """Close the file; nobody of this process may have the turn or take it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
