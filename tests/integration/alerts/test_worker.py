"""The worker over both databases: every path ends in one outcome, whoever works it off."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from siegelpost.alerts.alert_events import DOES_NOT_PROVE
from siegelpost.alerts.recording import Finished
from siegelpost.alerts.submission import Submitter
from siegelpost.alerts.transcript import hidden
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.database import Database
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.outbox import claim_alerts
from siegelpost.store.store import Store
from tests.support.alerts import CODE, World, settings, until
from tests.support.postgres import free_port
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio

LEASE = timedelta(minutes=15)


@pytest.fixture
def world(store: Store, clock: VirtualClock) -> World:
    return World.make(store, clock)


@pytest.fixture
def second(database: Database, clock: VirtualClock, world: World) -> Iterator[World]:
    """The same database through another process's eyes."""
    with ExitStack() as stack:
        other = Database(database.url.render_as_string(hide_password=False))
        stack.callback(other.close)
        store = Store(other)
        stack.callback(store.close)
        context = type(world.context)(
            store=store,
            clock=clock,
            keyring=world.context.keyring,
            entropy=world.context.entropy,
            origin=world.context.origin,
        )
        yield World(context=context, clock=clock)


def facts_of(world: World, kind: EventType) -> list[Any]:
    bodies = [row.body for row in world.rows(tables.Event) if row.type == kind.value]
    return [parse_event(body.encode()).facts for body in bodies]


async def work_until_idle(world: World, port: int, **options: Any) -> int:
    worker = world.worker(settings(port, **options))
    done = 0
    while claimed := await worker.run_once():
        done += claimed
    await worker.close()
    return done


async def test_taken_mail_is_one_event_and_one_attempt(world: World) -> None:
    alert, notice = world.queue_notice()
    script = Script()
    async with scripted_server(script) as port:
        assert await work_until_idle(world, port) == 1
    row = world.alert(alert)
    assert (row.state, row.attempts) == ("accepted", 1)
    assert (row.lease_holder, row.lease_until) == (None, None)
    assert row.message_id == f"<{alert}@post.example.org>"
    assert row.finished_at == world.clock.now()
    assert world.event_types(notice) == ["provided", "alert-sent"]
    [attempt] = world.rows(tables.AlertAttempt)
    assert (attempt.number, attempt.outcome) == (1, "accepted")
    assert len(script.mails) == 1


async def test_every_line_of_the_dialogue_is_in_the_event(world: World) -> None:
    world.queue_notice()
    script = Script(answers={"RCPT": b"250-2.1.5 first\r\n250 2.1.5 second\r\n"})
    async with scripted_server(script) as port:
        await work_until_idle(world, port)
    [facts] = facts_of(world, EventType.ALERT_SENT)
    text = json.dumps(facts)
    [token] = set(re.findall(rb"<bounces\+([^@>]+)@", b"\n".join(script.commands)))
    for command in script.commands:
        if command != b"QUIT":  # the return address is a key to forging reports: only its digest
            shown = command.replace(token, hidden(token.decode()).encode())
            assert json.dumps(shown.decode())[1:-1] in text
    assert token.decode() not in text
    for line in ("220 fake.example.net ESMTP", "250-2.1.5 first", "250 2.1.5 second", "FAKE01"):
        assert line in text
    assert facts["address"] == "alice@example.org"
    assert facts["does_not_prove"] == DOES_NOT_PROVE[EventType.ALERT_SENT]
    assert "accepted by the next server is not arrived" in facts["does_not_prove"]


async def test_refused_address_is_one_failure_and_gets_no_mail_again(world: World) -> None:
    alert, notice = world.queue_notice(email="bob@example.org")
    async with scripted_server(Script(answers={"RCPT": b"550 5.1.1 unknown\r\n"})) as port:
        await work_until_idle(world, port)
    assert world.alert(alert).state == "failed"
    assert world.event_types(notice) == ["provided", "alert-failed"]
    [address] = [row for row in world.rows(tables.Address) if row.email == "bob@example.org"]
    assert address.failed_at == world.clock.now()

    _, second_notice = world.queue_notice(email="bob@example.org")
    script = Script()
    async with scripted_server(script) as port:
        assert await work_until_idle(world, port) == 1
    assert script.connections == 0
    assert world.event_types(second_notice) == ["provided", "alert-failed"]
    reasons = [facts["submission"]["reason"] for facts in facts_of(world, EventType.ALERT_FAILED)]
    assert reasons == ["refused", "address-failed-before"]


async def test_policy_refusal_fails_the_alert_but_not_the_address(world: World) -> None:
    _, notice = world.queue_notice()
    async with scripted_server(Script(answers={"RCPT": b"554 5.7.1 relaying denied\r\n"})) as port:
        await work_until_idle(world, port)
    assert world.event_types(notice) == ["provided", "alert-failed"]
    assert [row.failed_at for row in world.rows(tables.Address)] == [None]


