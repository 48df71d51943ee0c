"""Time, injected: one clock at the top, plain ``now`` parameters below it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time; never goes through the operating system's local zone."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime with microseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that only moves when told to: replays days of bounces and deadlines in seconds."""

    def __init__(self, start: datetime) -> None:
        """Start at ``start``, which must be aware."""
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware datetime")
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the virtual present in UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward by ``by`` (never backward) and return the new present."""
        if by < timedelta(0):
            raise ValueError("time does not run backward")
        with self._lock:
            self._now += by
            return self._now
