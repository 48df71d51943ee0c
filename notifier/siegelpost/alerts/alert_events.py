"""The events that an alert's outcome writes, and in them what they prove and what not (pure).

DESIGN sections 3 and 8, law: the authority must prove that the alert arrived (§ 37(2a) SGB X).
`alert-sent` means that the next mail server took the mail: evidence of sending, with its time, and
good but not certain evidence of arrival. Only a notification of delivery, or the citizen's own
retrieval, says more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import MAX_BODY, EventType
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.store.events import EventDraft
from siegelpost.store.outbox import CODE_KINDS, ClaimedAlert
from siegelpost.store.tasks import TaskDraft, TaskKind

#: What each event says about itself; part of its body, so that it can be read without this code.
PROVES: Mapping[EventType, str] = {
    EventType.ALERT_SENT: (
        "At the recorded time the named mail server took responsibility for this mail to this "
        "address, with the recorded words (RFC 5321, 6.1)."
    ),
    EventType.ALERT_FAILED: (
        "The mail could not be handed to a mail server: refused for good, or put off until its "
        "time was over, with the recorded words."
    ),
}
DOES_NOT_PROVE: Mapping[EventType, str] = {
    EventType.ALERT_SENT: (
        "That the mail arrived in the recipient's mailbox, or was read: accepted by the next "
        "server is not arrived. A bounce may still come, days later."
    ),
    EventType.ALERT_FAILED: (
        "That the recipient got nothing: where an answer was lost, a copy may have gone out."
    ),
}

#: How many earlier attempts an event lists, newest kept; all are in the table of attempts.
EARLIER_LIMIT = 60
_EARLIER_WORDS = 120
#: Bytes of an event beside its facts, at most; characters of a value where the whole is too large.
_EVENT_FRAME, _CUT_WORDS = 2048, 500
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def outcome_event(
    event: EventType,
    alert: ClaimedAlert,
    *,
    at: datetime,
    evidence: Mapping[str, Json],
    earlier: Sequence[Mapping[str, Json]] = (),
) -> EventDraft | None:
    """Return the event about `alert`, or None for mails that concern no notice.

    `evidence` is the last attempt's; `earlier` holds those before, as `summary` makes them.
    """
    if alert.kind in CODE_KINDS or alert.notice is None:
        return None
    facts: dict[str, Json] = {
        "alert": alert.id,
        "kind": alert.kind.value,
        "address": alert.email,
        "attempt": alert.attempt,
        "submission": dict(evidence),
        "earlier_attempts": [dict(one) for one in earlier[-EARLIER_LIMIT:]],
        "proves": PROVES[event],
        "does_not_prove": DOES_NOT_PROVE[event],
    }
    if not _fits(facts):
        # An outcome that cannot be recorded would send the mail again and again.
        facts |= {"submission": _cut_down(evidence), "earlier_attempts": []}
    return EventDraft(
        type=event,
        at=at,
        agency=None if alert.agency is None else AgencyId(alert.agency),
        notice=NoticeId(alert.notice),
        mailbox=None if alert.mailbox is None else MailboxId(alert.mailbox),
        actor="service",
        facts=facts,
    )


def _fits(facts: Mapping[str, Json]) -> bool:
    # Order doesn't change the length, and putting all in order twice would cost each alert more
    # than composing its mail.
    try:
        return len(_JSON.encode(facts).encode()) <= MAX_BODY - _EVENT_FRAME
    except (TypeError, ValueError):  # nothing that canonical JSON would take
        return False


def _cut_down(evidence: Mapping[str, Json]) -> dict[str, Json]:
    """Return what of `evidence` fits into any event: its plain values."""
    kept: dict[str, Json] = {"cut": "too large for an event; all is in the table of attempts"}
    for name, value in evidence.items():
        if isinstance(value, str):
            kept[name] = ascii(value)[1:-1][:_CUT_WORDS]
        elif value is None or isinstance(value, (bool, int)):
            kept[name] = value
    return kept


def failure_tasks(
    event: EventType | None, alert: ClaimedAlert, evidence: Mapping[str, Json]
) -> list[TaskDraft]:
    """Return the agency's task if `event` says that the alert failed, without personal data."""
    if event is not EventType.ALERT_FAILED or alert.notice is None or alert.agency is None:
        return []
    said = {name: evidence.get(name) for name in ("verdict", "reason", "step", "code", "status")}
    return [
        TaskDraft(
            kind=TaskKind.ALERT_FAILED,
            agency=AgencyId(alert.agency),
            notice=NoticeId(alert.notice),
            alert=alert.id,
            facts={"alert_kind": alert.kind.value, "attempts": alert.attempt, **said},
        )
    ]


def summary(number: int, evidence: Mapping[str, Json]) -> dict[str, Json]:
    """Return an earlier attempt in few words."""
    words = evidence.get("words")
    return {
        "attempt": number,
        "ended_at": evidence.get("ended_at"),
        "verdict": evidence.get("verdict"),
        "reason": evidence.get("reason"),
        "step": evidence.get("step"),
        "words": words[:_EARLIER_WORDS] if isinstance(words, str) else None,
    }
