"""Days, months, holidays: the calendar under the clock, against the naive one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from siegelpost.deadlines.calendar import (
    add_months,
    day,
    is_working_day,
    local_holidays,
    name_holiday,
    public_holidays,
    roll,
)
from siegelpost.deadlines.facts import FactsError, Place
from tests.support import naive_clock
from tests.support.deadline_cases import PLACES


@pytest.mark.parametrize("place", PLACES)
def test_working_days_of_every_state_from_2024_to_2043(place: str) -> None:
    today = date(2024, 1, 1)
    while today.year < 2044:
        assert is_working_day(today, Place(place)) == naive_clock.works(place[3:], today), today
        today += timedelta(days=1)


@pytest.mark.parametrize("place", PLACES)
def test_local_holidays_are_those_of_some_municipalities(place: str) -> None:
    for year in range(2024, 2044):
        expected = {
            date(year, 1, 1) + timedelta(days=number)
            for number in range(365)
            if naive_clock.somewhere_a_holiday(place[3:], date(year, 1, 1) + timedelta(number))
        }
        assert local_holidays(Place(place), year) == expected


def test_carnival_and_christmas_eve_are_working_days_in_nrw() -> None:
    assert is_working_day(date(2026, 2, 16), Place("DE-NW"))
    assert is_working_day(date(2026, 12, 24), Place("DE-NW"))
    assert len(public_holidays(Place("DE-NW"), 2026)) == 11


def test_day_is_the_local_date_through_both_clock_changes() -> None:
    for change in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        for minute in range(3 * 24 * 60):
            at = change + timedelta(minutes=minute)
            assert day(at) == naive_clock.local_day(at), at


def test_midnight_in_berlin_is_not_midnight_in_utc() -> None:
    assert day(datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC)) == date(2026, 7, 1)
    assert day(datetime(2026, 7, 1, 22, 0, tzinfo=UTC)) == date(2026, 7, 2)
    assert day(datetime(2026, 1, 1, 22, 59, 59, tzinfo=UTC)) == date(2026, 1, 1)
    assert day(datetime(2026, 1, 1, 23, 0, tzinfo=UTC)) == date(2026, 1, 2)


def test_months_are_clipped_to_the_month_end() -> None:
    assert add_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    start = date(2027, 1, 1)
    for number in range(800):
        for count in (1, 3, 12):
            begun = start + timedelta(days=number)
            assert add_months(begun, count) == naive_clock.months_later(begun, count)


def test_rolling_passes_christmas_and_new_year() -> None:
    assert roll(date(2026, 12, 25), Place("DE-NW")) == date(2026, 12, 28)
    assert roll(date(2027, 1, 1), Place("DE-NW")) == date(2027, 1, 4)
    assert name_holiday(date(2026, 12, 25), Place("DE-NW")) == "Erster Weihnachtstag"
    assert name_holiday(date(2026, 12, 27), Place("DE-NW")) == "Sonntag"


@pytest.mark.parametrize("place", ["DE", "NW", "DE-XX", "FR-75", "DE-Augsburg", ""])
def test_unknown_place_is_refused(place: str) -> None:
    with pytest.raises(FactsError, match="unknown place"):
        is_working_day(date(2026, 1, 5), Place(place))
