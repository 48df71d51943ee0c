"""Retrieve: hand the sealed package to the authenticated citizen (DESIGN section 4, step 7).

The event ``retrieved`` is durable before the first byte leaves.
It means that the sealed bytes were handed to somebody who was logged in as the citizen; it does
not mean that they arrived, were unsealed, or were read.
Only the first retrieval is an event; see ``state``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.chains import move_on, write_on
from siegelpost.notices.errors import StepRefused
from siegelpost.notices.packages import check_there, stream
from siegelpost.notices.readers import Reader, one_notice, readable_by
from siegelpost.notices.state import Step, move
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tasks import TaskKind, settle_tasks

#: Tasks that asked whether the citizen knows of the notice, or ever will.
ANSWERED = (TaskKind.NOT_RETRIEVED, TaskKind.ALERT_UNCONFIRMED, TaskKind.CONSENT_REVOKED)


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """A package on its way out."""

    #: whose package
    notice_id: NoticeId
    #: bytes of the sealed package
    size: int
    #: SHA-256 of the sealed package's payload part
    payload_sha256: bytes
    #: when it was first retrieved
    retrieved_at: datetime
    #: the age file, in parts of at most 1 MiB
    parts: AsyncIterator[bytes]


async def retrieve(context: Context, reader: Reader, notice_id: NoticeId) -> Retrieval:
    """Record the retrieval, then open the sealed package for streaming.

    Raises NoSuchNotice for foreign and unknown ids, StepRefused for withdrawn notices and those
    whose providing has ended unread, StoreUnavailable (then nothing was handed out; also if object
    storage is out of reach or has lost the package).
    """
    if context.objects is not None:
        await check_there(context, context.objects, readable_by(reader), notice_id)
    now = context.now()

    def work(connection: Connection) -> tuple[AnyRow, datetime]:
        row = one_notice(connection, readable_by(reader), notice_id)
        step = move(row.state, Step.RETRIEVE)
        if not step.recorded:
            if row.retrieved_at is None:
                # § 41(2a) VwVfG: the providing has ended. What was opened in time stays readable.
                raise StepRefused("the time to retrieve the notice is over")
            return row, row.retrieved_at
        move_on(connection, row, step.to, retrieved_at=now)
        append_events(
            connection,
            [
                EventDraft(
                    type=EventType.RETRIEVED,
                    at=now,
                    agency=AgencyId(row.agency_id),
                    notice=notice_id,
                    mailbox=reader.mailbox_id,
                    actor=reader.actor,
                    facts={
                        "package_payload_sha256": row.package_digest.hex(),
                        "package_size": row.package_size,
                    },
                )
            ],
            entropy=context.entropy,
        )
        settle_tasks(connection, [notice_id], ANSWERED, at=now)
        return row, now

    row, retrieved_at = await write_on(context, work)
    return Retrieval(
        notice_id=notice_id,
        size=row.package_size,
        payload_sha256=row.package_digest,
        retrieved_at=retrieved_at,
        parts=stream(context, row.package_id, row.package_digest),
    )
