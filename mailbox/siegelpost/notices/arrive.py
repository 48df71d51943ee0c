"""Arrive: the agency records when the alert arrived, as it can prove or as the citizen says.

The answer to a dispute (§ 37(2a) sentences 5 to 7 SGB X): what the agency shows refutes a denial,
and a day beyond the limit of sentence 7 counts against it. Closes the tasks that asked for it.
Where the notice itself is sent (§ 37(2) SGB X), the same is said of the notice.
That it is true is the agency's word; the legal clock weighs it (`siegelpost.notices.arrivals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import AlertId, EventId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.chains import write_on
from siegelpost.notices.dispute import check_alert
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.tasks import TaskKind, settle_tasks

_ANSWERED = (TaskKind.ALERT_DISPUTED, TaskKind.ALERT_UNCONFIRMED)


class ShownBy(StrEnum):
    """Whose word it is."""

    #: the agency can prove it
    AGENCY = "agency"
    #: the citizen says so
    CITIZEN = "citizen"


class Means(StrEnum):
    """By what it is shown."""

    #: the citizen answered the alert, or wrote about it
    REPLY = "reply"
    #: the mail program confirmed that it was displayed
    READ_RECEIPT = "read-receipt"
    #: records of the recipient's mail provider
    PROVIDER_RECORDS = "provider-records"
    #: said on the telephone or in the office
    SPOKEN = "spoken"
    #: anything else, in the agency's file
    OTHER = "other"


class ArrivalInvalid(NoticeError):
    """The arrival cannot be: in the future, before the alert, or of an alert that is not there."""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What the agency records."""

    #: whose word it is
    shown_by: ShownBy
    #: by what
    means: Means
    #: when it arrived; aware
    received_at: datetime
    #: which alert, if the notice has several; None: all
    alert: AlertId | None = None


async def record_arrival(
    context: Context, sender: Sender, notice_id: NoticeId, said: Arrived
) -> tuple[EventId, bool]:
    """Record; return the event's id, and whether it is new: the last word repeated counts once.

    Raises NoSuchNotice, ArrivalInvalid.
    """
    now = context.now()
    if said.received_at > now:
        raise ArrivalInvalid("received_at lies in the future")
    facts: dict[str, Json] = {
        "shown_by": said.shown_by.value,
        "means": said.means.value,
        "received_at": format_time(said.received_at),
        "alert": said.alert,
    }

    def work(connection: Connection) -> tuple[EventId, bool]:
        row = one_notice(connection, sent_by(sender.agency_id), notice_id)
        problem = check_alert(connection, notice_id, said.alert, said.received_at)
        if problem is not None:
            raise ArrivalInvalid(problem)
        spoken = (EventType.ALERT_RECEIVED, EventType.ALERT_DISPUTED)
        before = [e for e in events_of(connection, f"notice:{notice_id}") if e.type in spoken]
        # Only the last word repeated is no news: after a denial, the same arrival is.
        if before and before[-1].type == EventType.ALERT_RECEIVED and before[-1].body is not None:
            last = parse_event(before[-1].body.encode("utf-8")).facts
            if all(last.get(name) == value for name, value in facts.items()):
                return EventId(before[-1].id), False
        (recorded,) = append_events(
            connection,
            [
                EventDraft(
                    type=EventType.ALERT_RECEIVED,
                    at=now,
                    agency=sender.agency_id,
                    notice=notice_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=sender.actor,
                    facts={
                        **facts,
                        "proves": "That the agency recorded this, as shown by itself or as said "
                        "by the citizen.",
                        "does_not_prove": "That it is true; what shows it is in the agency's file.",
                    },
                )
            ],
            entropy=context.entropy,
        )
        settle_tasks(connection, [notice_id], _ANSWERED, at=now)
        return recorded.event.id, True

    return await write_on(context, work)
