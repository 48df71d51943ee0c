"""Times and days as documents write them; most are `siegelpost.evidence.spoken`'s."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from siegelpost.evidence.spoken import clock, exact, local, short_day
from siegelpost.receipts.words import Language

__all__ = ["BERLIN", "clock", "exact", "local", "long_day", "short_day"]

BERLIN = ZoneInfo("Europe/Berlin")

_MONTHS_DE = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
_MONTHS_EN = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def long_day(day: date, language: Language) -> str:
    """``22. November 2026`` or ``22 November 2026``."""
    if language == "de":
        return f"{day.day}. {_MONTHS_DE[day.month - 1]} {day.year}"
    return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"
