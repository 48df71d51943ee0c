"""Steps of the demo: numbered, timed and printed as they are done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Steps:
    """Prints numbered steps with the time each took."""

    def __init__(self) -> None:
        """Start at step 1."""
        self._number = 0
        self._started = time.perf_counter()

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Time a block; lines appended to the yielded list are printed below the step."""
        self._number += 1
        started, notes = time.perf_counter(), list[str]()
        try:
            yield notes
        except BaseException:
            print(f"{self._number:2}. {what}: FAILED", flush=True)
            raise
        print(f"{self._number:2}. {what}  ({(time.perf_counter() - started) * 1000:.0f} ms)")
        for note in notes:
            print(f"      {note}")
        sys.stdout.flush()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.perf_counter() - self._started
