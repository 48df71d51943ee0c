"""What a delegate sees of another's notices: list and notice, and the trace that it leaves.

DESIGN sections 4 and 6. Each look is the event ``delegate-looked`` on the chain of the citizen's
mailbox, committed before anything leaves: the citizen sees it, receipts never hold it, and no
clock reads it. Only where the mandate says so is the first retrieval the citizen's own, too, as
the event ``retrieved`` on the notice's chain. A delegate never acknowledges: that is signed by the
citizen's key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, MailboxId, NoticeId, new_id
from siegelpost.notices.chains import move_on, write_on
from siegelpost.notices.errors import NoSuchNotice, StepRefused
from siegelpost.notices.packages import check_there, stream
from siegelpost.notices.readers import (
    HEADER,
    MANDATE,
    Delegate,
    mandate_of,
    one_notice,
    readable_by,
)
from siegelpost.notices.reply_to import REPLY
from siegelpost.notices.retrieve import ANSWERED, Retrieval
from siegelpost.notices.state import Step, move
from siegelpost.sealing.age_header import MAX_HEADER_SIZE, parse_header
from siegelpost.store import tables
from siegelpost.store.blobs import read_part
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tasks import settle_tasks

#: Reloads within this are the same look.
SAME_LOOK = timedelta(minutes=5)
#: Most looks of one list.
PAGE_LIMIT = 100

_look = tables.core(tables.DelegateLook)


@dataclass(frozen=True, kw_only=True)
class Helping:
    """One mandate, as its delegate sees it."""

    #: names it
    mandate: str
    #: whose notices, as the citizen wanted to be called
    giver_name: str
    #: titles | read | reply
    role: str
    #: whether retrieving is the citizen's retrieval
    counts: bool
    #: the citizen's mailbox: notices and their manifests name it
    mailbox_id: MailboxId


@dataclass(frozen=True, kw_only=True)
class DelegateLook:
    """One look of a delegate, as the citizen sees it."""

    #: when
    at: datetime
    #: who, as the citizen wrote it
    name: str
    #: whether the mandate says that it counts as the citizen's own
    counts: bool
    #: whether it was no look but a reply
    replied: bool = False


async def helping(context: Context, delegate: Delegate) -> Helping:
    """The mandate, if it is the delegate's own and in force; else NoSuchNotice, as for any id."""
    row = await context.store.read(
        lambda connection: connection.execute(select(MANDATE).where(mandate_of(delegate))).first()
    )
    if row is None:
        raise NoSuchNotice("no such mandate")
    return Helping(
        mandate=row.id,
        giver_name=row.giver_name,
        role=row.role,
        counts=row.counts,
        mailbox_id=MailboxId(row.mailbox_id),
    )


async def look_at_titles(context: Context, delegate: Delegate) -> None:
    """Record that the list is about to be shown; NoSuchNotice unless the mandate is in force."""

    def work(connection: Connection) -> None:
        _record(connection, context, _mandate(connection, delegate), delegate, None)

    await write_on(context, work)


async def retrieve_for(context: Context, delegate: Delegate, notice_id: NoticeId) -> Retrieval:
    """Record the look, and the retrieval if it counts; then open the sealed package.

    Raises NoSuchNotice for whatever the mandate does not cover, StepRefused, StoreUnavailable.
    """
    if context.objects is not None:
        await check_there(context, context.objects, readable_by(delegate), notice_id)
    now = delegate.at

    def work(connection: Connection) -> tuple[AnyRow, AnyRow]:
        row = one_notice(connection, readable_by(delegate), notice_id)
        mandate = _mandate(connection, delegate)
        step = move(row.state, Step.RETRIEVE)
        if not step.recorded and row.retrieved_at is None:
            raise StepRefused("the time to retrieve the notice is over")
        if step.recorded and mandate.counts:
            move_on(connection, row, step.to, retrieved_at=now)
            retrieved = EventDraft(
                type=EventType.RETRIEVED,
                at=now,
                agency=AgencyId(row.agency_id),
                notice=notice_id,
                mailbox=MailboxId(row.mailbox_id),
                actor=delegate.actor,
                facts={
                    "package_payload_sha256": row.package_digest.hex(),
                    "package_size": row.package_size,
                    "mandate": mandate.id,
                    "role": mandate.role,
                    "counts": True,
                },
            )
            append_events(connection, [retrieved], entropy=context.entropy)
            settle_tasks(connection, [notice_id], ANSWERED, at=now)
        _record(connection, context, mandate, delegate, notice_id)
        header = connection.execute(
            select(HEADER.c.package).where(
                HEADER.c.mandate_id == mandate.id, HEADER.c.notice_id == notice_id
            )
        ).one()
        return row, header

    row, header = await write_on(context, work)
    front = bytes(header.package)
    old = await context.store.read(lambda connection: _front_size(connection, row.package_id))
    return Retrieval(
        notice_id=notice_id,
        size=row.package_size - old + len(front),
        payload_sha256=row.package_digest,
        retrieved_at=now,
        parts=_behind(front, old, stream(context, row.package_id, row.package_digest)),
    )


