"""Inbox: the list of a citizen's notices with their sealed covers, newest first.

Covers stay sealed here; the browser opens them. One that keeps them asks for the list alone, and
then for the covers that it lacks.
The cursor is the position after the last entry, so that notices which arrive meanwhile neither
repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Join, ScalarSelect, Subquery, func, null, select, tuple_

from siegelpost.deadlines.calendar import day
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import AgencyId, NoticeId, check_id
from siegelpost.evidence.times import format_time, parse_time
from siegelpost.notices.archive import ARCHIVED
from siegelpost.notices.delegated import with_header
from siegelpost.notices.errors import NoticeError
from siegelpost.notices.readers import HEADER, NOTICE, Delegate, Part, Reader, readable_by
from siegelpost.notices.reply_to import REPLY
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.deadlines import DEADLINE, WATCH

_agency = tables.core(tables.Agency)
_blob = tables.core(tables.Blob)

#: Most entries of one page.
PAGE_LIMIT = 100


class CursorInvalid(NoticeError):
    """The cursor is not one that this list gave out."""


@dataclass(frozen=True, kw_only=True)
class InboxEntry:
    """One line of the list."""

    #: the notice
    id: NoticeId
    #: who sent it
    agency_id: AgencyId
    #: its name as citizens know it
    agency_name: str
    #: since when it can be retrieved
    provided_at: datetime
    #: when it was first retrieved, if ever
    retrieved_at: datetime | None
    #: when it was first acknowledged, if ever
    acknowledged_at: datetime | None
    #: provided | retrieved | acknowledged | withdrawn | closed
    state: str
    #: bytes of the sealed package
    package_size: int
    #: SHA-256 of the sealed cover's payload part
    cover_payload_sha256: bytes
    #: the sealed cover, an age file; None where the list alone was asked for
    cover: bytes | None
    #: last day for an objection while the period runs or is about to, as computed last
    objection_until: date | None
    #: whether the reader has put it away
    archived: bool
    #: when the last reply came in that the reader may know of, if any
    replied_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class InboxPage:
    """A part of the list."""

    #: newest first
    notices: tuple[InboxEntry, ...]
    #: cursor of the next part, or None at the end
    next: str | None


async def inbox(
    context: Context,
    reader: Reader | Delegate,
    *,
    limit: int = 25,
    cursor: str | None = None,
    covers: bool = True,
) -> InboxPage:
    """Return up to ``limit`` (1 to PAGE_LIMIT) notices after ``cursor``; CursorInvalid."""
    limit = max(1, min(limit, PAGE_LIMIT))
    # Covers are one part: they are far smaller than a part may be.
    page = readable_by(reader, Part.TITLES).with_only_columns(
        NOTICE.c.id,
        NOTICE.c.agency_id,
        NOTICE.c.provided_at,
        NOTICE.c.retrieved_at,
        NOTICE.c.acknowledged_at,
        NOTICE.c.state,
        NOTICE.c.package_size,
        NOTICE.c.cover_id,
        NOTICE.c.cover_digest,
        (HEADER.c.cover if isinstance(reader, Delegate) else null()).label("header"),
    )
    if cursor is not None:
        page = page.where(tuple_(NOTICE.c.provided_at, NOTICE.c.id) < tuple_(*_position(cursor)))
    found = (
        page.order_by(NOTICE.c.provided_at.desc(), NOTICE.c.id.desc()).limit(limit + 1).subquery()
    )
    query = (
        select(
            found,
            _agency.c.name.label("agency_name"),
            (_blob.c.data if covers else null()).label("cover"),
            DEADLINE.c.ends_on,
            ARCHIVED.c.archived_at,
            _replied_at(found, reader).label("replied_at"),
        )
        .select_from(
            _with_covers(found.join(_agency, _agency.c.id == found.c.agency_id), found, covers)
            .outerjoin(
                ARCHIVED,
                (ARCHIVED.c.notice_id == found.c.id) & (ARCHIVED.c.reader_id == reader.mailbox_id),
            )
            .outerjoin(WATCH, WATCH.c.notice_id == found.c.id)
            .outerjoin(
                DEADLINE,
                (DEADLINE.c.notice_id == WATCH.c.notice_id) & (DEADLINE.c.number == WATCH.c.number),
            )
        )
        .order_by(found.c.provided_at.desc(), found.c.id.desc())
    )

    today = day(context.now())

    def work(connection: Connection) -> InboxPage:
        rows = connection.execute(query).all()
        entries = tuple(
            InboxEntry(
                id=NoticeId(row.id),
                agency_id=AgencyId(row.agency_id),
                agency_name=row.agency_name,
                provided_at=row.provided_at,
                retrieved_at=row.retrieved_at,
                acknowledged_at=row.acknowledged_at,
                state=row.state,
                package_size=row.package_size,
                cover_payload_sha256=row.cover_digest,
                cover=_cover(row),
                objection_until=row.ends_on if row.ends_on and row.ends_on >= today else None,
                archived=row.archived_at is not None,
                replied_at=row.replied_at,
            )
            for row in rows[:limit]
        )
        more = len(rows) > limit
        return InboxPage(notices=entries, next=_cursor(entries[-1]) if more else None)

    return await context.store.read(work)


async def covers_of(
    context: Context, reader: Reader, notices: Sequence[NoticeId]
) -> dict[NoticeId, bytes]:
    """Return the sealed covers of up to PAGE_LIMIT notices; foreign and unknown ids are absent."""
    wanted = list(notices)[:PAGE_LIMIT]
    visible = (
        readable_by(reader)
        .with_only_columns(NOTICE.c.id, NOTICE.c.cover_id)
        .where(NOTICE.c.id.in_(wanted))
        .subquery()
    )
    query = select(visible.c.id, _blob.c.data).join(
        _blob, (_blob.c.id == visible.c.cover_id) & (_blob.c.part == 0)
    )

    def work(connection: Connection) -> dict[NoticeId, bytes]:
        return {NoticeId(row.id): row.data for row in connection.execute(query)}

    return await context.store.read(work)


def _with_covers(source: Join, found: Subquery, covers: bool) -> Join:
    if not covers:
        return source
    return source.join(_blob, (_blob.c.id == found.c.cover_id) & (_blob.c.part == 0))


def _replied_at(found: Subquery, reader: Reader | Delegate) -> ScalarSelect[datetime | None]:
    """When the last reply came in; of a delegate's own ones alone, as `reply_reading` has it."""
    last = select(func.max(REPLY.c.received_at)).where(REPLY.c.notice_id == found.c.id)
    if isinstance(reader, Delegate):
        last = last.where(
            REPLY.c.mandate_id == reader.mandate_id, REPLY.c.sender_id == reader.mailbox_id
        )
    return last.scalar_subquery()


def _cover(row: AnyRow) -> bytes | None:
    if row.cover is None or row.header is None:
        return None if row.cover is None else bytes(row.cover)
    return with_header(bytes(row.header), bytes(row.cover))


def _cursor(entry: InboxEntry) -> str:
    text = f"{format_time(entry.provided_at)}/{entry.id}"
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def _position(cursor: str) -> tuple[datetime, str]:
    if len(cursor) > 300:
        raise CursorInvalid("no such cursor")
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
        moment, _, notice_id = text.partition("/")
        return parse_time(moment), check_id(notice_id, "notice id")
    except (FormatError, UnicodeError, binascii.Error, ValueError):
        raise CursorInvalid("no such cursor") from None
