"""Looks: opening a file is evidence of its own, committed before anything is shown.

The event ``file-viewed`` stands on the chain of the mailbox, not of the notice: citizens see it,
receipts never hold it. It names role and pseudonym; who that is, the agency tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, MailboxId, NoticeId, new_id
from siegelpost.notices.readers import NOTICE, sent_by
from siegelpost.staff.errors import NothingFound
from siegelpost.staff.roles import Action, Member, Role
from siegelpost.staff.writing import decide
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import StaffLook, StaffMember, core

#: Reloads of one member within this are the same look.
SAME_LOOK = timedelta(minutes=5)
#: Most looks of one list.
PAGE_LIMIT = 100

_look = core(StaffLook)
_member = core(StaffMember)


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look into one file."""

    #: its id, by which lists go on
    id: str
    #: which notice
    notice: NoticeId
    #: who, by pseudonym
    member: str
    #: in which role
    role: Role
    #: when
    at: datetime
    #: the evidence
    event: str


@dataclass(frozen=True, kw_only=True)
class NamedLook:
    """A look as the agency's auditor sees it."""

    #: what happened
    look: Look
    #: the member's name
    name: str


async def look_into(context: Context, member: Member, notice_id: NoticeId) -> None:
    """Record that `member` opens the file; NothingFound for foreign and unknown ids alike."""
    role = member.role_for(Action.SEE_FILES)
    now = context.now()

    def work(connection: Connection) -> None:
        row = connection.execute(
            sent_by(member.agency_id)
            .where(NOTICE.c.id == notice_id)
            .with_only_columns(NOTICE.c.mailbox_id)
        ).one_or_none()
        if row is None:
            raise NothingFound("no such notice")
        same = connection.scalar(
            select(_look.c.id).where(
                _look.c.notice_id == notice_id,
                _look.c.at > now - SAME_LOOK,
                _look.c.member_id == member.id,
            )
        )
        if same is not None:
            return
        (recorded,) = append_events(
            connection,
            [
                EventDraft(
                    type=EventType.FILE_VIEWED,
                    at=now,
                    agency=member.agency_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=member.actor,
                    facts={"notice": notice_id, "role": role.value},
                )
            ],
            entropy=context.entropy,
        )
        connection.execute(
            _look.insert().values(
                id=new_id(now, context.entropy(ID_RANDOM)),
                agency_id=member.agency_id,
                notice_id=notice_id,
                member_id=member.id,
                event_id=recorded.event.id,
                role=role.value,
                at=now,
            )
        )

    await decide(context, work)


def looks_of(connection: Connection, notice_id: str, *, limit: int = PAGE_LIMIT) -> list[Look]:
    """The looks into one notice's file, newest first, for its citizen; no names.

    What the caller owes: that the reader may see the notice.
    """
    rows = connection.execute(
        select(_look)
        .where(_look.c.notice_id == notice_id)
        .order_by(_look.c.at.desc(), _look.c.id.desc())
        .limit(limit)
    )
    return [_shown(row) for row in rows]


async def looks_of_agency(
    context: Context, member: Member, *, before: str | None = None, limit: int = 50
) -> tuple[tuple[NamedLook, ...], str | None]:
    """Looks of the agency's staff, newest first, and where the next part begins; RoleMissing."""
    member.need(Action.SEE_ACCESS)
    limit = max(1, min(limit, PAGE_LIMIT))
    query = (
        select(_look, _member.c.name)
        .join(_member, _member.c.id == _look.c.member_id)
        .where(_look.c.agency_id == member.agency_id)
    )
    if before is not None:
        query = query.where(_look.c.id < before)
    rows = await context.store.read(
        lambda connection: connection.execute(
            query.order_by(_look.c.id.desc()).limit(limit + 1)
        ).all()
    )
    shown = tuple(NamedLook(look=_shown(row), name=row.name) for row in rows[:limit])
    return shown, shown[-1].look.id if len(rows) > limit else None


def _shown(row: AnyRow) -> Look:
    return Look(
        id=row.id,
        notice=NoticeId(row.notice_id),
        member=row.member_id,
        role=Role(row.role),
        at=row.at,
        event=row.event_id,
    )
