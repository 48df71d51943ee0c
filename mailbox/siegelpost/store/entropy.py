"""Random bytes from the operating system, fetched in larger pieces: a dispatch needs a dozen."""

from __future__ import annotations

import os
import threading

#: Bytes fetched at once.
POOL_BYTES = 4096


class PooledEntropy:
    """Gives each byte of the operating system's generator once, to whichever thread asks.

    The process must not fork after the first use: both halves would give the same bytes.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._pool = b""
        self._used = 0
        self._lock = threading.Lock()

    def __call__(self, count: int) -> bytes:
        """Return ``count`` fresh random bytes."""
        if count > POOL_BYTES:
            return os.urandom(count)
        with self._lock:
            if self._used + count > len(self._pool):
                self._pool, self._used = os.urandom(POOL_BYTES), 0
            start, self._used = self._used, self._used + count
            return self._pool[start : self._used]
