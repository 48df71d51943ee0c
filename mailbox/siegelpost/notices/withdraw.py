"""Withdraw: the agency takes back a notice that nobody has opened and that is not served yet.

From then on it cannot be retrieved. What counts as served has taken effect: that is undone by a new
notice under its own law (§§ 44 to 48 SGB X), not in a mailbox.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from siegelpost.deadlines import State
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId, NoticeId
from siegelpost.notices.chains import move_on, write_on
from siegelpost.notices.deadline import compute
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.errors import StepRefused
from siegelpost.notices.histories import histories
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.notices.state import Step, move
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events


async def withdraw(context: Context, sender: Sender, notice_id: NoticeId) -> datetime:
    """Withdraw; return since when it is withdrawn. Withdrawing twice is harmless.

    Raises NoSuchNotice, StepRefused (opened, closed, or counts as served already).
    """
    now = context.now()

    def work(connection: Connection) -> datetime:
        row = one_notice(connection, sent_by(sender.agency_id).with_for_update(), notice_id)
        step = move(row.state, Step.WITHDRAW)
        if not step.recorded:
            return _withdrawn_at(connection, notice_id) or now
        if compute(connection, notice_id, now).state is State.SERVED:
            raise StepRefused("the notice counts as served already: revoke it by a new notice")
        move_on(connection, row, step.to)
        append_events(
            connection,
            [
                EventDraft(
                    type=EventType.WITHDRAWN,
                    at=now,
                    agency=sender.agency_id,
                    notice=notice_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=sender.actor,
                )
            ],
            entropy=context.entropy,
        )
        return now

    return await write_on(context, work)


def _withdrawn_at(connection: Connection, notice_id: NoticeId) -> datetime | None:
    events = histories(connection, [notice_id])[notice_id].history.events
    return next((event.at for event in events if event.type == EventType.WITHDRAWN), None)
