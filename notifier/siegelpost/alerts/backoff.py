"""When to try again: waits that double, spread by chance, until the alert's time is over (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta


def retry_at(
    now: datetime,
    *,
    attempt: int,
    give_up_at: datetime,
    first: timedelta,
    longest: timedelta,
    jitter: float,
    chance: float,
) -> datetime | None:
    """Return when attempt `attempt + 1` is due, or None if the time is over.

    `chance` is in [0, 1): 0.5 gives the middle of the range `±jitter`.
    The last attempt falls on `give_up_at` itself, so that the whole time is used.
    """
    if now >= give_up_at:
        return None
    doubled = first * (1 << min(attempt - 1, 20))
    wait: timedelta = min(doubled, longest) * (1 + jitter * (2 * chance - 1))
    return min(now + wait, give_up_at)
