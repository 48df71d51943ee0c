"""Lets outcomes that end at about the same time be recorded together, in one transaction.

A commit costs the same for one outcome as for thirty. Waiting is short, and nobody waits while
nothing else is under way: a single alert is recorded at once.
"""

from __future__ import annotations

import asyncio

#: Seconds that an outcome waits for others, at most.
WAIT_SECONDS = 0.02


class Gathering:
    """A gate before the commit, which opens for all who wait at once."""

    def __init__(self, most: int) -> None:
        """Open as soon as `most` wait."""
        self._most = most
        self._expected = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Count one that may come to the gate; `pass_through` or `forget` follows."""
        self._expected += 1

    def forget(self) -> None:
        """Count out one that does not come."""
        self._expected -= 1
        if not self._expected:
            self._open()

    async def pass_through(self) -> None:
        """Return together with the others, after `WAIT_SECONDS` at the latest."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        self._expected -= 1
        if not self._expected or len(self._waiting) >= self._most:
            self._open()
        elif self._timer is None:
            self._timer = loop.call_later(WAIT_SECONDS, self._open)
        await mine

    def _open(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)
