"""Paper: the agency records that it sent the notice by post as well.

That serving has a period of its own, which is not computed here; the clock says so, and asks for
nothing more. Open tasks about the notice are done by it; closing one of them as paper-sent
(`siegelpost.notices.tasks`) does the same.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import EventId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.acting import ForAgency
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.notices.tasks import CLOCK_TOLERANCE, TaskOutcome
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.tasks import TASK, close_task


class PaperInvalid(NoticeError):
    """The time of posting cannot be: in the future, or before the notice was provided."""


async def send_paper(
    context: Context, sender: ForAgency, notice_id: NoticeId, *, posted_at: datetime | None = None
) -> tuple[EventId, bool]:
    """Record the paper copy, posted now unless `posted_at`; return event id, and whether new.

    Recording it twice is harmless. Raises NoSuchNotice, PaperInvalid.
    """
    now = context.now()

    def work(connection: Connection) -> tuple[EventId, bool]:
        row = one_notice(connection, sent_by(sender.agency_id), notice_id)
        if posted_at is not None and not row.provided_at <= posted_at <= now + CLOCK_TOLERANCE:
            raise PaperInvalid("the posting lies in the future or before the notice")
        event, new = _record(connection, context, sender, row, now=now, posted_at=posted_at)
        open_tasks = connection.execute(
            select(TASK.c.id).where(TASK.c.notice_id == notice_id, TASK.c.closed_at.is_(None))
        ).scalars()
        for task in open_tasks.all():
            close_task(
                connection, task, at=now, by=sender.actor, outcome=TaskOutcome.PAPER_SENT.value
            )
        return event, new

    return await write_on(context, work)


def _record(
    connection: Connection,
    context: Context,
    sender: ForAgency,
    notice: AnyRow,
    *,
    now: datetime,
    posted_at: datetime | None,
) -> tuple[EventId, bool]:
    """Append the event `paper-sent` once, in the caller's transaction; Conflict as always."""
    for event in events_of(connection, f"notice:{notice.id}"):
        if event.type == EventType.PAPER_SENT:
            return EventId(event.id), False
    (recorded,) = append_events(
        connection,
        [
            EventDraft(
                type=EventType.PAPER_SENT,
                at=now,
                agency=sender.agency_id,
                notice=NoticeId(notice.id),
                mailbox=MailboxId(notice.mailbox_id),
                actor=sender.actor,
                facts={
                    "posted_at": format_time(posted_at or now),
                    "proves": "That the agency recorded having posted the notice at this time.",
                    "does_not_prove": "That the letter was posted, or arrived.",
                },
            )
        ],
        entropy=context.entropy,
    )
    return recorded.event.id, True
