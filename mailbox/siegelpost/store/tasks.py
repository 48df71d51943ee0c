"""Tasks: what an agency has to do about a notice, opened once for each notice and kind.

DESIGN section 4.5: a failed alert becomes a task at once, in the transaction of its event.
A task holds no personal data: the agency finds the citizen by the notice and its enrolment.
Its number, by which lists go on, is given when the agency lists its tasks: so a number that was
seen never gets a smaller sibling later, whatever transactions were under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, AlertId, NoticeId, new_id
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

TASK = tables.core(tables.Task)
_agency = tables.core(tables.Agency)
_notice = tables.core(tables.Notice)

#: Who closes tasks of which events have taken care.
SERVICE = "service"
#: Tasks that get their number at one listing, at most.
_NUMBERED_AT_ONCE = 1000


class TaskKind(StrEnum):
    """What happened that somebody has to act on."""

    #: no alert reached the citizen: the notice does not count as served by it
    ALERT_FAILED = "alert-failed"
    #: a report of delivery was asked for and none has come
    ALERT_UNCONFIRMED = "alert-unconfirmed"
    #: the citizen denies the alert's receipt, or says it came late: show it, or send paper
    ALERT_DISPUTED = "alert-disputed"
    #: the citizen revoked the consent and has not opened this notice
    CONSENT_REVOKED = "consent-revoked"
    #: the citizen has not opened the notice
    NOT_RETRIEVED = "not-retrieved"
    #: the time to open it is over and the notice does not count as served (§ 41(2a) VwVfG)
    PROVIDING_ENDED = "providing-ended"
    #: the citizen lost the key and has a new one: provide the notice again
    REPROVIDE = "reprovide"


#: How long an agency should take at most; objection periods run meanwhile.
DUE_AFTER: Mapping[TaskKind, timedelta] = {
    TaskKind.ALERT_FAILED: timedelta(days=1),
    TaskKind.ALERT_UNCONFIRMED: timedelta(days=3),
    TaskKind.ALERT_DISPUTED: timedelta(days=3),
    TaskKind.CONSENT_REVOKED: timedelta(days=1),
    TaskKind.NOT_RETRIEVED: timedelta(days=7),
    TaskKind.PROVIDING_ENDED: timedelta(days=1),
    TaskKind.REPROVIDE: timedelta(days=3),
}


@dataclass(frozen=True, kw_only=True)
class TaskDraft:
    """A task to be opened, unless the notice has one of this kind already."""

    #: what happened
    kind: TaskKind
    #: whose task
    agency: AgencyId
    #: about which notice
    notice: NoticeId
    #: about which of its alerts, if any
    alert: AlertId | None = None
    #: what led to it, without personal data
    facts: Mapping[str, Json] = field(default_factory=dict)


def open_tasks(
    connection: Connection,
    drafts: Iterable[TaskDraft],
    *,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> None:
    """Open each task; a notice that has one of the kind, open or closed, gets no second."""
    rows = [
        {
            "id": new_id(now, entropy(ID_RANDOM)),
            "agency_id": draft.agency,
            "kind": draft.kind.value,
            "notice_id": draft.notice,
            "alert_id": draft.alert,
            "facts": dict(draft.facts),
            "opened_at": now,
            "due_at": now + DUE_AFTER[draft.kind],
        }
        for draft in drafts
    ]
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        insert(TASK).on_conflict_do_nothing(index_elements=["notice_id", "kind"]), rows
    )


def unnumbered(connection: Connection, agency: AgencyId) -> bool:
    """Return whether the agency has tasks that no listing has seen yet."""
    return connection.execute(_UNNUMBERED.limit(1), {"agency": agency}).first() is not None


def number_tasks(connection: Connection, agency: AgencyId) -> None:
    """Give every committed task of the agency its number, in the order of opening."""
    # Listings of one agency wait for each other here; dispatch, which only refers to the
    # agency's row, does not.
    connection.execute(
        select(_agency.c.id).where(_agency.c.id == agency).with_for_update(key_share=True)
    )
    found = connection.execute(_UNNUMBERED.limit(_NUMBERED_AT_ONCE), {"agency": agency})
    ids = [row.id for row in found]
    if not ids:
        return
    last = connection.execute(
        select(func.max(TASK.c.number)).where(TASK.c.agency_id == agency)
    ).scalar_one()
    connection.execute(
        _NUMBER,
        [{"task": task, "place": place} for place, task in enumerate(ids, (last or 0) + 1)],
    )


def tasks_of(
    connection: Connection,
    agency: AgencyId,
    *,
    after: int,
    limit: int,
    is_open: bool | None,
    kind: TaskKind | None = None,
) -> Sequence[AnyRow]:
    """Return numbered tasks of the agency after number `after`; None means all."""
    query = _SHOWN.where(TASK.c.agency_id == agency, TASK.c.number > after)
    if is_open is not None:
        query = query.where(TASK.c.closed_at.is_(None) if is_open else TASK.c.closed_at.isnot(None))
    if kind is not None:
        query = query.where(TASK.c.kind == kind.value)
    return connection.execute(query.order_by(TASK.c.number).limit(limit)).all()


def tasks_of_notice(connection: Connection, agency: AgencyId, notice: NoticeId) -> Sequence[AnyRow]:
    """Return all tasks about one notice of the agency, open ones first; they may lack a number."""
    query = _SHOWN.where(TASK.c.agency_id == agency, TASK.c.notice_id == notice)
    return connection.execute(query.order_by(TASK.c.closed_at.is_not(None), TASK.c.id)).all()


def task_of(connection: Connection, agency: AgencyId, task: str, *, lock: bool) -> AnyRow | None:
    """Return one task of the agency, or None; `lock` keeps others from closing it meanwhile."""
    query = _SHOWN.where(TASK.c.agency_id == agency, TASK.c.id == task)
    return connection.execute(query.with_for_update(of=TASK) if lock else query).one_or_none()


def close_task(connection: Connection, task: str, *, at: datetime, by: str, outcome: str) -> bool:
    """Close a task; return whether it was open, or closed by the service alone."""
    closed = connection.execute(
        TASK.update()
        .where(TASK.c.id == task, TASK.c.closed_at.is_(None) | (TASK.c.closed_by == SERVICE))
        .values(closed_at=at, closed_by=by, outcome=outcome)
    )
    return bool(closed.rowcount)


def settle_tasks(
    connection: Connection, notices: Sequence[NoticeId], kinds: Sequence[TaskKind], *, at: datetime
) -> None:
    """Close tasks of notices of which events have taken care, such as a late confirmation."""
    if notices:
        values = [
            {"notice": notice, "of_kind": kind.value, "at": at}
            for notice in notices
            for kind in kinds
        ]
        connection.execute(_SETTLE, values)


_SETTLE = (
    TASK.update()
    .where(
        TASK.c.notice_id == bindparam("notice"),
        TASK.c.kind == bindparam("of_kind"),
        TASK.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("at"), closed_by=SERVICE, outcome="settled")
)
_SHOWN: Any = select(TASK, _notice.c.enrolment_id, _notice.c.mailbox_id).join(
    _notice, _notice.c.id == TASK.c.notice_id
)
_UNNUMBERED = (
    select(TASK.c.id)
    .where(TASK.c.agency_id == bindparam("agency"), TASK.c.number.is_(None))
    .order_by(TASK.c.id)
)
_NUMBER = TASK.update().where(TASK.c.id == bindparam("task")).values(number=bindparam("place"))
