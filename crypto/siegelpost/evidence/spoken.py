"""Times and days as people read them: German legal time, exact, never ambiguous.

For sentences. What programs read keeps the form of `times`. The verifier also runs where no time
zones are installed (Windows without the package tzdata); there it says UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Language = Literal["de", "en"]

_DAYS = {
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GERMAN_ZONES = {"CET": "MEZ", "CEST": "MESZ"}


def _legal_zone() -> tzinfo:
    try:
        return ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        return UTC


#: Germany's, or UTC where the machine knows no time zones.
ZONE = _legal_zone()


def local(moment: datetime) -> datetime:
    """The moment in German legal time; ValueError if it is naive."""
    if moment.tzinfo is None:
        raise ValueError("naive moment")
    try:
        return moment.astimezone(ZONE)
    except OverflowError:  # a forged file may name the last hours of the year 9999
        return moment.astimezone(UTC)


def short_day(day: date, language: Language) -> str:
    """``So, 22.11.2026`` or ``Sun, 22 Nov 2026``."""
    name = _DAYS[language][day.weekday()]
    if language == "de":
        return f"{name}, {day.day:02}.{day.month:02}.{day.year}"
    return f"{name}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def clock(moment: datetime, language: Language) -> str:
    """``17:56:30,940`` in German legal time, to the millisecond."""
    at = local(moment)
    separator = "," if language == "de" else "."
    return f"{at:%H:%M:%S}{separator}{at.microsecond // 1000:03}"


def exact(moment: datetime, language: Language) -> str:
    """``So, 22.11.2026, 17:56:30,940 MEZ``; summer time shows as MESZ (CET and CEST)."""
    at = local(moment)
    zone = at.tzname() or ""
    if language == "de":
        zone = _GERMAN_ZONES.get(zone, zone)
    return f"{short_day(at.date(), language)}, {clock(moment, language)} {zone}"