async def test_address_that_cannot_be_written_to_fails_at_once(world: World) -> None:
    _, notice = world.queue_notice(email="älice@example.org")
    await work_until_idle(world, free_port())
    assert world.event_types(notice) == ["provided", "alert-failed"]
    assert [row.failed_at for row in world.rows(tables.Address)] == [world.clock.now()]


async def test_put_off_alert_waits_longer_each_time_then_goes_out(world: World) -> None:
    alert, notice = world.queue_notice()
    script = Script(answers={"RCPT": b"450 4.2.1 greylisted\r\n"})
    async with scripted_server(script) as port:
        for minutes in (1, 2, 4):
            assert await work_until_idle(world, port) == 1
            row = world.alert(alert)
            assert row.state == "deferred"
            assert row.due_at == world.clock.now() + timedelta(minutes=minutes)
            world.clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
            assert await work_until_idle(world, port) == 0
            world.clock.advance(timedelta(seconds=1))
        script.answers = {}
        assert await work_until_idle(world, port) == 1
    assert world.event_types(notice) == ["provided", "alert-sent"]
    [facts] = facts_of(world, EventType.ALERT_SENT)
    assert [one["attempt"] for one in facts["earlier_attempts"]] == [1, 2, 3]
    assert {one["words"] for one in facts["earlier_attempts"]} == {"4.2.1 greylisted"}
    assert facts["attempt"] == 4
    assert len({row.evidence["message_id"] for row in world.rows(tables.AlertAttempt)}) == 1


async def test_two_days_of_silence_end_in_one_failure(world: World) -> None:
    alert, notice = world.queue_notice()
    port = free_port()
    start = world.clock.now()
    worker = world.worker(settings(port))
    while (row := world.alert(alert)).finished_at is None:
        if row.due_at > world.clock.now():
            world.clock.advance(row.due_at - world.clock.now())
        await worker.run_once()
    assert row.state == "given-up"
    assert row.finished_at - start == timedelta(hours=48)
    assert world.event_types(notice) == ["provided", "alert-failed"]
    [facts] = facts_of(world, EventType.ALERT_FAILED)
    assert len(facts["earlier_attempts"]) == row.attempts - 1 > 50
    assert facts["submission"]["reason"] == "unreachable"
    assert [row.failed_at for row in world.rows(tables.Address)] == [None]
    await worker.close()


async def test_longest_possible_evidence_still_fits_into_an_event(world: World) -> None:
    alert, _ = world.queue_notice()
    junk = b'\\\x01"' * 150
    lines = b"".join(b"450-" + junk + b"\r\n" for _ in range(50))
    answers = {
        "GREETING": b"".join(b"220-" + junk + b"\r\n" for _ in range(40)) + b"220 x\r\n",
        "EHLO": b"".join(b"250-" + junk + b"\r\n" for _ in range(60)) + b"250 DSN\r\n",
        "RCPT": lines + b"450 " + junk + b"\r\n",
    }
    worker = None
    async with scripted_server(Script(answers=answers)) as port:
        worker = world.worker(settings(port))
        while (row := world.alert(alert)).finished_at is None:
            world.clock.advance(max(row.due_at - world.clock.now(), timedelta(0)))
            await worker.run_once()
        await worker.close()
    assert row.state == "given-up"
    assert len(facts_of(world, EventType.ALERT_FAILED)) == 1


async def test_lost_answer_is_tried_again_under_the_same_message_id(world: World) -> None:
    alert, notice = world.queue_notice()
    script = Script(answers={"BODY": None})
    async with scripted_server(script) as port:
        await work_until_idle(world, port)
        assert world.alert(alert).state == "deferred"
        script.answers = {}
        world.clock.advance(timedelta(minutes=2))
        await work_until_idle(world, port)
    assert len(script.mails) == 2
    identifiers = [
        line for mail in script.mails for line in mail.split(b"\r\n") if line[:11] == b"Message-ID:"
    ]
    assert len(set(identifiers)) == 1
    assert world.event_types(notice) == ["provided", "alert-sent"]
    [facts] = facts_of(world, EventType.ALERT_SENT)
    assert facts["earlier_attempts"][0]["reason"] == "answer-lost"


async def test_code_mail_leaves_no_event_and_no_code_behind(world: World) -> None:
    alert = world.queue_code()
    script = Script()
    async with scripted_server(script) as port:
        await work_until_idle(world, port)
    assert world.alert(alert).state == "accepted"
    assert CODE.encode() in script.mails[0]
    assert list(world.rows(tables.Event)) == []
    for model in (tables.Alert, tables.AlertAttempt):
        assert CODE not in str(world.rows(model))


async def test_code_that_has_expired_is_not_sent(world: World) -> None:
    alert = world.queue_code()
    world.clock.advance(timedelta(minutes=31))
    script = Script()
    async with scripted_server(script) as port:
        await work_until_idle(world, port)
    assert world.alert(alert).state == "failed"
    assert script.connections == 0


