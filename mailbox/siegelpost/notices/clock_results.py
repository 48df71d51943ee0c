"""A result of the legal clock as JSON, what makes two results different, and when to look again.

Pure. The JSON is what the API answers, receipts carry and the table of results keeps; days are
ISO 8601, times as in evidence.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Any

from siegelpost.deadlines import ADVICE_DE, FACTS_DE, Result, State, Step
from siegelpost.deadlines.calendar import BERLIN, day
from siegelpost.evidence import canonical
from siegelpost.evidence.times import format_time
from siegelpost.notices.legal_clock import used_events
from siegelpost.store.fsck.deadline_checks import VOLATILE

#: Said wherever a result is shown.
DISCLAIMER_DE = (
    "Rechtlich unverbindliche Auskunft, berechnet aus den bis dahin bekannten Ereignissen. "
    "Spätere Ereignisse können sie ändern."
)
DISCLAIMER_EN = (
    "Information without legal force, computed from the events known by then. Later events may "
    "change it."
)


def as_json(result: Result, computed_at: datetime) -> dict[str, Any]:
    """The whole result; values are text, integers, booleans, lists, objects and null only."""
    return {
        "computed_at": format_time(computed_at),
        "disclaimer_de": DISCLAIMER_DE,
        "disclaimer_en": DISCLAIMER_EN,
        "state": result.state.value,
        "deemed": _iso(result.deemed),
        "end": _iso(result.end),
        "open_until": _iso(result.open_until),
        "rule": result.rule,
        "rule_set": result.rule_set,
        "provisional": result.provisional,
        "legal_basis": list(result.legal_basis),
        "reasons": [_step(step) for step in result.reasons],
        "review": [
            {"code": review.code, "source": review.source, "de": review.de, "en": review.en}
            for review in result.review
        ],
        "advice": [{"code": advice.value, "de": ADVICE_DE[advice]} for advice in result.advice],
        "what_if": [
            {
                "de": change.de,
                "en": change.en,
                "rule": change.rule,
                "deemed": _iso(change.deemed),
                "end": _iso(change.end),
            }
            for change in result.what_if
        ],
        "events": list(used_events(result)),
    }


def digest(value: dict[str, Any]) -> bytes:
    """SHA-256 of what makes a result differ from the one before.

    The moment of computing and the questions of the kind "if it were opened today" change daily
    and say nothing new.
    """
    kept = {name: part for name, part in value.items() if name not in VOLATILE}
    return hashlib.sha256(canonical.encode(kept)).digest()


def next_look_at(result: Result, now: datetime) -> datetime | None:
    """When the passing of days may change the result: the beginning of a day in Germany, or None.

    A window that is open is looked at every day, because its reasons for review may change.
    """
    today = day(now)
    tomorrow = today + timedelta(days=1)
    days = []
    if result.state is State.OPEN:
        days.append(tomorrow)
    if result.deemed is not None and result.deemed > today:
        days.append(result.deemed)
    if result.end is not None and result.end >= today:
        days.append(result.end + timedelta(days=1))
    return begin_of(min(days)) if days else None


def begin_of(day_: date) -> datetime:
    """The first moment of a day in Germany."""
    return datetime.combine(day_, time(0), BERLIN)


def _step(step: Step) -> dict[str, Any]:
    return {
        "de": step.de,
        "en": step.en,
        "mark": step.mark.value,
        "used": [
            {
                "fact": used.fact,
                "label_de": FACTS_DE.get(used.fact, used.fact),
                "at": None if used.at is None else format_time(used.at),
                "event": used.event_id,
            }
            for used in step.used
        ],
    }


def _iso(day_: date | None) -> str | None:
    return None if day_ is None else day_.isoformat()
