"""Search: from what a clerk has at hand to the notices it is about.

A clerk has a notice's id, an enrolment's id, or the agency's own reference for the citizen. What
was typed stays out of addresses and logs; what is answered are ids. Each look-up uses an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.readers import NOTICE, sent_by
from siegelpost.staff.errors import InputWrong, NothingFound
from siegelpost.staff.roles import Action, Member
from siegelpost.store.context import Context
from siegelpost.store.deadlines import DEADLINE, WATCH
from siegelpost.store.tables import Enrolment, core

#: Longest text that is searched for.
LONGEST = 200
#: Notices of one list.
PAGE_LIMIT = 50

_enrolment = core(Enrolment)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the text is about; exactly one of both is set."""

    #: a notice
    notice: NoticeId | None = None
    #: the id of an enrolment
    enrolment: str | None = None


@dataclass(frozen=True, kw_only=True)
class ListedNotice:
    """One line of an enrolment's list."""

    #: the notice
    id: NoticeId
    #: provided | retrieved | acknowledged | withdrawn | closed
    state: str
    #: since when it can be retrieved
    provided_at: datetime
    #: when it was first retrieved, if ever
    retrieved_at: datetime | None
    #: last day for an objection, as the clock computed last, if it found one
    ends_on: date | None


@dataclass(frozen=True, kw_only=True)
class EnrolmentFile:
    """An enrolment and a part of its notices."""

    #: its id
    id: str
    #: the agency's own reference
    reference: str
    #: issued | active | ended
    state: str
    #: newest first
    notices: Sequence[ListedNotice]
    #: where the next part begins, if there is one
    next: str | None


async def search(context: Context, member: Member, text: str) -> Found:
    """What `text` names in the member's agency; raises RoleMissing, InputWrong, NothingFound."""
    member.need(Action.SEE_FILES)
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise InputWrong("query", "empty or too long")

    def work(connection: Connection) -> Found:
        own = sent_by(member.agency_id).with_only_columns(NOTICE.c.id)
        notice = connection.scalar(own.where(NOTICE.c.id == text.lower()))
        if notice is not None:
            return Found(notice=NoticeId(notice))
        enrolment = connection.scalar(
            select(_enrolment.c.id).where(
                _enrolment.c.agency_id == member.agency_id,
                or_(_enrolment.c.reference == text, _enrolment.c.id == text.lower()),
            )
        )
        if enrolment is not None:
            return Found(enrolment=enrolment)
        raise NothingFound("nothing of the agency")

    return await context.store.read(work)


async def enrolment_file(
    context: Context, member: Member, enrolment_id: str, *, before: str | None = None
) -> EnrolmentFile:
    """An enrolment with its notices before the id `before`; raises RoleMissing, NothingFound."""
    member.need(Action.SEE_FILES)

    def work(connection: Connection) -> EnrolmentFile:
        row = connection.execute(
            select(_enrolment).where(
                _enrolment.c.id == enrolment_id, _enrolment.c.agency_id == member.agency_id
            )
        ).one_or_none()
        if row is None:
            raise NothingFound("no such enrolment")
        query: Any = (
            sent_by(member.agency_id)
            .add_columns(DEADLINE.c.ends_on)
            .outerjoin(WATCH, WATCH.c.notice_id == NOTICE.c.id)
            .outerjoin(
                DEADLINE,
                (DEADLINE.c.notice_id == WATCH.c.notice_id) & (DEADLINE.c.number == WATCH.c.number),
            )
            .where(NOTICE.c.enrolment_id == enrolment_id)
        )
        if before is not None:
            query = query.where(NOTICE.c.id < before)
        rows = connection.execute(query.order_by(NOTICE.c.id.desc()).limit(PAGE_LIMIT + 1)).all()
        notices = [
            ListedNotice(
                id=NoticeId(notice.id),
                state=notice.state,
                provided_at=notice.provided_at,
                retrieved_at=notice.retrieved_at,
                ends_on=notice.ends_on,
            )
            for notice in rows[:PAGE_LIMIT]
        ]
        return EnrolmentFile(
            id=enrolment_id,
            reference=row.reference,
            state=row.state,
            notices=notices,
            next=notices[-1].id if len(rows) > PAGE_LIMIT else None,
        )

    return await context.store.read(work)
