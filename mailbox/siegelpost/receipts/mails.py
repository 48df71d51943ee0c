"""The mail side of a receipt for documents: server, TLS, and every line that was said.

Facts are read leniently, as in `details`: what is missing is left out, nothing is made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.times import parse_time
from siegelpost.receipts.details import name_of
from siegelpost.receipts.texts import breakable
from siegelpost.receipts.times import clock, exact
from siegelpost.receipts.words import Language

#: Types whose facts hold what mail servers said.
MAIL_EVENTS = frozenset(
    {
        EventType.ALERT_SENT,
        EventType.ALERT_DELIVERED,
        EventType.ALERT_FAILED,
        EventType.ALERT_DELAYED,
        EventType.ALERT_RELAYED,
    }
)


def mail_view(event: Event, words: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The template's part about one event of an alert."""
    facts = event.facts
    submission = _part(facts, "submission")
    report = _part(facts, "report")
    connection = _part(submission, "connection")
    rows = [(words["to"], _text(facts, "address"), False)]
    rows += _about_submission(submission, connection, words) if submission else []
    rows += _about_report(report, words, language) if report else []
    return {
        "name": f"{name_of(event.type, facts, language)}, {exact(event.time_at, language)}",
        "facts": [
            {"name": name, "value": breakable(value), "mono": mono}
            for name, value, mono in rows
            if value
        ],
        "lines": [
            line
            for part in (connection, submission)
            for line in _lines(_items(part, "dialogue"), language)
        ],
        "earlier": [
            {
                "number": str(one.get("attempt", "")),
                "at": _moment(one, "ended_at", language),
                "words": breakable(_text(one, "words") or _text(one, "reason")),
            }
            for one in _items(facts, "earlier_attempts")
        ],
    }


def _about_submission(
    submission: Mapping[str, Json], connection: Mapping[str, Json], words: Mapping[str, Any]
) -> list[tuple[str, str, bool]]:
    host, address, port = (_value(connection, name) for name in ("host", "address", "port"))
    server = f"{host} ({address}, Port {port})" if host != address else f"{host}, Port {port}"
    tls = _part(connection, "tls")
    return [
        (words["server"], server if host else "", False),
        (words["tls"], _tls(tls, words) if connection else "", False),
        (words["certificate"], _text(tls, "certificate_sha256"), True),
        (words["message_id"], _text(submission, "message_id"), True),
        (words["message"], _text(submission, "message_sha256"), True),
        (words["queue_id"], _text(submission, "queue_id"), True),
    ]


def _about_report(
    report: Mapping[str, Json], words: Mapping[str, Any], language: Language
) -> list[tuple[str, str, bool]]:
    origin = _part(report, "received_from")
    return [
        (words["report_from"], _text(report, "reporting_mta") or _text(origin, "helo"), False),
        (words["report_at"], _moment(report, "received_at", language), False),
        (words["report_action"], _text(report, "action"), True),
        (words["report_status"], _text(report, "status"), True),
        (words["server"], _text(report, "remote_mta"), False),
        (words["words"], _text(report, "remote_words"), True),
        (words["message"], _text(report, "message_sha256"), True),
    ]


def _tls(tls: Mapping[str, Json], words: Mapping[str, Any]) -> str:
    if not tls:
        return str(words["tls_none"])
    verified = words["tls_verified" if tls.get("verified") is True else "tls_unverified"]
    return f"{_text(tls, 'version')}, {_text(tls, 'cipher')} ({verified})"


def _lines(dialogue: Sequence[Mapping[str, Json]], language: Language) -> list[dict[str, Any]]:
    found = []
    for exchange in dialogue:
        command = _text(exchange, "command")
        if command:
            found.append(_line(_clock(exchange, "sent_at", language), command, ours=True))
        reply = exchange.get("reply")
        at = _clock(exchange, "replied_at", language)
        for line in reply if isinstance(reply, list) else []:
            if isinstance(line, str):
                found.append(_line(at, line, ours=False))
    return found


def _line(at: str, text: str, *, ours: bool) -> dict[str, Any]:
    return {"clock": at, "text": breakable(text), "ours": ours}


def _clock(value: Mapping[str, Json], name: str, language: Language) -> str:
    try:
        return clock(parse_time(_text(value, name)), language)
    except FormatError:
        return ""


def _moment(value: Mapping[str, Json], name: str, language: Language) -> str:
    try:
        return exact(parse_time(_text(value, name)), language)
    except FormatError:
        return ""


def _part(value: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _items(value: Mapping[str, Json], name: str) -> Sequence[Mapping[str, Json]]:
    found = value.get(name)
    if not isinstance(found, list):
        return []
    return [part for part in found if isinstance(part, Mapping)]


def _text(value: Mapping[str, Json], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _value(value: Mapping[str, Json], name: str) -> str:
    found = value.get(name)
    return "" if found is None else str(found)
