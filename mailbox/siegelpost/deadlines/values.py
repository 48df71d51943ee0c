"""The values of one example: times, truths and choices out of untrusted JSON.

Local times without a zone are read as Europe/Berlin, in the hour that the autumn clock change
repeats as the first one. A fact may carry its evidence event: `{"at": ..., "event_id": ...}`.
Knows no fact by name.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar

from siegelpost.deadlines.calendar import BERLIN
from siegelpost.deadlines.facts import Dated, EventId, FactsError, Stated
from siegelpost.deadlines.keys import IGNORED, canonical

#: Outside these years the calendar and the law know nothing.
FIRST_YEAR, LAST_YEAR = 1990, 2200
#: No key or value that matters is longer, in characters.
LONGEST_VALUE = 100

_E = TypeVar("_E", bound=StrEnum)


class Values:
    """The values of one example under their canonical names."""

    def __init__(self, example: Mapping[Any, Any]) -> None:
        self.raw: dict[str, Any] = {}
        self.unknown: list[str] = []
        self.assumed: list[str] = []
        for key, value in example.items():
            name = canonical(str(key))
            if name is not None:
                if name in self.raw and self.raw[name] != value:
                    raise FactsError(f"{name} is given twice with different values")
                self.raw[name] = value
            elif str(key).lower() not in IGNORED:
                self.unknown.append(str(key)[:LONGEST_VALUE])

    def has(self, name: str) -> bool:
        """Whether the example mentions the fact at all."""
        return name in self.raw

    def dated(self, name: str, *, at_day: time = time(12)) -> Dated | None:
        """A fact that needs a time; null and false mean that there is none."""
        value, event = self._split(name)
        if value is None or value is False:
            return None
        if not isinstance(value, str):
            raise FactsError(f"{name}: a time in ISO 8601 is needed, not {value!r}")
        return Dated(at=parse_moment(name, value, at_day), event_id=event)

    def stated(self, name: str) -> Stated | None:
        """A fact that may be just true, or carry its time."""
        value, event = self._split(name)
        if value is True:
            return Stated(event_id=event)
        fact = self.dated(name)
        return None if fact is None else Stated(at=fact.at, event_id=fact.event_id)

    def flag(self, name: str) -> bool:
        """A plain true or false; absent and null are false."""
        value, _ = self._split(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise FactsError(f"{name}: true or false is needed, not {str(value)[:40]!r}")

    def is_time(self, name: str) -> bool:
        """Whether the value is written as a text, so as a time."""
        return isinstance(self._split(name)[0], str)

    def choice(self, name: str, table: Mapping[object, _E]) -> _E:
        """One of a few known values."""
        value, _ = self._split(name)
        if isinstance(value, str):
            value = value.strip().lower().replace("-", "_").replace(" ", "_")
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value not in table:
            raise FactsError(f"{name}: unknown value {str(value)[:LONGEST_VALUE]!r}")
        return table[value]

    def _split(self, name: str) -> tuple[Any, EventId | None]:
        value = self.raw.get(name)
        event = None
        if isinstance(value, Mapping):
            named = value.get("event_id", value.get("event"))
            event = None if named is None else EventId(str(named)[:LONGEST_VALUE])
            value = value.get("at", True)
        if isinstance(value, list | Mapping):
            raise FactsError(f"{name}: one value is needed, not several")
        return value, event


def parse_moment(name: str, text: str, at_day: time) -> datetime:
    """An ISO 8601 time as aware UTC; without a zone it is local time in Germany."""
    if len(text) > LONGEST_VALUE:
        raise FactsError(f"{name}: too long for a time")
    try:
        if len(text) == len("2026-11-23"):
            moment = datetime.combine(date.fromisoformat(text), at_day)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FactsError(f"{name}: no ISO 8601 time: {text!r}") from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise FactsError(f"{name}: the year {moment.year} is out of range")
    return (moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)).astimezone(UTC)
