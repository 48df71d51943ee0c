"""Reminders and questions: on their day, once, and only while a notice is unread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from siegelpost.alerts.follow_up import FollowUp, FollowUpSettings
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import NoticeId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.database import Database
from siegelpost.store.follow_ups import _DUE, _UNCONFIRMED
from siegelpost.store.fsck.alert_checks import check_alerts
from siegelpost.store.fsck.finding import silent
from siegelpost.store.store import Store
from tests.support.alerts import World, settings
from tests.support.reports import address_of, bounce_server, report, send
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
def world(store: Store, clock: VirtualClock, keyring: FileKeyring) -> Iterator[World]:
    world = World.make(store, clock, keyring)
    yield world
    with store.database.read() as connection:
        assert [str(found) for found in check_alerts(connection, silent)] == []


async def work(world: World, script: Script | None = None) -> None:
    async with scripted_server(script or Script()) as port:
        worker = world.worker(settings(port))
        while await worker.run_once():
            pass
        await worker.close()


async def provided(world: World) -> NoticeId:
    _, notice = world.queue_notice()
    await work(world)
    return notice


async def look(world: World, **others: Any) -> int:
    count = await FollowUp(world.context, FollowUpSettings(**others)).run_once()
    await work(world)
    return count


def tasks(world: World) -> list[str]:
    return [row.kind for row in world.rows(tables.Task)]


def set_state(world: World, notice: NoticeId, state: str) -> None:
    table = tables.core(tables.Notice)
    with world.context.store.database.write() as connection:
        connection.execute(table.update().where(table.c.id == notice).values(state=state))


async def test_unread_notice_is_reminded_of_on_day_three_and_seven_and_never_again(
    world: World,
) -> None:
    notice = await provided(world)
    reminded = []
    for day in range(1, 15):
        world.clock.advance(DAY)
        for _ in range(3):
            if await look(world):
                reminded.append(day)
    assert reminded == [3, 7]
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-sent", "alert-sent"]


async def test_reminder_has_evidence_of_its_own_that_says_what_it_is(world: World) -> None:
    await provided(world)
    world.clock.advance(3 * DAY)
    await look(world)
    rows = [row for row in world.rows(tables.Event) if row.type == EventType.ALERT_SENT.value]
    first, second = (parse_event(row.body.encode()).facts for row in rows)
    assert (first["kind"], second["kind"]) == ("notice", "reminder")
    assert first["alert"] != second["alert"]


async def test_read_and_withdrawn_notices_are_left_in_peace(world: World) -> None:
    for state in ("retrieved", "acknowledged", "withdrawn", "closed"):
        set_state(world, await provided(world), state)
    world.clock.advance(8 * DAY)
    assert await look(world) == 0
    assert tasks(world) == []


async def test_agency_is_asked_on_day_seven_once(world: World) -> None:
    await provided(world)
    kinds = []
    for _ in range(10):
        world.clock.advance(DAY)
        await look(world)
        kinds.append(tasks(world).count("not-retrieved"))
    assert kinds == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]


async def test_service_that_slept_sends_one_reminder_and_not_two(world: World) -> None:
    await provided(world)
    world.clock.advance(20 * DAY)
    assert await look(world) == 1
    assert await look(world) == 0
    assert "not-retrieved" in tasks(world)


async def test_no_reminder_to_an_address_that_failed(world: World) -> None:
    await provided(world)
    table = tables.core(tables.Address)
    with world.context.store.database.write() as connection:
        connection.execute(table.update().values(failed_at=world.clock.now()))
    world.clock.advance(3 * DAY)
    assert await look(world) == 0


async def test_settings_decide(world: World) -> None:
    await provided(world)
    world.clock.advance(8 * DAY)
    assert await look(world, reminder_days=(), ask_after_days=None) == 0
    assert "not-retrieved" not in tasks(world)
    assert await look(world, reminder_days=(5,), ask_after_days=6) == 1
    assert "not-retrieved" in tasks(world)


async def test_failed_reminder_is_evidence_and_a_task(world: World) -> None:
    notice = await provided(world)
    world.clock.advance(3 * DAY)
    await FollowUp(world.context, FollowUpSettings()).run_once()
    await work(world, Script(answers={"RCPT": b"550 5.1.1 gone\r\n"}))
    assert world.event_types(notice)[-1] == "alert-failed"
    [task] = [row for row in world.rows(tables.Task) if row.kind == "alert-failed"]
    assert task.facts["alert_kind"] == "reminder"


async def test_alert_that_nobody_confirms_becomes_a_question_after_three_days(
    world: World,
) -> None:
    await provided(world)
    world.clock.advance(timedelta(days=3, seconds=-1))
    await look(world)
    assert tasks(world) == []
    world.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        await look(world)
    assert tasks(world) == ["alert-unconfirmed"]


async def test_alert_that_was_confirmed_raises_no_question(world: World) -> None:
    alert, _ = world.queue_notice()
    await work(world)
    to = address_of(world.context, alert)
    async with bounce_server(world.context) as server:
        await asyncio.to_thread(send, server.port, to, report(to, "delivered"))
    world.clock.advance(4 * DAY)
    await look(world)
    assert tasks(world) == []


async def test_late_confirmation_settles_the_question(world: World) -> None:
    alert, _ = world.queue_notice()
    await work(world)
    world.clock.advance(4 * DAY)
    await look(world)
    to = address_of(world.context, alert)
    async with bounce_server(world.context) as server:
        await asyncio.to_thread(send, server.port, to, report(to, "delivered"))
    [task] = [row for row in world.rows(tables.Task) if row.kind == "alert-unconfirmed"]
    assert (task.outcome, task.closed_by) == ("settled", "service")


async def test_server_without_reports_raises_no_question(world: World) -> None:
    world.queue_notice()
    await work(world, Script(answers={"EHLO": b"250 plain.example.net\r\n"}))
    world.clock.advance(4 * DAY)
    await look(world)
    assert "alert-unconfirmed" not in tasks(world)


async def test_two_processes_that_look_at_once_remind_once(
    world: World, database: Database, clock: VirtualClock, keyring: FileKeyring
) -> None:
    for _ in range(20):
        world.queue_notice()
    await work(world)
    world.clock.advance(3 * DAY)
    other = Store(Database(database.url.render_as_string(hide_password=False)))
    context = type(world.context)(
        store=other,
        clock=clock,
        keyring=keyring,
        entropy=world.context.entropy,
        origin=world.context.origin,
    )
    counts = await asyncio.gather(
        *(FollowUp(each, FollowUpSettings()).run_once() for each in (world.context, context) * 3)
    )
    other.close()
    assert sum(counts) == 20
    await work(world)


def test_what_is_due_is_found_by_an_index(world: World, database: Database) -> None:
    if database.dialect != "sqlite":
        pytest.skip("the plan of an empty PostgreSQL table says nothing")
    executed: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        executed.append((statement, parameters))

    now = world.clock.now()
    event.listen(database.reading, "before_cursor_execute", note)
    with database.read() as connection:
        connection.execute(_DUE, {"done": 0, "before": now, "limit": 1}).all()
        connection.execute(_UNCONFIRMED, {"now": now, "limit": 1}).all()
        event.remove(database.reading, "before_cursor_execute", note)
        plans = [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values)]
            for one, values in executed
            if one.startswith("SELECT")
        ]
    assert "ix_notice_follow_ups_provided_at_unread" in plans[0][0]
    assert "ix_alert_confirm_by_open" in plans[1][0]
