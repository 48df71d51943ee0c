"""Erasing while others write about the very notice: who comes second sees what the first did."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, select, text

from siegelpost.deadlines.calendar import day
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.erasing import erase
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.paper import send_paper
from siegelpost.staff.errors import NothingFound
from siegelpost.staff.looks import look_into
from siegelpost.staff.members import invite
from siegelpost.staff.roles import Member, Role
from siegelpost.store import tables
from siegelpost.store.blobs import insert_blobs
from siegelpost.store.clock import VirtualClock
from siegelpost.store.database import Database
from siegelpost.store.errors import Conflict
from siegelpost.store.events import EventDraft, append_events
from tests.support.erasing import alert_sent, look
from tests.support.portal import AGENCY, CLIENT, Town
from tests.support.reply_street import Street

_alert, _bounce = tables.core(tables.Alert), tables.core(tables.Bounce)
_notice = tables.core(tables.Notice)


@pytest.fixture
async def before(street: Street, clock: VirtualClock) -> date:
    """The day before which everything may be erased: the street's notice is old."""
    await alert_sent(street.town, street.notice)
    before = day(street.town.context.now()) + timedelta(days=1)
    clock.advance(timedelta(days=3 * 366))
    return before


def erase_now(town: Town, connection: Connection, wanted: NoticeId, before: date) -> Sequence[str]:
    now, entropy = town.context.now(), town.context.entropy
    return erase(connection, AGENCY, [wanted], before=before, now=now, entropy=entropy)


def until_somebody_waits(database: Database) -> None:
    """Hold what the caller's transaction holds until another wants it."""
    deadline = time.monotonic() + 5
    while database.dialect == "postgresql":
        with database.read() as connection:
            if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.02)
    time.sleep(0.3)


async def paper(town: Town, notice: NoticeId, _: Member) -> None:
    await send_paper(town.context, Sender(client_id=CLIENT, agency_id=AGENCY), notice)


async def staff_look(town: Town, notice: NoticeId, member: Member) -> None:
    await look_into(town.context, member, notice)


@pytest.mark.parametrize(("act", "refusal"), [(paper, NoSuchNotice), (staff_look, NothingFound)])
async def test_who_comes_while_a_notice_is_being_erased_finds_none(
    street: Street,
    before: date,
    act: Callable[[Town, NoticeId, Member], Awaitable[None]],
    refusal: type[Exception],
) -> None:
    town = street.town
    agency, name, roles = AgencyId(AGENCY), "Erika Muster", frozenset({Role.CLERK})
    invited = await invite(town.context, agency, name=name, roles=roles)
    member = Member(
        id=invited.id, agency_id=agency, agency_name="Jobcenter", name=name, roles=roles
    )
    database = town.context.store.database
    loop, erased = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        with database.write_erasing() as connection:
            assert list(erase_now(town, connection, street.notice, before)) == [street.notice]
            loop.call_soon_threadsafe(erased.set)
            until_somebody_waits(database)

    other = asyncio.create_task(asyncio.to_thread(work))
    await erased.wait()
    with pytest.raises(refusal):
        await act(town, street.notice, member)
    await other
    # `town` lets fsck look at its end: nothing of the notice says anything.
    await town.sequence()


async def test_what_is_being_recorded_when_erasing_comes_keeps_the_notice(
    street: Street, before: date
) -> None:
    town = street.town
    database, begun, done = town.context.store.database, threading.Event(), list[str]()

    def work() -> None:
        begun.wait()
        with database.write_erasing() as connection:
            done.extend(erase_now(town, connection, street.notice, before))

    draft = EventDraft(
        type=EventType.PAPER_SENT,
        at=town.context.now(),
        agency=AgencyId(AGENCY),
        notice=street.notice,
        actor=f"client:{CLIENT}",
        facts={},
    )
    eraser = asyncio.create_task(asyncio.to_thread(work))

    def first() -> None:
        with database.write() as connection:
            append_events(connection, [draft], entropy=town.context.entropy)
            begun.set()
            until_somebody_waits(database)

    await asyncio.to_thread(first)
    await eraser
    assert done == []
    await town.sequence()
    assert (await look(town, before)).notices == ()


async def test_a_report_that_comes_in_when_erasing_comes_goes_with_the_notice(
    street: Street, before: date
) -> None:
    town = street.town
    database, begun, done = town.context.store.database, threading.Event(), list[str]()
    alert = await town.context.store.read(
        lambda c: c.scalar(select(_alert.c.id).where(_alert.c.notice_id == street.notice))
    )
    report = {
        "id": "report-2",
        "alert_id": alert,
        "kind": "other",
        "effect": "none",
        "digest": bytes(31) + b"2",
        "size": 6,
        "blob_id": "report-2.report",
        "received_at": town.context.now(),
    }

    def work() -> None:
        begun.wait()
        try:
            with database.write_erasing() as connection:
                done.extend(erase_now(town, connection, street.notice, before))
        except Conflict:  # as the command does
            with database.write_erasing() as connection:
                done.extend(erase_now(town, connection, street.notice, before))

    eraser = asyncio.create_task(asyncio.to_thread(work))

    def first() -> None:
        with database.write() as connection:
            insert_blobs(connection, [(str(report["blob_id"]), [b"sealed"])])
            connection.execute(_bounce.insert(), report)
            begun.set()
            until_somebody_waits(database)

    await asyncio.to_thread(first)
    await eraser
    assert done == [street.notice]
    left = await town.context.store.read(lambda c: c.execute(select(_bounce.c.id)).all())
    assert left == []
    await town.sequence()