def looks_of_delegates(connection: Connection, notice_id: str) -> list[DelegateLook]:
    """Who looked at one notice or replied to it, newest first, for its citizen.

    What the caller owes: that the reader is the citizen.
    """
    rows = connection.execute(
        select(_look.c.at, MANDATE.c.helper_name, MANDATE.c.counts)
        .join(MANDATE, MANDATE.c.id == _look.c.mandate_id)
        .where(_look.c.notice_id == notice_id)
        .order_by(_look.c.at.desc(), _look.c.id.desc())
        .limit(PAGE_LIMIT)
    )
    looks = [DelegateLook(at=row.at, name=row.helper_name, counts=row.counts) for row in rows]
    replied = connection.execute(
        select(REPLY.c.received_at, MANDATE.c.helper_name)
        .join(MANDATE, MANDATE.c.id == REPLY.c.mandate_id)
        .where(REPLY.c.notice_id == notice_id)
    )
    looks += [
        DelegateLook(at=row.received_at, name=row.helper_name, counts=False, replied=True)
        for row in replied
    ]
    return sorted(looks, key=lambda look: look.at, reverse=True)


def with_header(header: bytes, sealed: bytes) -> bytes:
    """The same sealed file under another header."""
    return header + sealed[parse_header(sealed[:MAX_HEADER_SIZE]).size :]


def _mandate(connection: Connection, delegate: Delegate) -> AnyRow:
    # Locked: an end that comes now waits, and what is recorded here was still allowed.
    row = connection.execute(
        select(MANDATE).where(mandate_of(delegate)).with_for_update(read=True)
    ).one_or_none()
    if row is None:
        raise NoSuchNotice("no such mandate")
    return row


def _record(
    connection: Connection,
    context: Context,
    mandate: AnyRow,
    delegate: Delegate,
    notice_id: NoticeId | None,
) -> None:
    same = connection.scalar(
        select(_look.c.id).where(
            _look.c.mandate_id == mandate.id,
            _look.c.notice_id.is_(None) if notice_id is None else _look.c.notice_id == notice_id,
            _look.c.at > delegate.at - SAME_LOOK,
        )
    )
    if same is not None:
        return
    facts: dict[str, Json] = {"mandate": mandate.id, "role": mandate.role, "counts": mandate.counts}
    if notice_id is not None:
        facts["notice"] = notice_id
    (recorded,) = append_events(
        connection,
        [
            EventDraft(
                type=EventType.DELEGATE_LOOKED,
                at=delegate.at,
                mailbox=MailboxId(mandate.mailbox_id),
                actor=delegate.actor,
                facts=facts,
            )
        ],
        entropy=context.entropy,
    )
    connection.execute(
        _look.insert().values(
            id=new_id(delegate.at, context.entropy(ID_RANDOM)),
            mandate_id=mandate.id,
            notice_id=notice_id,
            event_id=recorded.event.id,
            at=delegate.at,
        )
    )


def _front_size(connection: Connection, blob: str) -> int:
    first = read_part(connection, blob, 0)
    if first is None:
        raise LookupError("no such blob")
    return parse_header(first[:MAX_HEADER_SIZE]).size


async def _behind(front: bytes, skip: int, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield front
    async for part in parts:
        yield part[skip:]
        skip = 0
