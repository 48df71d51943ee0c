"""What the PDF of a receipt says: its JSON as texts for the template, nothing verified, pure.

The template (templates/receipts) lays out; here is chosen what is shown and how it reads. Whatever
facts hold is shown as text; what the template's fonts cannot show stands as its code point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import parse_checkpoint
from siegelpost.evidence.events import Event, EventType, parse_event
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.receipt import Receipt, ReceiptEvent
from siegelpost.evidence.times import format_time
from siegelpost.receipts.deadlines import DeadlineView, marks_of, read_deadline
from siegelpost.receipts.details import detail_of, name_of, stop_of
from siegelpost.receipts.mails import MAIL_EVENTS, mail_view
from siegelpost.receipts.texts import breakable, shown
from siegelpost.receipts.timeline import Mark, timeline_svg
from siegelpost.receipts.times import exact, long_day, short_day
from siegelpost.receipts.words import Language, event_words, say

#: Width of the timeline's drawing, in its own px.
_PICTURE = 700
_COMMAND = "siegelpost verify {file} --trust trust.json"


@dataclass(frozen=True, kw_only=True)
class _Read:
    event: Event
    leaf: int


def content(
    receipt: Receipt,
    data: bytes,
    words: Mapping[str, Any],
    *,
    language: Language,
    agency_name: str | None = None,
) -> dict[str, Any]:
    """All that the template shows, as JSON values; `data` are the receipt's bytes.

    FormatError if an event, the checkpoint or the deadline is malformed.
    """
    events = [_read(item) for item in receipt.events]
    before = sorted((_read(item) for item in receipt.mailbox_events), key=lambda one: one.leaf)
    deadline = read_deadline(receipt.deadline)
    made = exact(receipt.made_at, language)
    service = receipt.origin.removesuffix("/log")
    agency = f"{agency_name} ({receipt.agency})" if agency_name else receipt.agency
    return {
        "notice": receipt.notice,
        "service": shown(service),
        "made": made,
        "about": [
            _fact(words["notice"], receipt.notice),
            _fact(words["agency"], agency),
            _fact(words["service"], service),
            _fact(words["made"], made),
        ],
        "result": _result(deadline, events, words, language),
        "timeline": _timeline(receipt, [*before, *events], deadline, words, language),
        "deadline": None if deadline is None else deadline.view(words, language),
        "events": [_event(number, one, words, language) for number, one in enumerate(events, 1)],
        "before": [_event(number, one, words, language) for number, one in enumerate(before, 1)],
        "mails": [
            mail_view(one.event, words, language) for one in events if one.event.type in MAIL_EVENTS
        ],
        "documents": _documents(receipt, words),
        "proves": _proves(receipt, events, words),
        "proves_not": _proves_not(receipt, events, words),
        "command": _COMMAND.format(file=words["any_file"]),
        "attachment": [
            _fact(words["attachment"], f"receipt.json, {len(data)} {words['bytes']}"),
            _fact("SHA-256", hashlib.sha256(data).hexdigest(), mono=True),
        ],
        "technical": _technical(receipt, words, language),
    }


def _read(item: ReceiptEvent) -> _Read:
    return _Read(event=parse_event(item.body), leaf=item.leaf_index)


def _timeline(
    receipt: Receipt,
    events: Iterable[_Read],
    deadline: DeadlineView | None,
    words: Mapping[str, Any],
    language: Language,
) -> str:
    stops = [
        replace(stop, detail=shown(stop.detail))
        for stop in (
            stop_of(one.event.type, one.event.time_at, one.event.facts, language) for one in events
        )
    ]
    marks = [Mark(at=receipt.made_at, label=words["mark_made"], tone="quiet")]
    if deadline is not None:
        marks += marks_of(deadline, words)
    picture = timeline_svg(
        stops, marks=marks, language=language, width=_PICTURE, font="Libertinus Serif"
    )
    return shown(picture)


def _result(
    deadline: DeadlineView | None,
    events: Sequence[_Read],
    words: Mapping[str, Any],
    language: Language,
) -> dict[str, Any]:
    cells = []
    if deadline is None:
        cells += [_cell(words["result"], words["no_result"], large=True)]
    elif deadline.deemed is not None:
        name = words["expected_on" if deadline.state == "expected" else "served_on"]
        cells += [_cell(name, _day(deadline.deemed, language), large=True)]
    elif deadline.state == "open" and deadline.open_until is not None:
        cells += [
            _cell(words["open_until"], _day(deadline.open_until, language), large=True),
        ]
    else:
        cells += [_cell(words["result"], words["not_served"], large=True)]
    if deadline is not None:
        if deadline.end is None:
            cells += [_cell(words["period_ends"], words["no_period"])]
        else:
            end = _day(deadline.end, language)
            cells += [_cell(words["period_ends"], end, words["midnight"], large=True)]
    for kind, name, absent in (
        (EventType.RETRIEVED, "retrieved", words["retrieved_no"]),
        (EventType.ACKNOWLEDGED, "opened", words["opened_no"]),
    ):
        first = next((one.event for one in events if one.event.type is kind), None)
        note = words["opened_yes"] if first and kind is EventType.ACKNOWLEDGED else ""
        cells += [_cell(words[name], exact(first.time_at, language) if first else absent, note)]
    notes = []
    if deadline is not None and deadline.provisional:
        notes.append(words["provisional"])
    if deadline is not None and deadline.review:
        notes.append(words["review"] + ".")
    served = deadline is not None and deadline.deemed is not None
    bad = deadline is not None and not served and deadline.state != "open"
    tone = "bad" if bad else "good" if served and not notes else "law"
    return {"tone": tone, "cells": cells, "note": " ".join(notes)}


def _event(number: int, one: _Read, words: Mapping[str, Any], language: Language) -> dict[str, Any]:
    event = one.event
    said = event_words(event.type, event.facts)
    at = exact(event.time_at, language)
    day, _, rest = at.rpartition(", ")
    return {
        "number": str(number),
        "day": day,
        "clock": rest,
        "utc": format_time(event.time_at),
        "name": name_of(event.type, event.facts, language),
        "shows": say(said.shows, language),
        "shows_not": say(said.shows_not, language),
        "detail": breakable(detail_of(event.type, event.facts, language)),
        "trace": breakable(f"{words['leaf']} {one.leaf} · {words['actor']} {_actor(event, words)}"),
    }


def _actor(event: Event, words: Mapping[str, Any]) -> str:
    role, _, name = event.actor.partition(":")
    return f"{words['actors'].get(role, role)} {name}".strip()


def _documents(receipt: Receipt, words: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{words['document']} {number}",
            "size": "" if document.size is None else f"{document.size} {words['bytes']}",
            "facts": [
                _fact(words["commitment"], document.commitment.hex(), mono=True),
                _fact(
                    words["salt"],
                    words["withheld"] if document.salt is None else document.salt.hex(),
                    mono=document.salt is not None,
                ),
            ],
        }
        for number, document in enumerate(receipt.documents, 1)
    ]


def _proves(receipt: Receipt, events: Sequence[_Read], words: Mapping[str, Any]) -> list[str]:
    found = list(words["yes"])
    if any(one.event.type is EventType.ACKNOWLEDGED for one in events):
        found.append(words["yes_acknowledged"])
    if _replied(events):
        found.append(words["yes_replied"])
    if receipt.timestamps:
        found.append(words["yes_dated"])
    return found


def _proves_not(receipt: Receipt, events: Sequence[_Read], words: Mapping[str, Any]) -> list[str]:
    found = list(words["no"])
    if _replied(events):
        found.append(words["no_replied"])
    if not receipt.timestamps:
        found.append(words["no_undated"])
    return found


def _replied(events: Sequence[_Read]) -> bool:
    return any(one.event.type is EventType.REPLIED for one in events)


def _technical(
    receipt: Receipt, words: Mapping[str, Any], language: Language
) -> list[dict[str, Any]]:
    text, signatures = split_note(receipt.checkpoint)
    head = parse_checkpoint(text)
    count = len(receipt.timestamps)
    dated = f"{count} {words['timestamps_count']}" if count else words["timestamps_none"]
    made = format_time(receipt.made_at)
    return [
        _fact(words["log"], receipt.origin),
        _fact(words["checkpoint"], f"{head.size} {words['entries']}:"),
        _fact("", head.root.hex(), mono=True),
        _fact(words["signatures"], ", ".join(signature.name for signature in signatures)),
        _fact(words["timestamps"], dated),
        _fact(words["mailbox"], receipt.mailbox),
        _fact(f"{words['made']} ({words['utc']})", made),
    ]


def _day(day: date, language: Language) -> str:
    weekday = short_day(day, language).partition(",")[0]
    return f"{weekday}, {long_day(day, language)}"


def _cell(name: str, value: str, note: str = "", *, large: bool = False) -> dict[str, Any]:
    return {"name": name, "value": value, "note": note, "large": large}


def _fact(name: str, value: str, *, mono: bool = False) -> dict[str, Json]:
    return {"name": name, "value": breakable(value), "mono": mono}
