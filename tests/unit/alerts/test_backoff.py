"""Waits between attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from siegelpost.alerts.backoff import retry_at

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GIVE_UP = START + timedelta(hours=48)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def after(attempt: int, now: datetime = START, chance: float = 0.5) -> datetime | None:
    return retry_at(
        now,
        attempt=attempt,
        give_up_at=GIVE_UP,
        first=MINUTE,
        longest=HOUR,
        jitter=0.2,
        chance=chance,
    )


def test_waits_double_up_to_the_longest() -> None:
    waits = [(after(attempt) or START) - START for attempt in range(1, 9)]
    assert waits == [MINUTE * 2**power for power in range(6)] + [HOUR, HOUR]


def test_last_attempt_falls_on_the_end_and_none_after() -> None:
    assert after(60, GIVE_UP - MINUTE) == GIVE_UP
    assert after(60, GIVE_UP) is None
    assert after(60, GIVE_UP + HOUR) is None


def test_two_days_of_attempts_end() -> None:
    now, attempts = START, 1
    while (due := after(attempts, now)) is not None:
        now, attempts = due, attempts + 1
    assert now == GIVE_UP
    assert 50 < attempts < 60


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_in_its_share(attempt: int, chance: float) -> None:
    due = after(attempt, chance=chance)
    assert due is not None
    assert MINUTE * 0.8 <= due - START <= HOUR * 1.2
