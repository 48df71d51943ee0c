"""The conductor: runs every worker of a sandbox in turn until nothing is left, and moves its clock.

One at a time and under one lock, so that a replay has one course. Time moves from one due moment to
the next (a retry, a report, a day of the legal clock), so that everything happens at its time and
not at the end of the jump.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, select

from siegelpost.service.sandbox.exchanger import Exchanger
from siegelpost.service.sandbox.mode import store_time
from siegelpost.store import deadlines, outbox, tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

#: Longest step: what has no due moment of its own is found this late at most.
LONGEST_STEP = timedelta(hours=6)
#: Longest jump of one call.
LONGEST_JUMP = timedelta(days=100)
#: Rounds of work at one moment of time; more mean that two workers chase each other.
_MOST_ROUNDS = 1000
#: Longest pause between looks while nobody moves the clock, in seconds.
_POLL_SECONDS = 0.25

#: One round of a worker: returns how much it did.
Work = Callable[[], Awaitable[int]]

_alert = tables.core(tables.Alert)
_log = structlog.get_logger("siegelpost.sandbox")


class Restless(Exception):
    """The workers of a sandbox did not come to rest."""


class Conductor:
    """Moves one sandbox."""

    def __init__(
        self, context: Context, clock: VirtualClock, exchanger: Exchanger, work: tuple[Work, ...]
    ) -> None:
        """`work` is run in this order; `clock` is the one that all of it looks at."""
        self._context = context
        self._clock = clock
        self._exchanger = exchanger
        self._work = work
        self._lock = asyncio.Lock()

    def now(self) -> datetime:
        """The sandbox's time."""
        return self._clock.now()

    async def run(self) -> None:
        """Work whatever comes in, until cancelled; time stands still."""
        while True:
            try:
                async with self._lock:
                    await self._settle()
            except (StoreError, OSError, Restless) as error:
                _log.warning("sandbox did not come to rest", error=type(error).__name__)
            await self._context.store.events_recorded.wait(_POLL_SECONDS)

    async def advance(self, by: timedelta) -> datetime:
        """Move time forward, do everything that falls due on the way, return the new time.

        Raises ValueError for jumps backward or beyond LONGEST_JUMP.
        """
        if not timedelta(0) <= by <= LONGEST_JUMP:
            raise ValueError(f"from 0 to {LONGEST_JUMP.days} days at a time")
        async with self._lock:
            await self._settle()
            target = self._clock.now() + by
            while (now := self._clock.now()) < target:
                step = min(target, await self._next_moment(now), now + LONGEST_STEP)
                # Kept first: time must not have been later than after the next start.
                await self._keep(step)
                self._clock.advance(step - now)
                await self._settle()
            return self._clock.now()

    async def _keep(self, at: datetime) -> None:
        origin = self._context.origin
        await self._context.store.write(lambda connection: store_time(connection, origin, at))

    async def _settle(self) -> int:
        total = 0
        for _ in range(_MOST_ROUNDS):
            done = 0
            for work in self._work:
                done += await work()
            if not done:
                return total
            total += done
        raise Restless(f"still at work after {_MOST_ROUNDS} rounds")

    async def _next_moment(self, now: datetime) -> datetime:
        def look(connection: Connection) -> list[datetime | None]:
            confirm = connection.execute(
                select(_alert.c.confirm_by)
                .where(_alert.c.confirm_by.is_not(None))
                .order_by(_alert.c.confirm_by)
            ).scalar()
            return [
                outbox.next_due_at(connection),
                deadlines.next_due_at(connection),
                confirm,
            ]

        moments = [*await self._context.store.read(look), self._exchanger.next_due_at()]
        later = [moment for moment in moments if moment is not None and moment > now]
        return min(later, default=now + LONGEST_STEP)
