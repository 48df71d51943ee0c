"""Exports: evidence of one notice as files, under four eyes where it holds addresses.

Without addresses: any clerk takes it, sealed by the service like every receipt.
With addresses (the citizen's e-mail address, servers' words that repeat it): one legal member asks
for it with a purpose and a reason, another decides, and the one who asked takes it within a day.
Request, decision and every handing out are events on the mailbox's chain, which the citizen sees;
the reason in own words stays in the table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, select, update

from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.text import checked_line
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, MailboxId, NoticeId, new_id
from siegelpost.notices.readers import NOTICE, sent_by
from siegelpost.staff.errors import ExportOver, InputWrong, NothingFound, OwnRequest
from siegelpost.staff.roles import Action, Member
from siegelpost.staff.writing import decide
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import StaffExport, StaffMember, core

#: A request that nobody decided about is over after this.
REQUEST_LIFETIME = timedelta(days=7)
#: What was approved can be taken for so long.
DOWNLOAD_LIFETIME = timedelta(hours=24)
#: Longest reason.
REASON_LIMIT = 500
#: Exports of one list.
PAGE_LIMIT = 50

_export = core(StaffExport)
_asking = core(StaffMember).alias("asking")
_deciding = core(StaffMember).alias("deciding")


class ExportKind(StrEnum):
    """What is exported."""

    RECEIPT_JSON = "receipt-json"
    RECEIPT_PDF = "receipt-pdf"
    COURT_FILE = "court-file"


class Purpose(StrEnum):
    """What it is needed for; the event names it."""

    COURT = "court"
    OBJECTION = "objection"
    ACCESS = "access"
    SUPERVISION = "supervision"


class ExportState(StrEnum):
    """Where an export stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A file to hand out."""

    #: without path
    name: str
    #: of the content
    media_type: str
    #: the file
    content: bytes


#: Makes a file of one notice of an agency.
Maker = Callable[[Context, AgencyId, NoticeId], Awaitable[ExportedFile]]


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export as the agency's staff sees it."""

    #: its id
    id: str
    #: about which notice
    notice: NoticeId
    #: what
    kind: ExportKind
    #: what for
    purpose: Purpose
    #: in own words
    reason: str
    #: pseudonym and name of who asked
    requested_by: str
    requested_by_name: str
    #: when
    requested_at: datetime
    #: name of who decided, if somebody did
    decided_by_name: str | None
    #: when, if somebody did
    decided_at: datetime | None
    #: where it stands now
    state: ExportState
    #: until when it can be decided about, or taken
    expires_at: datetime
    #: how often it was taken
    downloads: int


async def request_export(
    context: Context,
    member: Member,
    notice_id: NoticeId,
    *,
    kind: ExportKind,
    purpose: Purpose,
    reason: str,
) -> str:
    """Ask for an export with addresses; return its id. RoleMissing, InputWrong, NothingFound."""
    role = member.role_for(Action.EXPORT)
    try:
        reason = checked_line(reason, "reason", longest=REASON_LIMIT)
    except InputInvalid as error:
        raise InputWrong("reason", str(error)) from None
    now = context.now()
    id_ = new_id(now, context.entropy(ID_RANDOM))

    def work(connection: Connection) -> str:
        notice = connection.execute(
            sent_by(member.agency_id).where(NOTICE.c.id == notice_id)
        ).one_or_none()
        if notice is None:
            raise NothingFound("no such notice")
        connection.execute(
            _export.insert().values(
                id=id_,
                agency_id=member.agency_id,
                notice_id=notice_id,
                kind=kind.value,
                purpose=purpose.value,
                reason=reason,
                requested_by=member.id,
                requested_at=now,
                expires_at=now + REQUEST_LIFETIME,
                downloads=0,
            )
        )
        facts: dict[str, Json] = {"kind": kind.value, "purpose": purpose.value}
        _record(
            connection, context, member, EventType.EXPORT_REQUESTED, notice.mailbox_id, notice_id,
            {"export": id_, "role": role.value, **facts},
        )  # fmt: skip
        return id_

    return await decide(context, work)


async def decide_export(
    context: Context, member: Member, export_id: str, *, approved: bool
) -> None:
    """Approve or refuse; never by who asked.

    Raises RoleMissing, NothingFound, OwnRequest, ExportOver (decided before, or too late).
    """
    role = member.role_for(Action.EXPORT)
    now = context.now()

    def work(connection: Connection) -> None:
        row = _locked(connection, member, export_id)
        if row.requested_by == member.id:
            raise OwnRequest("four eyes, not two")
        if row.decided_at is not None or row.expires_at <= now:
            raise ExportOver("decided before, or too late")
        connection.execute(
            update(_export)
            .where(_export.c.id == export_id)
            .values(
                decided_by=member.id,
                decided_at=now,
                approved=approved,
                expires_at=now + DOWNLOAD_LIFETIME,
            )
        )
        _record(
            connection, context, member, EventType.EXPORT_DECIDED, row.mailbox_id, row.notice_id,
            {"export": export_id, "role": role.value, "approved": approved},
        )  # fmt: skip

    await decide(context, work)