async def test_two_workers_share_the_outbox_and_double_nothing(world: World, second: World) -> None:
    notices = [world.queue_notice()[1] for _ in range(60)]
    script = Script()
    async with scripted_server(script) as port:
        workers = [
            one.worker(settings(port, concurrency=8, poll_seconds=0.05), holder)
            for one, holder in ((world, "worker-1"), (second, "worker-2"))
        ]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        await until(lambda: len(script.mails) == 60)
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)
    assert all(world.event_types(notice) == ["provided", "alert-sent"] for notice in notices)
    assert len(script.mails) == 60
    assert {row.state for row in world.rows(tables.Alert)} == {"accepted"}


async def test_claims_of_two_workers_never_overlap(world: World, second: World) -> None:
    for _ in range(20):
        world.queue_notice()

    async def claim(one: World, holder: str) -> list[str]:
        now = one.clock.now()
        claimed = await one.context.store.write(
            lambda connection: claim_alerts(
                connection, holder=holder, now=now, lease=LEASE, limit=12
            )
        )
        return [alert.id for alert in claimed]

    first, other = await asyncio.gather(claim(world, "worker-1"), claim(second, "worker-2"))
    rest = await claim(world, "worker-1")
    assert sorted(first + other + rest) == sorted(row.id for row in world.rows(tables.Alert))


async def test_lease_that_ran_out_is_taken_over_and_the_late_worker_records_nothing(
    world: World, second: World
) -> None:
    alert, notice = world.queue_notice()
    submit = Submitter.submit
    script = Script()
    async with scripted_server(script) as port:
        slow, fast = world.worker(settings(port)), second.worker(settings(port), "worker-2")
        over, go = asyncio.Event(), asyncio.Event()

        async def late(self: Submitter, *args: Any, **options: Any) -> Any:
            result = await submit(self, *args, **options)
            over.set()
            await go.wait()
            return result

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Submitter, "submit", late)
            working = asyncio.create_task(slow.run_once())
            await over.wait()
        assert await fast.run_once() == 0
        world.clock.advance(LEASE)
        assert await fast.run_once() == 1
        go.set()
        await working
        await slow.close()
        await fast.close()
    assert len(script.mails) == 2
    assert world.event_types(notice) == ["provided", "alert-sent"]
    [attempt] = world.rows(tables.AlertAttempt)
    assert (attempt.alert_id, attempt.number) == (alert, 2)
    [facts] = facts_of(world, EventType.ALERT_SENT)
    assert facts["earlier_attempts"][0]["reason"] == "worker-vanished"


async def test_outcome_is_recorded_once_the_database_is_back(world: World) -> None:
    _, notice = world.queue_notice()
    writer, failures = world.context.store.writer, 3
    run_bulk = writer.run_bulk

    async def away(bulk: Any, item: Any, **options: Any) -> Any:
        nonlocal failures
        if failures and isinstance(item, Finished):
            failures -= 1
            raise StoreUnavailable("away")
        return await run_bulk(bulk, item, **options)

    script = Script()
    async with scripted_server(script) as port:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writer, "run_bulk", away)
            await work_until_idle(world, port)
    assert failures == 0
    assert len(script.mails) == 1
    assert world.event_types(notice) == ["provided", "alert-sent"]


async def test_stopping_worker_finishes_what_is_under_way_and_claims_nothing_more(
    world: World,
) -> None:
    for _ in range(3):
        world.queue_notice()
    script = Script(answers={"BODY": 0.3})
    async with scripted_server(script) as port:
        worker = world.worker(settings(port, concurrency=2, poll_seconds=0.05))
        running = asyncio.create_task(worker.run())
        await until(lambda: len(script.mails) == 2)
        worker.stop()
        await running
    states = sorted(row.state for row in world.rows(tables.Alert))
    assert states == ["accepted", "accepted", "queued"]


async def test_worker_wakes_when_an_alert_is_queued(world: World) -> None:
    script = Script()
    async with scripted_server(script) as port:
        worker = world.worker(settings(port, poll_seconds=60.0))
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(0.1)
        world.queue_notice()
        world.context.store.alerts_queued.set()
        await until(lambda: script.mails)
        worker.stop()
        await running
    assert [row.state for row in world.rows(tables.Alert)] == ["accepted"]


async def test_broken_attempt_leaves_the_worker_alive_and_the_alert_to_be_retried(
    world: World,
) -> None:
    alert, notice = world.queue_notice()
    script = Script()
    async with scripted_server(script) as port:
        worker = world.worker(settings(port, poll_seconds=0.05))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Submitter, "submit", _broken)
            running = asyncio.create_task(worker.run())
            await until(lambda: world.alert(alert).attempts)
            await asyncio.sleep(0.1)
        assert not running.done()
        world.clock.advance(LEASE)
        await until(lambda: script.mails)
        worker.stop()
        await running
    assert world.event_types(notice) == ["provided", "alert-sent"]


async def _broken(*_args: Any, **_options: Any) -> None:
    raise RuntimeError("a defect of ours")
