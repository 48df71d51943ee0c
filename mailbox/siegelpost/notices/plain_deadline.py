"""The legal clock's result as a citizen reads it: what it means now, and two dates (pure).

The words are the page's; here is decided only which of them. Reasons, rules and reviews stay with
the agency and the receipt: a citizen needs to know until when to act, and that we may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from siegelpost.deadlines import Result, State
from siegelpost.deadlines.calendar import day
from siegelpost.notices.legal_clock import WITHDRAWN_RULE


class Meaning(StrEnum):
    """What the result means for the citizen."""

    #: it will count as served on a day that is known; the period is known, too
    EXPECTED = "expected"
    #: it counts as served and the period runs
    RUNNING = "running"
    #: the period has run out
    OVER = "over"
    #: it counts as served and no period is stated
    NO_PERIOD = "no-period"
    #: it can be retrieved until a day, and what follows depends on that
    OPEN = "open"
    #: it does not count as served; no period runs
    NOT_SERVED = "not-served"
    #: the agency took it back in time
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class PlainDeadline:
    """What a page says."""

    #: which sentences
    meaning: Meaning
    #: the day on which it counts as served
    deemed: date | None
    #: last day for an objection, until 24:00
    end: date | None
    #: last day for retrieving
    open_until: date | None
    #: whether the result may well be another one
    unsure: bool


def plain(result: Result, now: datetime) -> PlainDeadline:
    """What `result` means for the citizen at `now`."""
    return PlainDeadline(
        meaning=_meaning(result, day(now)),
        deemed=result.deemed,
        end=result.end,
        open_until=result.open_until,
        unsure=bool(result.review),
    )


def _meaning(result: Result, today: date) -> Meaning:
    if result.rule == WITHDRAWN_RULE:
        return Meaning.WITHDRAWN
    if result.state is State.OPEN:
        return Meaning.OPEN
    if result.deemed is None:
        return Meaning.NOT_SERVED
    if result.end is None:
        return Meaning.NO_PERIOD
    if result.end < today:
        return Meaning.OVER
    return Meaning.EXPECTED if result.state is State.EXPECTED else Meaning.RUNNING
