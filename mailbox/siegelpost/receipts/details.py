"""What an event's facts add to its name, in one line: the server's words, an address, a time.

Facts are read leniently: what is missing or of another shape is left out, because a document must
also show events that it does not understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import Text
from siegelpost.evidence.times import parse_time
from siegelpost.receipts.timeline import Stop
from siegelpost.receipts.times import exact
from siegelpost.receipts.words import Language, event_words, say

#: Kind of mail → how its events are called, by type; the first alert has the type's own name.
_REMINDERS: Mapping[str, Mapping[str, Text]] = {
    kind: {
        EventType.ALERT_SENT: Text(de=f"{de} abgesandt", en=f"{en} sent"),
        EventType.ALERT_DELIVERED: Text(
            de=f"{de} zugestellt gemeldet", en=f"{en} reported as delivered"
        ),
        EventType.ALERT_FAILED: Text(de=f"{de} gescheitert", en=f"{en} failed"),
    }
    for kind, de, en in (
        ("reminder", "Erinnerung", "Reminder"),
        ("deadline-reminder", "Fristerinnerung", "Deadline reminder"),
    )
}

_MAILS = frozenset(
    {
        EventType.ALERT_SENT,
        EventType.ALERT_DELIVERED,
        EventType.ALERT_FAILED,
        EventType.ALERT_DELAYED,
        EventType.ALERT_RELAYED,
    }
)


def stop_of(kind: str, at: datetime, facts: Mapping[str, Json], language: Language) -> Stop:
    """The event as a row of the timeline."""
    return Stop(
        kind=kind,
        at=at,
        name=name_of(kind, facts, language),
        detail=detail_of(kind, facts, language),
    )


def name_of(kind: str, facts: Mapping[str, Json], language: Language) -> str:
    """What the event is called: reminders by their own name, all others by their type."""
    mail = facts.get("kind")
    special = _REMINDERS.get(mail, {}).get(kind) if isinstance(mail, str) else None
    return say(special or event_words(kind, facts).name, language)


def detail_of(kind: str, facts: Mapping[str, Json], language: Language) -> str:
    """One line, or an empty one."""
    if kind in _MAILS:
        return _of_mail(facts)
    if kind == EventType.PAPER_SENT:
        return _moment(facts.get("posted_at"), language)
    if kind == EventType.ALERT_DISPUTED:
        return _of_dispute(facts, language)
    if kind in (EventType.REPLIED, EventType.REPLY_FETCHED):
        return _of_reply(facts, language)
    return ""


def _of_mail(facts: Mapping[str, Json]) -> str:
    report = facts.get("report")
    if isinstance(report, Mapping):
        server = _text(report.get("remote_mta")) or _text(report.get("reporting_mta"))
        words = _text(report.get("remote_words")) or _text(report.get("status"))
        return _join(server, words)
    submission = facts.get("submission")
    if not isinstance(submission, Mapping):
        reply = facts.get("reply")
        lines = reply if isinstance(reply, list) else []
        return " ".join(line for line in lines if isinstance(line, str))
    connection = submission.get("connection")
    host = _text(connection.get("host")) if isinstance(connection, Mapping) else ""
    code = submission.get("code")
    words = _text(submission.get("words"))
    return _join(host, f"{code} {words}".strip() if isinstance(code, int) else words)


def _of_dispute(facts: Mapping[str, Json], language: Language) -> str:
    if facts.get("claim") != "received-late":
        return ""
    moment = _moment(facts.get("received_at"), language)
    said = Text(de=f"erst angekommen: {moment}", en=f"arrived only: {moment}")
    return say(said, language) if moment else ""


def _of_reply(facts: Mapping[str, Json], language: Language) -> str:
    which, size = _text(facts.get("reply")), facts.get("size")
    sealed = Text(de=f"{size} Byte versiegelt", en=f"{size} bytes sealed")
    helper = Text(de="von einer Vertrauensperson", en="by a delegate")
    parts = [
        which,
        say(sealed, language) if isinstance(size, int) else "",
        say(helper, language) if _text(facts.get("mandate")) else "",
    ]
    return ", ".join(part for part in parts if part)


def _moment(value: Json, language: Language) -> str:
    try:
        return exact(parse_time(value), language) if isinstance(value, str) else ""
    except FormatError:
        return ""


def _join(server: str, words: str) -> str:
    return ": ".join(part for part in (server, words) if part)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
