"""Replies as their agency gets them: what there is, who signed, and the sealed file.

The event ``reply-fetched`` is durable before the first byte of a file leaves, the first time. It
means that the sealed bytes were handed to a system of the agency that had authenticated; it does
not mean that they arrived, were unsealed, or were read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, update

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId, ReplyId
from siegelpost.evidence.key_proof import KeyProof
from siegelpost.notices.acting import ForAgency
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoSuchReply
from siegelpost.notices.inbox import CursorInvalid
from siegelpost.notices.key_proofs import prove_keys
from siegelpost.notices.packages import stream
from siegelpost.notices.readers import NOTICE
from siegelpost.notices.reply_to import REPLY
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events

_enrolment = tables.core(tables.Enrolment)

#: Most replies of one listing.
PAGE_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class AgencyReply:
    """One reply, as far as it shows from outside."""

    #: names it
    id: ReplyId
    #: what it is about
    notice: NoticeId
    #: the agency's enrolment of the citizen
    enrolment: str
    #: the agency's own reference of it
    reference: str
    #: the delegate's mandate; None: the citizen sent it
    mandate: str | None
    #: when it came in
    received_at: datetime
    #: bytes of the sealed file
    size: int
    #: when it was first handed out, if ever
    fetched_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RepliesPage:
    """A part of the list."""

    #: oldest first
    replies: tuple[AgencyReply, ...]
    #: cursor of the next part, or None at the end
    next: str | None


@dataclass(frozen=True, kw_only=True)
class SignedReply:
    """A reply with what shows who signed it."""

    #: the reply
    reply: AgencyReply
    #: canonical JSON of `siegelpost.evidence.reply`, without its prefix line
    statement: str
    #: 64 bytes over prefix line and statement
    signature: bytes
    #: the proof that the log has bound the key that signed, and to which mailbox
    bound: KeyProof


@dataclass(frozen=True, kw_only=True)
class FetchedReply:
    """A sealed reply on its way to the agency."""

    #: names it
    id: ReplyId
    #: bytes of the file
    size: int
    #: when it was first handed out
    fetched_at: datetime
    #: the age file, in parts of at most 1 MiB
    parts: AsyncIterator[bytes]


async def list_replies(
    context: Context, agency: AgencyId, *, waiting: bool, cursor: str | None, limit: int
) -> RepliesPage:
    """Replies to the agency, oldest first; ``waiting``: those alone that were never fetched.

    The cursor is the id of the last one listed. Whoever wants none to be missed asks for what waits
    from the start: what commits late may stand before the cursor. Raises CursorInvalid.
    """

    def work(connection: Connection) -> RepliesPage:
        query = _sent_to(agency).order_by(REPLY.c.received_at, REPLY.c.id).limit(limit + 1)
        if waiting:
            query = query.where(REPLY.c.fetched_at.is_(None))
        if cursor is not None:
            last = connection.execute(_sent_to(agency).where(REPLY.c.id == cursor)).one_or_none()
            if last is None:
                raise CursorInvalid("no such cursor")
            query = query.where(
                or_(
                    REPLY.c.received_at > last.received_at,
                    and_(REPLY.c.received_at == last.received_at, REPLY.c.id > last.id),
                )
            )
        rows = connection.execute(query).all()
        shown = tuple(_shown(row) for row in rows[:limit])
        return RepliesPage(replies=shown, next=shown[-1].id if len(rows) > limit else None)

    return await context.store.read(work)


async def signed_reply(context: Context, agency: AgencyId, reply_id: str) -> SignedReply:
    """One reply with statement, signature and the proof of the key; NoSuchReply, NotYetLogged."""

    def work(connection: Connection) -> SignedReply:
        row = _one(connection, _sent_to(agency), reply_id)
        (proof,) = prove_keys(connection, context, row.sender_id, [KeyId(row.key_id)])
        return SignedReply(
            reply=_shown(row),
            statement=row.statement,
            signature=bytes(row.signature),
            bound=proof,
        )

    return await context.store.read(work)


async def fetch_reply(context: Context, client: ForAgency, reply_id: str) -> FetchedReply:
    """Record the first fetching, then open the sealed file for streaming.

    Raises NoSuchReply for foreign and unknown ids, StoreUnavailable (then nothing was handed out).
    """
    now = context.now()
    mine = _sent_to(client.agency_id)

    def work(connection: Connection) -> AnyRow:
        row = _one(connection, mine.with_for_update(of=REPLY), reply_id)
        if row.fetched_at is not None:
            return row
        connection.execute(update(REPLY).where(REPLY.c.id == row.id).values(fetched_at=now))
        append_events(
            connection,
            [
                EventDraft(
                    type=EventType.REPLY_FETCHED,
                    at=now,
                    agency=client.agency_id,
                    notice=NoticeId(row.notice_id),
                    mailbox=MailboxId(row.mailbox_id),
                    actor=client.actor,
                    facts={"reply": row.id},
                )
            ],
            entropy=context.entropy,
        )
        return row

    row = await context.store.read(lambda connection: _one(connection, mine, reply_id))
    if row.fetched_at is None:
        row = await write_on(context, work)
    return FetchedReply(
        id=ReplyId(row.id),
        size=row.size,
        fetched_at=row.fetched_at or now,
        parts=stream(context, row.blob_id, bytes(row.payload_digest)),
    )


def _sent_to(agency: AgencyId) -> Select[Any]:
    # Both name the agency, so that no reply to a foreign notice could ever be shown.
    return (
        select(REPLY, NOTICE.c.enrolment_id, _enrolment.c.reference)
        .join(NOTICE, NOTICE.c.id == REPLY.c.notice_id)
        .join(_enrolment, _enrolment.c.id == NOTICE.c.enrolment_id)
        .where(REPLY.c.agency_id == agency, NOTICE.c.agency_id == agency)
    )


def _one(connection: Connection, visible: Select[Any], reply_id: str) -> AnyRow:
    row = connection.execute(visible.where(REPLY.c.id == reply_id)).one_or_none()
    if row is None:
        raise NoSuchReply("no such reply")
    return row


def _shown(row: AnyRow) -> AgencyReply:
    return AgencyReply(
        id=ReplyId(row.id),
        notice=NoticeId(row.notice_id),
        enrolment=row.enrolment_id,
        reference=row.reference,
        mandate=row.mandate_id,
        received_at=row.received_at,
        size=row.size,
        fetched_at=row.fetched_at,
    )
