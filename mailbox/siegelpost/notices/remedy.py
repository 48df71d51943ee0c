"""Remedy: the agency records that a notice's instruction on remedies is missing or wrong.

Found out after dispatch, often in a procedure: then a year runs instead of a month (§ 66(2) SGG,
§ 58(2) VwGO, § 356(2) AO), from the same day. So it is an event, and the clock computes again; what
the manifest says stays, because the citizen's package does. It cannot be taken back: a notice with
a good instruction is a new notice.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import EventId, MailboxId, NoticeId
from siegelpost.notices.chains import write_on
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events, events_of


class Fault(StrEnum):
    """What is wrong with the instruction."""

    #: there is none, though the dispatch said so
    MISSING = "missing"
    #: it names a wrong office, form or period, or leaves one out
    WRONG = "wrong"


async def record_fault(
    context: Context, sender: Sender, notice_id: NoticeId, fault: Fault
) -> tuple[EventId, bool]:
    """Record; return the event's id, and whether it is new: a second fault changes nothing.

    Raises NoSuchNotice.
    """
    now = context.now()

    def work(connection: Connection) -> tuple[EventId, bool]:
        row = one_notice(connection, sent_by(sender.agency_id), notice_id)
        for event in events_of(connection, f"notice:{notice_id}"):
            if event.type == EventType.REMEDY_FAULTY:
                return EventId(event.id), False
        (recorded,) = append_events(
            connection,
            [
                EventDraft(
                    type=EventType.REMEDY_FAULTY,
                    at=now,
                    agency=sender.agency_id,
                    notice=notice_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=sender.actor,
                    facts={
                        "fault": fault.value,
                        "dispatched_as": row.remedy,
                        "proves": "That the agency recorded this fault at this time.",
                        "does_not_prove": "That a court would find the same.",
                    },
                )
            ],
            entropy=context.entropy,
        )
        return recorded.event.id, True

    return await write_on(context, work)
