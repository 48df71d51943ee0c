"""Files: all that the agency's staff may see of one notice, with every address blacked out.

Opening is recorded first (`siegelpost.staff.looks`). Contents, titles and file names are sealed to
the citizen and not here; addresses are handed out by exports alone (`siegelpost.staff.exports`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from siegelpost.evidence.blackening import blackened
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.deadline import Standing, deadline_for_agency
from siegelpost.notices.status import Status, StatusAlert, StatusEvent, status
from siegelpost.notices.tasks import Task, task_from
from siegelpost.staff.errors import NothingFound
from siegelpost.staff.looks import look_into
from siegelpost.staff.roles import Action, Member
from siegelpost.store.context import Context
from siegelpost.store.tables import Enrolment, core
from siegelpost.store.tasks import tasks_of_notice

_enrolment = core(Enrolment)


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """What a clerk sees of a notice."""

    #: state, events and alerts, without addresses
    status: Status
    #: the legal clock
    standing: Standing
    #: the agency's own reference for the citizen
    reference: str
    #: tasks about it, open ones first
    tasks: Sequence[Task]


async def open_file(context: Context, member: Member, notice_id: NoticeId) -> CaseFile:
    """Record the look and return the file; raises RoleMissing, NothingFound."""
    await look_into(context, member, notice_id)
    return await read_file(context, member, notice_id)


async def read_file(context: Context, member: Member, notice_id: NoticeId) -> CaseFile:
    """The file without recording a look: for pictures of a page that was just opened.

    Raises RoleMissing, NothingFound.
    """
    member.need(Action.SEE_FILES)
    found = await status(context, member.agency_id, notice_id)
    standing = await deadline_for_agency(context, member.agency_id, notice_id)

    def work(connection: Connection) -> tuple[str | None, list[Task]]:
        reference = connection.scalar(
            select(_enrolment.c.reference).where(
                _enrolment.c.id == found.enrolment_id,
                _enrolment.c.agency_id == member.agency_id,
            )
        )
        rows = tasks_of_notice(connection, member.agency_id, notice_id)
        return reference, [task_from(row) for row in rows]

    reference, tasks = await context.store.read(work)
    if reference is None:
        raise NothingFound("no such notice")
    return CaseFile(
        status=_without_addresses(found), standing=standing, reference=reference, tasks=tasks
    )


def _without_addresses(found: Status) -> Status:
    address = next((a for a in (_address(event.facts) for event in found.events) if a), None)
    return replace(
        found,
        events=tuple(_event(event) for event in found.events),
        alerts=tuple(_alert(alert, address) for alert in found.alerts),
    )


def _address(facts: Json) -> str | None:
    address = facts.get("address") if isinstance(facts, Mapping) else None
    return address if isinstance(address, str) else None


def _event(event: StatusEvent) -> StatusEvent:
    assert isinstance(event.facts, Mapping)
    return replace(event, facts=blackened(event.facts))


def _alert(alert: StatusAlert, address: str | None) -> StatusAlert:
    # Servers repeat the address in words of their own: its halves are looked for, too.
    return replace(
        alert,
        attempts=tuple(
            replace(attempt, evidence=blackened({"address": address, **attempt.evidence}))
            for attempt in alert.attempts
        ),
    )
