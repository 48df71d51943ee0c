"""Times and days as documents write them: German legal time, exact, never ambiguous."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from siegelpost.receipts.words import Language

BERLIN = ZoneInfo("Europe/Berlin")

_DAYS = {
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS_DE = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def local(moment: datetime) -> datetime:
    """The moment in German legal time; ValueError if it is naive."""
    if moment.tzinfo is None:
        raise ValueError("naive moment")
    return moment.astimezone(BERLIN)


def short_day(day: date, language: Language) -> str:
    """``So, 22.11.2026`` or ``Sun, 22 Nov 2026``."""
    name = _DAYS[language][day.weekday()]
    if language == "de":
        return f"{name}, {day.day:02}.{day.month:02}.{day.year}"
    return f"{name}, {day.day} {_MONTHS_EN[day.month - 1][:3]} {day.year}"


def long_day(day: date, language: Language) -> str:
    """``22. November 2026`` or ``22 November 2026``."""
    if language == "de":
        return f"{day.day}. {_MONTHS_DE[day.month - 1]} {day.year}"
    return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"


def clock(moment: datetime, language: Language) -> str:
    """``17:56:30,940`` in German legal time, to the millisecond."""
    at = local(moment)
    separator = "," if language == "de" else "."
    return f"{at:%H:%M:%S}{separator}{at.microsecond // 1000:03}"


def exact(moment: datetime, language: Language) -> str:
    """``So, 22.11.2026, 17:56:30,940 MEZ``; summer time shows as MESZ (CET and CEST)."""
    at = local(moment)
    zones = {"CET": "MEZ", "CEST": "MESZ"} if language == "de" else {}
    zone = at.tzname() or ""
    day = short_day(at.date(), language)
    return f"{day}, {clock(moment, language)} {zones.get(zone, zone)}"
