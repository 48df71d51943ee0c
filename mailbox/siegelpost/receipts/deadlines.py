"""The legal clock's result of a receipt, for documents: read as it stands, never recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.times import parse_time
from siegelpost.receipts.texts import breakable
from siegelpost.receipts.timeline import Mark
from siegelpost.receipts.times import exact, short_day
from siegelpost.receipts.words import Language

#: English names of the facts that the clock's reasons use; German ones are in the receipt.
_FACTS_EN = {
    "issued": "notice issued",
    "provided": "providing",
    "alert_sent": "alert sent",
    "alert_failed": "alert failed",
    "alert_delivered": "alert delivered",
    "disputed": "receipt disputed",
    "alert_received": "alert received",
    "retrieved": "retrieval",
    "consent_given": "consent",
    "consent_revoked": "consent revoked",
    "withdrawn": "withdrawal",
    "paper_sent": "sent by post",
}


@dataclass(frozen=True, kw_only=True)
class DeadlineView:
    """What a receipt says about the deadline."""

    #: served | expected | open | not-served | refused, or a later word.
    state: str
    #: The day on which the notice counts as served, if any.
    deemed: date | None
    #: Last day of the objection period, if one is stated.
    end: date | None
    #: Last day on which it can be retrieved, while that is open.
    open_until: date | None
    #: Whether later events may change it.
    provisional: bool
    #: Why a lawyer should look at it.
    review: tuple[Mapping[str, Json], ...]
    #: The whole, for the rest.
    value: Mapping[str, Json]

    def view(self, words: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """The template's part about the deadline."""
        value = self.value
        return {
            "reasons": [
                {
                    "text": _said(reason, language),
                    "mark": _text(reason, "mark"),
                    "used": "; ".join(_used(used, language) for used in _items(reason, "used")),
                }
                for reason in _items(value, "reasons")
            ],
            "review": [
                f"{_said(one, language)} ({breakable(_text(one, 'source'))})" for one in self.review
            ],
            "advice": [breakable(_text(one, "de")) for one in _items(value, "advice")],
            "what_if": [_what_if(one, value, words, language) for one in _items(value, "what_if")],
            "facts": [
                {"name": words["legal_basis"], "value": breakable("; ".join(_basis(value)))},
                {"name": words["rule"], "value": breakable(_text(value, "rule"))},
                {"name": words["rule_set"], "value": breakable(_text(value, "rule_set"))},
            ],
            "disclaimer": breakable(_text(value, f"disclaimer_{language}")),
        }


def read_deadline(value: Mapping[str, Json] | None) -> DeadlineView | None:
    """The result as a receipt holds it; FormatError for a day that is none."""
    if value is None:
        return None
    return DeadlineView(
        state=_text(value, "state"),
        deemed=_day(value, "deemed"),
        end=_day(value, "end"),
        open_until=_day(value, "open_until"),
        provisional=value.get("provisional") is True,
        review=tuple(_items(value, "review")),
        value=value,
    )


def marks_of(deadline: DeadlineView, words: Mapping[str, Any]) -> list[Mark]:
    """The days of law as rows of the timeline."""
    marks = []
    if deadline.deemed is not None:
        basis = next(iter(_basis(deadline.value)), "")
        marks.append(Mark(at=deadline.deemed, label=words["mark_deemed"], detail=basis))
    if deadline.open_until is not None:
        marks.append(Mark(at=deadline.open_until, label=words["open_until"]))
    if deadline.end is not None:
        marks.append(Mark(at=deadline.end, label=words["mark_end"], detail=words["midnight"]))
    return marks


def _what_if(
    value: Mapping[str, Json],
    now: Mapping[str, Json],
    words: Mapping[str, Any],
    language: Language,
) -> str:
    deemed, end = _day(value, "deemed"), _day(value, "end")
    parts = [words["then_not"]]
    if deemed is not None:
        parts = [f"{words['then_served']} {short_day(deemed, language)}"]
    if end is not None:
        parts.append(f"{words['then_end']} {short_day(end, language)}")
    if all(_day(value, name) == _day(now, name) for name in ("deemed", "end")):
        parts.append(words["then_same"])
    said = _said(value, language)
    return f"{said[:1].upper()}{said[1:]}: {', '.join(parts)}."


def _used(value: Mapping[str, Json], language: Language) -> str:
    fact = _text(value, "fact")
    label = _text(value, "label_de") if language == "de" else _FACTS_EN.get(fact, fact)
    at = value.get("at")
    if isinstance(at, str):
        label = f"{label}, {exact(parse_time(at), language)}"
    return breakable(label)


def _said(value: Mapping[str, Json], language: Language) -> str:
    return breakable(_text(value, language) or _text(value, "de"))


def _basis(value: Mapping[str, Json]) -> list[str]:
    found = value.get("legal_basis")
    return [part for part in found if isinstance(part, str)] if isinstance(found, list) else []


def _items(value: Mapping[str, Json], name: str) -> Sequence[Mapping[str, Json]]:
    found = value.get(name)
    if not isinstance(found, list):
        return []
    return [part for part in found if isinstance(part, Mapping)]


def _text(value: Mapping[str, Json], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _day(value: Mapping[str, Json], name: str) -> date | None:
    text = _text(value, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise FormatError(f"deadline: {name} is no day") from None
