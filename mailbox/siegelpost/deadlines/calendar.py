"""Days, months and holidays as the law counts them.

Implements `day`, `months` and `roll` of the law file: a day is a date in Europe/Berlin,
never 24 hours and never the UTC date; a month ends on the day of the same number or on the
month's last day (§ 64(2) SGG, § 188 BGB); a period that ends on a Saturday, Sunday or
holiday ends on the next working day (§ 64(3) SGG, § 193 BGB).

The holidays come from python-holidays, cached per place and year. Does not know what a
period is for.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from siegelpost.deadlines.facts import FactsError, Place

BERLIN = ZoneInfo("Europe/Berlin")

#: The sixteen states; python-holidays also knows the city of Augsburg, which is no ISO code.
PLACES = frozenset(map(Place, (
    "DE-BB", "DE-BE", "DE-BW", "DE-BY", "DE-HB", "DE-HE", "DE-HH", "DE-MV",
    "DE-NI", "DE-NW", "DE-RP", "DE-SH", "DE-SL", "DE-SN", "DE-ST", "DE-TH",
)))  # fmt: skip

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


def day(at: datetime) -> date:
    """The legal day of a moment: its date in Germany."""
    return at.astimezone(BERLIN).date()


def add_days(start: date, count: int) -> date:
    """The day `count` days after `start`; the first day is not counted (§ 187(1) BGB)."""
    return start + timedelta(days=count)


def add_months(start: date, count: int) -> date:
    """The day of the same number `count` months later, clipped to the month's end."""
    years, month = divmod(start.month - 1 + count, 12)
    year = start.year + years
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _subdivision(place: Place) -> str:
    if place not in PLACES:
        raise FactsError(f"unknown place {place!r}: one of DE-BB to DE-TH is needed")
    return place.removeprefix("DE-")


@lru_cache(maxsize=2048)
def public_holidays(place: Place, year: int) -> frozenset[date]:
    """All public holidays of a German state in a year. Raises FactsError for other places."""
    return frozenset(holidays.country_holidays("DE", _subdivision(place), years=year))


@lru_cache(maxsize=2048)
def local_holidays(place: Place, year: int) -> frozenset[date]:
    """Holidays that hold only in some municipalities of the state.

    Mariä Himmelfahrt and the peace festival of Augsburg in Bavaria, Fronleichnam in parts of
    Saxony and Thuringia. An ISO 3166-2 code cannot tell which municipality is meant.
    """
    subdivision = _subdivision(place)
    catholic = holidays.country_holidays(
        "DE", subdivision, years=year, categories=("public", "catholic")
    )
    local = set(catholic) - public_holidays(place, year)
    if subdivision == "BY":
        local.add(date(year, 8, 8))
    return frozenset(local)


def is_working_day(day_: date, place: Place) -> bool:
    """Whether it is neither Saturday nor Sunday nor a public holiday of the place."""
    return day_.weekday() < _SATURDAY and day_ not in public_holidays(place, day_.year)


def roll(day_: date, place: Place) -> date:
    """The day itself if it is a working day of the place, else the next one."""
    while not is_working_day(day_, place):
        day_ += _ONE_DAY
    return day_


def is_local_holiday(day_: date, place: Place) -> bool:
    """Whether a working day of the state is a holiday in some of its municipalities."""
    return is_working_day(day_, place) and day_ in local_holidays(place, day_.year)


@lru_cache(maxsize=2048)
def _holiday_names(place: Place, year: int) -> dict[date, str]:
    return dict(
        holidays.country_holidays("DE", _subdivision(place), years=year, language="de").items()
    )


def name_holiday(day_: date, place: Place) -> str:
    """Why a day is no working day, in German: "Samstag", "Sonntag" or the holiday's name."""
    if day_ in public_holidays(place, day_.year):
        return _holiday_names(place, day_.year)[day_]
    return "Samstag" if day_.weekday() == _SATURDAY else "Sonntag"


_GERMAN = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]
_ENGLISH = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@lru_cache(maxsize=4096)
def german(day_: date) -> str:
    """A date for German readers, "Fr, 27.11.2026"."""
    return f"{_GERMAN[day_.weekday()]}, {day_.day:02}.{day_.month:02}.{day_.year}"


@lru_cache(maxsize=4096)
def english(day_: date) -> str:
    """A date for English readers, "Fri 2026-11-27"."""
    return f"{_ENGLISH[day_.weekday()]} {day_.isoformat()}"
