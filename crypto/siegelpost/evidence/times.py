"""Points in time as evidence writes them: UTC, microseconds, one spelling (DESIGN section 7).

`2026-11-22T13:36:00.123456Z`: RFC 3339 with every part mandatory, so that equal times are equal
bytes. Local time and calendar days belong to the deadlines, not here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from siegelpost.evidence.errors import FormatError

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z", re.ASCII)


@lru_cache(maxsize=256)  # one dispatch writes the same moment eight times
def format_time(moment: datetime) -> str:
    """`moment` in UTC with six digits of a second; FormatError if it is naive."""
    if moment.tzinfo is None:
        raise FormatError("naive time: it names no point in time")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    # A tenth of strftime's cost, and every event is written with it.
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> datetime:
    """The aware UTC time that `format_time` writes as `text`; FormatError for anything else.

    Leap seconds (`:60`) are refused: Python's datetime cannot hold them.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise FormatError("not a UTC time of the form 2026-11-22T13:36:00.123456Z")
    year, month, day, hour, minute, second, microsecond = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
    except ValueError as error:
        raise FormatError(f"no such time: {error}") from None
