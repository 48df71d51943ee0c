"""Replies as their senders see them: the list of what was sent, and the sealed file again.

The citizen sees all replies to the own notices; a delegate the own ones, while the mandate lasts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from siegelpost.evidence.ids import NoticeId, ReplyId
from siegelpost.notices.errors import NoSuchReply
from siegelpost.notices.packages import stream
from siegelpost.notices.readers import MANDATE, NOTICE, Delegate, Part, Reader, readable_by
from siegelpost.notices.reply_to import REPLY, visible_notice
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context


@dataclass(frozen=True, kw_only=True)
class SentReply:
    """One reply in the list."""

    #: names it
    id: ReplyId
    #: when it came in
    received_at: datetime
    #: the delegate who sent it, as the citizen wrote the name; None: the citizen
    by: str | None
    #: whether the one who looks sent it
    mine: bool
    #: bytes of the sealed file
    size: int
    #: when the agency fetched it first, if ever
    fetched_at: datetime | None
    #: what the sender signed, as `siegelpost.evidence.reply` has it without its prefix line
    statement: str
    #: 64 bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class SealedReply:
    """A sealed reply on its way out."""

    #: names it
    id: ReplyId
    #: bytes of the file
    size: int
    #: the age file, in parts of at most 1 MiB
    parts: AsyncIterator[bytes]


async def replies_to(
    context: Context, reader: Reader | Delegate, notice_id: NoticeId
) -> tuple[SentReply, ...]:
    """What was sent about a notice, oldest first; NoSuchNotice where ``reader`` may not reply."""

    def work(connection: Connection) -> tuple[SentReply, ...]:
        visible_notice(connection, reader, notice_id)
        rows = connection.execute(
            _visible(reader)
            .where(REPLY.c.notice_id == notice_id)
            .order_by(REPLY.c.received_at, REPLY.c.id)
        )
        return tuple(
            SentReply(
                id=ReplyId(row.id),
                received_at=row.received_at,
                by=row.helper_name,
                mine=row.sender_id == reader.mailbox_id,
                size=row.size,
                fetched_at=row.fetched_at,
                statement=row.statement,
                signature=bytes(row.signature),
            )
            for row in rows
        )

    return await context.store.read(work)


async def sealed_reply(context: Context, reader: Reader | Delegate, reply_id: str) -> SealedReply:
    """The sealed file for who may open it; NoSuchReply for foreign and unknown ids."""

    def work(connection: Connection) -> AnyRow | None:
        return connection.execute(_visible(reader).where(REPLY.c.id == reply_id)).one_or_none()

    row = await context.store.read(work)
    if row is None:
        raise NoSuchReply("no such reply")
    return SealedReply(
        id=ReplyId(row.id),
        size=row.size,
        parts=stream(context, row.blob_id, bytes(row.payload_digest)),
    )


async def replied_at(context: Context, reader: Delegate, notice_id: NoticeId) -> datetime | None:
    """When this delegate last sent something about the notice under the mandate, if ever."""
    replies = _visible(reader).where(REPLY.c.notice_id == notice_id)
    last = replies.with_only_columns(func.max(REPLY.c.received_at))
    return await context.store.read(lambda connection: connection.scalar(last))


def _visible(reader: Reader | Delegate) -> Select[Any]:
    """The replies of which ``reader`` may know, with the delegates' names."""
    notices = readable_by(reader, Part.REPLY).with_only_columns(NOTICE.c.id)
    found = (
        select(REPLY, MANDATE.c.helper_name)
        .outerjoin(MANDATE, MANDATE.c.id == REPLY.c.mandate_id)
        .where(REPLY.c.notice_id.in_(notices))
    )
    if isinstance(reader, Delegate):
        found = found.where(
            REPLY.c.mandate_id == reader.mandate_id, REPLY.c.sender_id == reader.mailbox_id
        )
    return found
