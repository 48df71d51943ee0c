"""The clock's worker: results appended when events arrive and days pass, and what it does then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, update

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.clockwork import ClockSettings, Clockwork
from siegelpost.notices.errors import StepRefused
from siegelpost.notices.retrieve import retrieve
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.deadlines import Looked, advance, append_results, next_due_at, position
from siegelpost.store.errors import Conflict
from siegelpost.store.fsck.deadline_checks import check_deadlines
from siegelpost.store.fsck.finding import silent
from tests.support.agencies import Agency, Citizen
from tests.support.clocks import Replay

pytestmark = pytest.mark.anyio


async def states(replay: Replay, notice: NoticeId) -> list[tuple[str, str, date | None]]:
    return [(row.state, row.rule, row.deemed) for row in await replay.results(notice)]


A7 = "sgb10-37-2a/A7"
#: Four days after the Monday on which time begins.
FICTION = date(2026, 11, 27)


async def test_result_is_appended_when_the_alert_is_on_record(replay: Replay) -> None:
    notice = await replay.provide()
    assert await states(replay, notice) == []
    await replay.settle()
    assert await states(replay, notice) == [("expected", A7, FICTION)]


async def test_days_alone_turn_expected_into_served_and_close_the_period(replay: Replay) -> None:
    notice = await replay.provide()
    await replay.pass_days(3)
    assert len(await replay.results(notice)) == 1, "equal results are not repeated"
    await replay.pass_days(2)
    assert await states(replay, notice) == [("expected", A7, FICTION), ("served", A7, FICTION)]
    await replay.pass_days(40)
    results = await replay.results(notice)
    assert [row.number for row in results] == [0, 1, 2]
    assert '"provisional":false' in results[2].result
    assert await replay.context.store.read(next_due_at) is None, "nothing more will change"


async def test_late_bounce_appends_and_overwrites_nothing(replay: Replay) -> None:
    notice = await replay.provide()
    await replay.pass_days(5)
    before = await replay.results(notice)
    await replay.alert(EventType.ALERT_FAILED, notice)
    await replay.settle()
    after = await replay.results(notice)
    assert after[:2] == before
    assert [row.rule for row in after] == [A7, A7, "sgb10-37-2a/A4"]
    assert (after[2].state, after[2].review) == ("not-served", True)


async def test_event_from_a_machine_whose_clock_is_ahead_counts_at_once(replay: Replay) -> None:
    """The cursor goes past it, so that a look which left it out would stay the last one."""
    notice = await replay.provide()
    await replay.settle()
    elsewhere = VirtualClock(replay.context.now() + timedelta(seconds=30))
    ahead = Replay(replace(replay.context, clock=elsewhere), replay.agency, replay.citizen)
    await ahead.alert(EventType.ALERT_FAILED, notice)
    await replay.settle()
    newest = (await replay.results(notice))[-1]
    assert (newest.state, newest.rule) == ("not-served", "sgb10-37-2a/A4")
    assert newest.computed_at <= replay.context.now()


async def test_revoked_consent_looks_at_every_notice_of_that_agency(replay: Replay) -> None:
    first, second = await replay.provide(), await replay.provide()
    await replay.pass_days(1)
    await replay.consent(EventType.CONSENT_REVOKED)
    await replay.settle()
    for notice in (first, second):
        assert '"paper-copy"' in (await replay.results(notice))[-1].result


async def test_revocation_towards_another_agency_changes_nothing(
    replay: Replay, charlies_agency: Agency
) -> None:
    notice = await replay.provide()
    await replay.pass_days(1)
    theirs = Replay(replay.context, charlies_agency, replay.citizen)
    await theirs.consent(EventType.CONSENT_REVOKED)
    await replay.settle()
    await replay.happen(EventType.RETRIEVED, notice)
    await replay.settle()
    assert "consent_revoked" not in (await replay.results(notice))[-1].result


async def test_stale_look_is_a_conflict_and_leaves_nothing(replay: Replay) -> None:
    notice = await replay.provide()
    await replay.settle()
    await replay.alert(EventType.ALERT_FAILED, notice)
    await replay.settle()
    now, entropy = replay.context.now(), replay.context.entropy
    (first, _) = await replay.results(notice)
    for after in (None, 0):
        stale = Looked(
            notice=notice,
            after=after,
            result=json.loads(first.result),
            digest=first.digest,
            look_at=None,
        )
        with pytest.raises(Conflict):
            await replay.context.store.write(
                lambda c, look=stale: append_results(c, [look], now=now, entropy=entropy)  # type: ignore[misc]  # default pins the loop's value
            )
    assert len(await replay.results(notice)) == 2


async def test_cursor_moves_once_from_where_it_stood(replay: Replay) -> None:
    write = replay.context.store.write
    await write(lambda c: advance(c, "reader", after=-1, to=7))
    await write(lambda c: advance(c, "reader", after=7, to=9))
    for after in (-1, 7):
        with pytest.raises(Conflict):
            await write(lambda c, at=after: advance(c, "reader", after=at, to=11))  # type: ignore[misc]  # default pins the loop's value
    assert await replay.context.store.read(lambda c: position(c, "reader")) == 9


async def test_two_workers_append_one_result(replay: Replay) -> None:
    notice = await replay.provide()
    other = Clockwork(replay.context)
    await replay.settle()
    await replay.context.store.write(
        lambda c: c.execute(update(tables.core(tables.Cursor)).values(position=0))
    )
    # Both see the same events again; whoever writes second starts over.
    await asyncio.gather(replay.clockwork.run_once(), other.run_once())
    await replay.settle()
    assert len(await replay.results(notice)) == 1


async def test_nobody_retrieves_under_vwvfg_and_day_ten_closes_it(
    replay: Replay, context: Context, alice: Citizen
) -> None:
    notice = await replay.provide(regime="vwvfg-41-2a")
    await replay.pass_days(10)  # Thursday, 3 December, is day ten
    (row,) = await replay.rows(tables.Notice, id=notice)
    assert row.state == "provided"
    await replay.pass_days(1)
    (row,) = await replay.rows(tables.Notice, id=notice)
    assert row.state == "closed"
    assert len(await replay.rows(tables.Event, notice_id=notice, type="closed")) == 1
    (task,) = await replay.rows(tables.Task, notice_id=notice)
    assert (task.kind, task.facts["advice"]) == ("providing-ended", "send-paper")
    assert (await replay.results(notice))[-1].rule == "vwvfg-41-2a/C6"
    with pytest.raises(StepRefused, match="over"):
        await retrieve(context, alice.reader, notice)
    await replay.pass_days(2)
    assert len(await replay.rows(tables.Event, notice_id=notice, type="closed")) == 1


async def test_day_ten_on_a_saturday_closes_after_the_monday(replay: Replay) -> None:
    await replay.pass_days(2)  # Wednesday, so that day ten is Saturday, 5 December
    notice = await replay.provide(regime="vwvfg-41-2a")
    await replay.pass_days(12)
    (row,) = await replay.rows(tables.Notice, id=notice)
    assert row.state == "provided", "Monday is still open"
    await replay.pass_days(1)
    (row,) = await replay.rows(tables.Notice, id=notice)
    assert row.state == "closed"


async def test_retrieved_in_time_is_never_closed(
    replay: Replay, context: Context, alice: Citizen
) -> None:
    notice = await replay.provide(regime="vwvfg-41-2a")
    await replay.pass_days(9)
    await retrieve(context, alice.reader, notice)
    await replay.pass_days(5)
    (row,) = await replay.rows(tables.Notice, id=notice)
    assert row.state == "retrieved"
    assert (await replay.results(notice))[-1].deemed == date(2026, 12, 3)


async def test_reminder_goes_once_before_the_period_ends(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    replay = Replay(context, agency, alice, settings=ClockSettings(remind_days_before_end=7))
    await replay.consent()
    notice = await replay.provide()
    await replay.pass_days(27)  # 20 December; the period ends on the 28th
    assert await replay.rows(tables.Alert, kind="deadline-reminder") == []
    await replay.pass_days(3)
    # Its own event, like any other, has the clock looked at again.
    await replay.happen(EventType.ALERT_SENT, notice, alert="x", kind="deadline-reminder")
    await replay.settle()
    (mail,) = await replay.rows(tables.Alert, kind="deadline-reminder")
    assert (mail.notice_id, mail.address_id) == (notice, alice.address_id)
    assert mail.created_at.date() == date(2026, 12, 21)


async def test_no_reminder_by_default(replay: Replay) -> None:
    await replay.provide()
    await replay.pass_days(40)
    assert await replay.rows(tables.Alert, kind="deadline-reminder") == []


@pytest.mark.unsound_store("alert")  # it fails without the task that the mail side opens
async def test_no_reminder_of_a_notice_that_is_not_served(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    replay = Replay(context, agency, alice, settings=ClockSettings(remind_days_before_end=7))
    await replay.consent()
    notice = await replay.provide()
    await replay.alert(EventType.ALERT_FAILED, notice)
    await replay.pass_days(40)
    assert await replay.rows(tables.Alert, kind="deadline-reminder") == []


async def test_one_broken_place_does_not_stop_the_others(
    replay: Replay, context: Context, charlies_agency: Agency
) -> None:
    broken = await replay.provide()
    agency = tables.core(tables.Agency)
    await context.store.write(
        lambda c: c.execute(
            update(agency).where(agency.c.id == replay.agency.id).values(place="XX")
        )
    )
    await replay.settle()
    assert await replay.results(broken) == []
    await context.store.write(
        lambda c: c.execute(
            update(agency).where(agency.c.id == replay.agency.id).values(place="DE-NW")
        )
    )
    good = await replay.provide()
    await replay.settle()
    assert len(await replay.results(good)) == 1


async def test_looking_uses_indexes_and_never_scans_notices(replay: Replay) -> None:
    await replay.provide()
    await replay.settle()
    if replay.context.store.database.dialect != "sqlite":
        pytest.skip("plans of small tables say nothing on PostgreSQL")

    def plan(connection: Connection, query: str) -> str:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")
        return " ".join(str(row) for row in rows)

    def plans(connection: Connection) -> tuple[str, str]:
        return (
            plan(connection, "SELECT notice_id FROM deadline_watch WHERE look_at IS NOT NULL "
                 "AND look_at <= '2027' ORDER BY look_at LIMIT 10"),
            plan(connection, "SELECT type FROM event WHERE leaf_index > 5 ORDER BY leaf_index"),
        )  # fmt: skip

    days, events = await replay.context.store.read(plans)
    assert "ix_deadline_watch_look_at_set" in days
    assert "USING INDEX" in events
    assert "TEMP B-TREE" not in days + events


@pytest.mark.unsound_store
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE deadline SET deemed = '2026-11-26' WHERE number = 0", "was changed"),
        ("UPDATE deadline SET result = replace(result, 'A7', 'A4') WHERE number = 0", "changed"),
        ("UPDATE deadline SET result = '{' WHERE number = 1", "cannot be read"),
        ("UPDATE deadline SET number = 5 WHERE number = 1", "result 1 is missing"),
        ("DELETE FROM deadline WHERE number = 1", "not the one that is watched"),
        ("UPDATE event SET id = 'other' WHERE type = 'alert-sent'", "event that is not there"),
    ],
)
async def test_fsck_finds_results_that_were_touched(
    replay: Replay, context: Context, change: str, what: str
) -> None:
    await replay.provide()
    await replay.pass_days(5)
    assert await context.store.read(findings) == []
    async with undone(context) as connection:
        connection.exec_driver_sql(change)
        assert any(what in finding for finding in findings(connection)), findings(connection)


def findings(connection: Connection) -> list[str]:
    return [str(finding) for finding in check_deadlines(connection, silent)]


@asynccontextmanager
async def undone(context: Context) -> AsyncIterator[Connection]:
    """A transaction that is taken back."""
    with context.store.database.writing.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture(autouse=True)
async def consistent(context: Context) -> AsyncIterator[None]:
    """Whatever happens here leaves results that fsck finds sound."""
    yield
    assert await context.store.read(findings) == []
