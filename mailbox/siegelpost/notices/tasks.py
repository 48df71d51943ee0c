"""Tasks: what an agency reads and closes (DESIGN section 4.5, issue texts: tasks for clerks).

Closing with "paper-sent" is evidence about the notice, in the transaction that closes the task: the
law's answer to an alert that did not arrive is a letter.
Opening tasks is the business of whoever finds the reason (`siegelpost.store.tasks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.acting import ForAgency
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoSuchTask, TaskClosed
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tasks import (
    TaskKind,
    close_task,
    number_tasks,
    settle_tasks,
    task_of,
    tasks_of,
    unnumbered,
)

#: Most tasks of one list.
PAGE_LIMIT = 500
#: How far in our future a posting may lie: clocks differ.
CLOCK_TOLERANCE = timedelta(minutes=5)


class TaskOutcome(StrEnum):
    """How an agency closes a task."""

    #: the notice was sent by post
    PAPER_SENT = "paper-sent"
    #: the matter was cleared otherwise, e.g. by telephone
    SETTLED = "settled"
    #: nothing had to be done
    NOT_NEEDED = "not-needed"


class PostingInFuture(ValueError):
    """A letter that is said to have been posted later than now."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task as the agency sees it."""

    #: its id
    id: str
    #: by which lists go on
    number: int
    #: what happened
    kind: TaskKind
    #: about which notice
    notice: NoticeId
    #: the agency's enrolment of the citizen
    enrolment: str
    #: about which alert, if any
    alert: str | None
    #: what led to it, without personal data
    facts: dict[str, Any]
    #: since when
    opened_at: datetime
    #: until when somebody should have acted
    due_at: datetime
    #: when it was closed, if it was
    closed_at: datetime | None
    #: by whom, e.g. client:<id>, service
    closed_by: str | None
    #: paper-sent | settled | not-needed
    outcome: str | None


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """A part of an agency's tasks."""

    #: in the order of their numbers
    tasks: tuple[Task, ...]
    #: where the next part begins
    next: int
    #: whether there are further ones now
    more: bool


async def list_tasks(
    context: Context,
    agency: AgencyId,
    *,
    after: int,
    limit: int,
    is_open: bool | None,
    kind: TaskKind | None = None,
) -> TaskPage:
    """Return up to `limit` (1 to PAGE_LIMIT) tasks after number `after`.

    `is_open` None means open and closed ones, `kind` None all kinds.
    """
    limit = max(1, min(limit, PAGE_LIMIT))

    def work(connection: Connection) -> TaskPage:
        rows = tasks_of(
            connection, agency, after=after, limit=limit + 1, is_open=is_open, kind=kind
        )
        tasks = tuple(task_from(row) for row in rows[:limit])
        return TaskPage(
            tasks=tasks, next=tasks[-1].number if tasks else after, more=len(rows) > limit
        )

    def is_unnumbered(connection: Connection) -> bool:
        return unnumbered(connection, agency)

    def number(connection: Connection) -> None:
        number_tasks(connection, agency)

    if await context.store.read(is_unnumbered):
        await context.store.write(number)
    return await context.store.read(work)


async def close(
    context: Context,
    sender: ForAgency,
    task_id: str,
    outcome: TaskOutcome,
    *,
    posted_at: datetime | None = None,
) -> Task:
    """Close a task and return it; the same again is harmless.

    `posted_at`: when the letter went out, needed with PAPER_SENT. Raises NoSuchTask, TaskClosed if
    it was closed with another outcome, PostingInFuture, Conflict, StoreUnavailable.
    """
    now = context.now()
    if outcome is TaskOutcome.PAPER_SENT:
        if posted_at is None:
            raise ValueError("a posting has its time")
        if posted_at > now + CLOCK_TOLERANCE:
            raise PostingInFuture("the posting lies in the future")

    def work(connection: Connection) -> Task:
        row = task_of(connection, sender.agency_id, task_id, lock=True)
        if row is None:
            raise NoSuchTask("no such task")
        if row.number is None:
            number_tasks(connection, sender.agency_id)
        if not close_task(connection, task_id, at=now, by=sender.actor, outcome=outcome.value):
            if row.outcome != outcome.value:
                raise TaskClosed("closed before, with another outcome")
        elif outcome is TaskOutcome.PAPER_SENT:
            assert posted_at is not None
            draft = _paper_sent(sender, row, posted_at, now)
            append_events(connection, [draft], entropy=context.entropy)
            settle_tasks(connection, [NoticeId(row.notice_id)], tuple(TaskKind), at=now)
        closed = task_of(connection, sender.agency_id, task_id, lock=False)
        assert closed is not None
        return task_from(closed)

    return await write_on(context, work)


def _paper_sent(sender: ForAgency, row: AnyRow, posted_at: datetime, now: datetime) -> EventDraft:
    return EventDraft(
        type=EventType.PAPER_SENT,
        at=now,
        agency=sender.agency_id,
        notice=NoticeId(row.notice_id),
        mailbox=MailboxId(row.mailbox_id),
        actor=sender.actor,
        facts={"task": row.id, "task_kind": row.kind, "posted_at": format_time(posted_at)},
    )


def task_from(row: AnyRow) -> Task:
    """The task of a row as `siegelpost.store.tasks` selects it."""
    return Task(
        id=row.id,
        number=row.number,
        kind=TaskKind(row.kind),
        notice=NoticeId(row.notice_id),
        enrolment=row.enrolment_id,
        alert=row.alert_id,
        facts=row.facts,
        opened_at=row.opened_at,
        due_at=row.due_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        outcome=row.outcome,
    )
