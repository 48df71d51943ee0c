"""Dispute: the agency records that the citizen denies the alert's receipt, or says it came late.

Evidence of what was said and by whom it was recorded, nothing more: that the citizen is right is
not decided here. What follows is the legal clock's (§ 37(2a) sentences 5 to 7 SGB X): the agency
must prove the receipt, else the day of retrieval counts, or nothing. So the agency gets a task, in
the same transaction: show the receipt (`siegelpost.notices.arrive`), or send paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import AlertId, EventId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.acting import ForAgency
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.outbox import AlertKind
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks

_alert = tables.core(tables.Alert)


class Claim(StrEnum):
    """What the citizen says."""

    #: the alert never came
    NOT_RECEIVED = "not-received"
    #: it came later than the day from which the law counts, which the agency cannot refute
    RECEIVED_LATE = "received-late"


class ClaimInvalid(NoticeError):
    """The claim cannot be: a late receipt without its time, or times that contradict the alert."""


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """What the agency records."""

    #: what the citizen says
    claim: Claim
    #: when the alert came, if late; aware
    received_at: datetime | None = None
    #: which alert, if the notice has several; None: all
    alert: AlertId | None = None


async def dispute(
    context: Context, sender: ForAgency, notice_id: NoticeId, said: Dispute
) -> tuple[EventId, bool]:
    """Record; return the event's id, and whether it is new: the same claim counts once.

    Raises NoSuchNotice, ClaimInvalid.
    """
    now = context.now()
    if (said.claim is Claim.RECEIVED_LATE) != (said.received_at is not None):
        raise ClaimInvalid("received_at belongs to received-late, and only there")
    if said.received_at is not None and said.received_at > now:
        raise ClaimInvalid("received_at lies in the future")
    facts: dict[str, Json] = {
        "claim": said.claim.value,
        "received_at": None if said.received_at is None else format_time(said.received_at),
        "alert": said.alert,
    }

    def work(connection: Connection) -> tuple[EventId, bool]:
        row = one_notice(connection, sent_by(sender.agency_id), notice_id)
        problem = check_alert(connection, notice_id, said.alert, said.received_at)
        if problem is not None:
            raise ClaimInvalid(problem)
        known: EventId | None = None
        for event in events_of(connection, f"notice:{notice_id}"):
            if event.type == EventType.ALERT_RECEIVED:
                known = None  # a claim that follows upon an arrival is said anew
            elif event.type == EventType.ALERT_DISPUTED and event.body is not None:
                before = parse_event(event.body.encode("utf-8")).facts
                if all(before.get(name) == value for name, value in facts.items()):
                    known = EventId(event.id)
        if known is not None:
            return known, False
        (recorded,) = append_events(
            connection,
            [
                EventDraft(
                    type=EventType.ALERT_DISPUTED,
                    at=now,
                    agency=sender.agency_id,
                    notice=notice_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=sender.actor,
                    facts={
                        **facts,
                        "proves": "That the agency recorded this claim of the citizen's.",
                        "does_not_prove": "That the claim is true.",
                    },
                )
            ],
            entropy=context.entropy,
        )
        task = TaskDraft(
            kind=TaskKind.ALERT_DISPUTED,
            agency=sender.agency_id,
            notice=notice_id,
            alert=said.alert,
            facts={"claim": said.claim.value, "advice": ["prove-receipt", "send-paper"]},
        )
        open_tasks(connection, [task], now=now, entropy=context.entropy)
        return recorded.event.id, True

    return await write_on(context, work)


def check_alert(
    connection: Connection, notice_id: NoticeId, alert: AlertId | None, received_at: datetime | None
) -> str | None:
    """Why `alert` (None: any of the notice's) cannot have come at `received_at`, or None."""
    alerts = {
        row.id: row.created_at
        for row in connection.execute(
            select(_alert.c.id, _alert.c.created_at).where(
                _alert.c.notice_id == notice_id, _alert.c.kind == AlertKind.NOTICE.value
            )
        )
    }
    if alert is not None:
        if alert not in alerts:
            return "the notice has no such alert"
        alerts = {alert: alerts[alert]}
    if received_at is not None and alerts and received_at < min(alerts.values()):
        return "received_at lies before the alert"
    return None
