"""What falls due days after a notice or its alert: reminders, and questions to the agency.

DESIGN section 8 (day 3 and day 7). Each is found by an index and done once: the row says how far it
got, in the transaction that queues the mail or opens the task. Several processes may look at once;
PostgreSQL skips what another has in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from siegelpost.evidence.ids import ID_RANDOM, AgencyId, AlertId, NoticeId, new_id
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.outbox import AlertKind, AlertState, alert_row
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks

_notice = tables.core(tables.Notice)
_alert = tables.core(tables.Alert)
_address = tables.core(tables.Address)
_mailbox = tables.core(tables.Mailbox)
_bounce = tables.core(tables.Bounce)

#: State of a notice that nobody has opened; it alone is followed up.
_UNREAD = "provided"
#: More than any plan has: of a notice that nobody reminds of any more.
_STOPPED = 1_000_000

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, kw_only=True)
class FollowUpDay:
    """What is done so many days after providing, while the notice is unread."""

    #: since providing
    after: timedelta
    #: send a reminder to the citizen
    remind: bool = False
    #: ask the agency to look (task not-retrieved)
    ask: bool = False


@dataclass(frozen=True, kw_only=True)
class FollowedUp:
    """What one call has done."""

    #: notices or alerts looked at
    seen: int = 0
    #: reminders queued
    reminders: int = 0


def follow_up_notices(
    connection: Connection,
    plan: Sequence[FollowUpDay],
    *,
    now: datetime,
    limit: int,
    entropy: Entropy,
) -> FollowedUp:
    """Do what is due of `plan` (in the order of days) for up to `limit` unread notices.

    Days that passed while nobody looked are made up for once, not one by one.
    """
    found: list[AnyRow] = []
    for done, day in enumerate(plan):
        due = {"done": done, "before": now - day.after, "limit": limit - len(found)}
        found += connection.execute(_DUE, due).all()
        if len(found) >= limit:
            break
    reminders: list[dict[str, Any]] = []
    tasks: list[TaskDraft] = []
    moved: list[dict[str, Any]] = []
    for row in found:
        reached = [day for day in plan[row.follow_ups :] if row.provided_at <= now - day.after]
        moved.append({"notice": row.id, "done": row.follow_ups + len(reached)})
        if any(day.remind for day in reached) and row.address_id is not None:
            reminders.append(_reminder(row, now, entropy))
        if any(day.ask for day in reached):
            tasks.append(_question(row, now))
    if moved:
        connection.execute(_MOVE, moved)
    if reminders:
        connection.execute(sql_insert(_alert), reminders)
    open_tasks(connection, tasks, now=now, entropy=entropy)
    return FollowedUp(seen=len(found), reminders=len(reminders))


def stop_follow_ups(connection: Connection, notices: Sequence[str]) -> None:
    """Neither remind of these notices nor ask about them any more."""
    connection.execute(
        sql_update(_notice).where(_notice.c.id.in_(sorted(notices))).values(follow_ups=_STOPPED)
    )


def ask_for_confirmations(
    connection: Connection, *, now: datetime, limit: int, entropy: Entropy
) -> FollowedUp:
    """Open tasks about alerts whose delivery should have been reported by now and was not."""
    rows = connection.execute(_UNCONFIRMED, {"now": now, "limit": limit}).all()
    if not rows:
        return FollowedUp()
    connection.execute(
        sql_update(_alert).where(_alert.c.id.in_([row.id for row in rows])).values(confirm_by=None)
    )
    drafts = [
        TaskDraft(
            kind=TaskKind.ALERT_UNCONFIRMED,
            agency=AgencyId(row.agency_id),
            notice=NoticeId(row.notice_id),
            alert=AlertId(row.id),
            facts={
                "days_after_sending": (now - row.finished_at).days,
                "relayed": row.relayed > 0,
                # No bounce is no proof of arrival (OLG Rostock 3.4.2024, 7 U 2/24).
                "advice": ["ask-citizen", "send-paper"],
            },
        )
        for row in rows
        if row.state == AlertState.ACCEPTED.value and row.notice_state == _UNREAD
    ]
    open_tasks(connection, drafts, now=now, entropy=entropy)
    return FollowedUp(seen=len(rows))


def _reminder(row: AnyRow, now: datetime, entropy: Entropy) -> dict[str, Any]:
    return alert_row(
        alert_id=AlertId(new_id(now, entropy(ID_RANDOM))),
        kind=AlertKind.REMINDER,
        address_id=row.address_id,
        now=now,
        agency_id=row.agency_id,
        notice_id=row.id,
        mailbox_id=row.mailbox_id,
    )


def _question(row: AnyRow, now: datetime) -> TaskDraft:
    return TaskDraft(
        kind=TaskKind.NOT_RETRIEVED,
        agency=AgencyId(row.agency_id),
        notice=NoticeId(row.id),
        facts={"days_after_providing": (now - row.provided_at).days},
    )


#: The address confirmed last that takes mail, as dispatch chooses it.
_USABLE = (
    select(func.max(_address.c.id))
    .where(
        _address.c.mailbox_id == _mailbox.c.id,
        _mailbox.c.state == "active",
        _address.c.confirmed_at.is_not(None),
        _address.c.removed_at.is_(None),
        _address.c.failed_at.is_(None),
    )
    .correlate(_mailbox)
    .scalar_subquery()
)
_DUE = (
    select(
        _notice.c.id,
        _notice.c.agency_id,
        _notice.c.mailbox_id,
        _notice.c.provided_at,
        _notice.c.follow_ups,
        _USABLE.label("address_id"),
    )
    .select_from(_notice.join(_mailbox, _mailbox.c.id == _notice.c.mailbox_id))
    .where(
        # Literal, so that SQLite sees that its partial index fits.
        _notice.c.state == bindparam("unread", _UNREAD, literal_execute=True),
        _notice.c.follow_ups == bindparam("done"),
        _notice.c.provided_at <= bindparam("before"),
    )
    .order_by(_notice.c.provided_at)
    .limit(bindparam("limit"))
    .with_for_update(of=_notice, skip_locked=True)
)
_MOVE = (
    sql_update(_notice)
    .where(_notice.c.id == bindparam("notice"))
    .values(follow_ups=bindparam("done"))
)
_UNCONFIRMED = (
    select(
        _alert.c.id,
        _alert.c.state,
        _alert.c.agency_id,
        _alert.c.notice_id,
        _alert.c.finished_at,
        _notice.c.state.label("notice_state"),
        select(func.count())
        .select_from(_bounce)
        .where(_bounce.c.alert_id == _alert.c.id, _bounce.c.action.in_(("relayed", "expanded")))
        .correlate(_alert)
        .scalar_subquery()
        .label("relayed"),
    )
    .join(_notice, _notice.c.id == _alert.c.notice_id)
    .where(_alert.c.confirm_by <= bindparam("now"))
    .order_by(_alert.c.confirm_by)
    .limit(bindparam("limit"))
    .with_for_update(of=_alert, skip_locked=True)
)