async def take_export(
    context: Context, member: Member, export_id: str, makers: Mapping[ExportKind, Maker]
) -> ExportedFile:
    """Make the file and hand it to who asked, once it is approved and in time.

    The event is durable before the first byte leaves. Raises RoleMissing, NothingFound (also for
    exports of colleagues), ExportOver, and what the maker raises, e.g. NotYetLogged.
    """
    role = member.role_for(Action.EXPORT)
    found = await export_of(context, member, export_id)
    if found.requested_by != member.id:
        raise NothingFound("somebody else's export")
    maker = makers.get(found.kind)
    if found.state is not ExportState.APPROVED or maker is None:
        raise ExportOver("not approved, or too late")
    file = await maker(context, member.agency_id, found.notice)

    def work(connection: Connection) -> None:
        row = _locked(connection, member, export_id)
        if not row.approved or row.expires_at <= context.now():
            raise ExportOver("too late")
        connection.execute(
            update(_export)
            .where(_export.c.id == export_id)
            .values(downloads=_export.c.downloads + 1)
        )
        _record(
            connection, context, member, EventType.EXPORTED, row.mailbox_id, row.notice_id,
            {"export": export_id, "role": role.value, "kind": row.kind},
        )  # fmt: skip

    await decide(context, work)
    return file


async def export_of(context: Context, member: Member, export_id: str) -> Export:
    """One export of the agency; raises RoleMissing, NothingFound."""
    _need_list(member)
    now = context.now()
    row = await context.store.read(
        lambda connection: connection.execute(
            _shown(member).where(_export.c.id == export_id)
        ).one_or_none()
    )
    if row is None:
        raise NothingFound("no such export")
    return _read(row, now)


async def exports(
    context: Context,
    member: Member,
    *,
    notice: NoticeId | None = None,
    before: str | None = None,
) -> tuple[Sequence[Export], str | None]:
    """Exports of the agency, newest first, and where the next part begins; RoleMissing."""
    _need_list(member)
    now = context.now()
    query = _shown(member)
    if notice is not None:
        query = query.where(_export.c.notice_id == notice)
    if before is not None:
        query = query.where(_export.c.id < before)
    rows = await context.store.read(
        lambda connection: connection.execute(
            query.order_by(_export.c.id.desc()).limit(PAGE_LIMIT + 1)
        ).all()
    )
    shown = [_read(row, now) for row in rows[:PAGE_LIMIT]]
    return shown, shown[-1].id if len(rows) > PAGE_LIMIT else None


def _need_list(member: Member) -> None:
    if not member.may(Action.EXPORT):
        member.need(Action.SEE_ACCESS)


def _shown(member: Member) -> Select[Any]:
    return (
        select(
            _export,
            _asking.c.name.label("asking_name"),
            _deciding.c.name.label("deciding_name"),
        )
        .join(_asking, _asking.c.id == _export.c.requested_by)
        .outerjoin(_deciding, _deciding.c.id == _export.c.decided_by)
        .where(_export.c.agency_id == member.agency_id)
    )


def _locked(connection: Connection, member: Member, export_id: str) -> AnyRow:
    row = connection.execute(
        select(_export, NOTICE.c.mailbox_id)
        .join(NOTICE, NOTICE.c.id == _export.c.notice_id)
        .where(_export.c.id == export_id, _export.c.agency_id == member.agency_id)
        .with_for_update(of=_export)
    ).one_or_none()
    if row is None:
        raise NothingFound("no such export")
    return row


def _record(
    connection: Connection,
    context: Context,
    member: Member,
    kind: EventType,
    mailbox: str,
    notice: str,
    facts: Mapping[str, Json],
) -> None:
    append_events(
        connection,
        [
            EventDraft(
                type=kind,
                at=context.now(),
                agency=member.agency_id,
                mailbox=MailboxId(mailbox),
                actor=member.actor,
                facts={"notice": notice, **facts},
            )
        ],
        entropy=context.entropy,
    )


def _read(row: AnyRow, now: datetime) -> Export:
    if row.decided_at is None:
        state = ExportState.REQUESTED
    else:
        state = ExportState.APPROVED if row.approved else ExportState.REFUSED
    if state is not ExportState.REFUSED and row.expires_at <= now:
        state = ExportState.EXPIRED
    return Export(
        id=row.id,
        notice=NoticeId(row.notice_id),
        kind=ExportKind(row.kind),
        purpose=Purpose(row.purpose),
        reason=row.reason,
        requested_by=row.requested_by,
        requested_by_name=row.asking_name,
        requested_at=row.requested_at,
        decided_by_name=row.deciding_name,
        decided_at=row.decided_at,
        state=state,
        expires_at=row.expires_at,
        downloads=row.downloads,
    )
