"""Reports become evidence, once, whatever their order, over both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from siegelpost.bounces.errors import BounceUnknown
from siegelpost.bounces.intake import Intake, Reply
from siegelpost.bounces.reading import open_report
from siegelpost.bounces.report_events import Origin
from siegelpost.bounces.settings import BounceSettings
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import AlertId, NoticeId
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.keys import Identity
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.outbox import claim_alerts
from tests.support.alerts import World, settings
from tests.support.reports import DOMAIN, address_of, hand_in, report, vacation
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio


async def accepted(world: World, *, email: str = "alice@example.org") -> tuple[AlertId, NoticeId]:
    """An alert that the next server took."""
    alert, notice = world.queue_notice(email=email)
    await work(world, Script())
    assert world.alert(alert).state == "accepted"
    return alert, notice


async def work(world: World, script: Script) -> None:
    async with scripted_server(script) as port:
        worker = world.worker(settings(port))
        await worker.run_once()
        await worker.close()


def intake(world: World, **others: Any) -> Intake:
    return Intake(world.context, BounceSettings(domain=DOMAIN, **others))


async def take(world: World, alert: AlertId, action: str, **details: Any) -> Reply:
    to = address_of(world.context, alert)
    return await hand_in(intake(world), report(to, action, **details), to)


def facts(world: World, kind: EventType) -> Any:
    [body] = [row.body for row in world.rows(tables.Event) if row.type == kind.value]
    return parse_event(body.encode()).facts


@contextmanager
def away(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database is out of reach inside the block."""

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(world.context.store, "read", refuse)
        patched.setattr(world.context.store, "write_bulk", refuse)
        yield


async def test_delivery_is_recorded_with_the_reports_words(world: World) -> None:
    alert, notice = await accepted(world)
    assert (await take(world, alert, "delivered")).code == 250
    assert world.alert(alert).state == "delivered"
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-delivered"]
    seen = facts(world, EventType.ALERT_DELIVERED)
    assert (seen["alert"], seen["kind"], seen["address"]) == (alert, "notice", "alice@example.org")
    assert seen["report"]["remote_words"].endswith("delivered to mailbox")
    assert seen["report"]["received_from"] == {
        "address": "192.0.2.7",
        "helo": "mx.example.net",
        "tls": "TLSv1.3",
    }
    assert seen["report"]["envelope_id_is_ours"] is True
    assert "read the mail" in seen["does_not_prove"]
    assert world.rows(tables.Task) == []


@pytest.mark.parametrize(
    ("peer", "passed_on", "stops"),
    [("127.0.0.1", False, True), ("127.0.0.1", True, False), ("192.0.2.7", False, False)],
)
async def test_only_failures_that_our_mail_server_reports_itself_stop_mail_to_the_address(
    world: World, peer: str, passed_on: bool, stops: bool
) -> None:
    alert, _ = await accepted(world)
    to = address_of(world.context, alert)
    trace = b"from mx.example.net ([192.0.2.7])" if passed_on else b"by post.example.org"
    raw = b"Received: " + trace + b"\r\n" + report(to, "failed")
    await hand_in(intake(world), raw, to, origin=Origin(peer=peer))
    assert world.alert(alert).state == "failed"
    assert (world.rows(tables.Address)[0].failed_at is not None) is stops


async def test_failure_opens_a_task(world: World) -> None:
    alert, notice = await accepted(world)
    assert (await take(world, alert, "failed")).code == 250
    assert world.alert(alert).state == "failed"
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-failed"]
    [task] = world.rows(tables.Task)
    assert (task.kind, task.notice_id, task.alert_id) == ("alert-failed", notice, alert)
    assert task.facts["status"] == "5.1.1"
    assert "alice" not in str(task.facts)


async def test_failure_for_now_spares_the_address(world: World) -> None:
    alert, _ = await accepted(world)
    await take(world, alert, "failed", status="4.4.7", words="delivery time expired")
    assert world.alert(alert).state == "failed"
    assert world.rows(tables.Address)[0].failed_at is None


async def test_refusal_for_policy_spares_the_address(world: World) -> None:
    alert, _ = await accepted(world)
    words = "550 5.7.1 Message rejected due to local policy"
    await take(world, alert, "failed", status="5.7.1", words=words)
    assert world.alert(alert).state == "failed"
    assert world.rows(tables.Address)[0].failed_at is None


async def test_failure_weeks_after_delivery_is_kept_for_the_agency_to_judge(world: World) -> None:
    alert, notice = await accepted(world)
    await take(world, alert, "delivered")
    to = address_of(world.context, alert)
    world.clock.advance(timedelta(days=21))
    assert (await hand_in(intake(world), report(to, "failed"), to)).code == 250
    assert world.event_types(notice)[2:] == ["alert-delivered"]
    assert world.alert(alert).state == "delivered"
    assert world.rows(tables.Address)[0].failed_at is None
    [task] = world.rows(tables.Task)
    assert task.facts["contradicts_delivery"] is True
    assert task.facts["days_after_sending"] == 21


@pytest.mark.parametrize("action", ["delayed", "relayed"])
async def test_first_report_from_on_the_way_is_evidence_and_moves_nothing(
    world: World, action: str
) -> None:
    alert, notice = await accepted(world)
    asked = world.alert(alert).confirm_by
    for serial in range(3):
        assert (await take(world, alert, action, serial=serial)).code == 250
    assert (world.alert(alert).state, world.alert(alert).confirm_by) == ("accepted", asked)
    assert world.event_types(notice) == ["provided", "alert-sent", f"alert-{action}"]
    seen = facts(world, EventType(f"alert-{action}"))
    assert (seen["alert"], seen["report"]["action"]) == (alert, action)
    assert "arrived" in seen["does_not_prove"]
    assert [row.effect for row in world.rows(tables.Bounce)] == [action, "none", "none"]
    assert (await take(world, alert, "delivered")).code == 250
    assert world.event_types(notice)[-1] == "alert-delivered"


async def test_report_from_on_the_way_after_the_end_is_kept_alone(world: World) -> None:
    alert, notice = await accepted(world)
    await take(world, alert, "delivered")
    await take(world, alert, "delayed")
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-delivered"]
    assert [row.effect for row in world.rows(tables.Bounce)] == ["delivered", "none"]


async def test_automatic_reply_is_kept_and_changes_nothing(world: World) -> None:
    alert, notice = await accepted(world)
    to = address_of(world.context, alert)
    assert (await hand_in(intake(world), vacation(to), to)).code == 250
    assert world.event_types(notice) == ["provided", "alert-sent"]
    assert [row.kind for row in world.rows(tables.Bounce)] == ["auto-reply"]


async def test_same_message_again_is_known(world: World) -> None:
    alert, notice = await accepted(world)
    for _ in range(3):
        assert (await take(world, alert, "failed")).code == 250
    assert world.event_types(notice).count("alert-failed") == 1
    assert len(world.rows(tables.Bounce)) == 1


async def test_second_report_of_the_same_news_is_kept_without_an_event(world: World) -> None:
    alert, notice = await accepted(world)
    for serial in range(3):
        await take(world, alert, "failed", serial=serial)
    assert world.event_types(notice).count("alert-failed") == 1
    assert sorted(row.effect for row in world.rows(tables.Bounce)) == ["failed", "none", "none"]
    assert len(world.rows(tables.Task)) == 1


async def test_delivery_after_a_failure_is_evidence_and_the_failure_stands(world: World) -> None:
    alert, notice = await accepted(world)
    await take(world, alert, "failed")
    await take(world, alert, "delivered")
    assert world.event_types(notice)[2:] == ["alert-failed", "alert-delivered"]
    assert world.alert(alert).state == "failed"


async def test_delivery_after_a_lost_answer_shows_that_the_mail_was_sent(world: World) -> None:
    alert, notice = world.queue_notice()
    await work(world, Script(answers={"BODY": None}))
    assert world.alert(alert).state == "deferred"
    await take(world, alert, "delivered")
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-delivered"]
    sent = facts(world, EventType.ALERT_SENT)
    assert sent["submission"]["reason"] == "answer-lost"
    assert "its answer to us was lost" in sent["proves"]
    row = world.alert(alert)
    assert row.state == "delivered"
    assert row.finished_at == world.clock.now()
    world.clock.advance(timedelta(days=2))
    script = Script()
    await work(world, script)
    assert script.mails == []


@pytest.mark.parametrize("action", ["delivered", "failed"])
async def test_report_about_a_deferred_mail_that_nobody_took_stops_no_attempt(
    world: World, action: str
) -> None:
    alert, notice = world.queue_notice()
    await work(world, Script(answers={"RCPT": b"450 4.2.0 greylisted\r\n"}))
    assert (await take(world, alert, action)).code == 250
    assert world.event_types(notice) == ["provided"]
    assert [row.effect for row in world.rows(tables.Bounce)] == ["none"]
    world.clock.advance(timedelta(hours=2))
    await work(world, Script())
    assert world.alert(alert).state == "accepted"


async def test_return_token_is_readable_in_no_event_and_no_attempt(world: World) -> None:
    alert, _ = await accepted(world)
    to = address_of(world.context, alert)
    token = to.partition("+")[2].partition("@")[0]
    words = f"250 2.0.0 delivered for {to}"
    await hand_in(intake(world), report(to, "delivered", words=words), to)
    events = world.rows(tables.Event)
    attempts = world.rows(tables.AlertAttempt)
    assert len(events) == 3
    assert "sha256:" in events[-1].body
    assert not [row for row in events if token in row.body]
    assert token not in str([row.evidence for row in attempts])


async def test_report_while_a_worker_holds_the_alert_comes_again(world: World) -> None:
    alert, notice = world.queue_notice()
    with world.context.store.database.write() as connection:
        claim_alerts(
            connection,
            holder="w",
            now=world.clock.now(),
            lease=timedelta(minutes=15),
            limit=1,
        )
    assert (await take(world, alert, "failed")).code == 451
    assert world.event_types(notice) == ["provided"]
    assert world.rows(tables.Bounce) == []


async def test_database_that_is_away_means_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert, notice = await accepted(world)
    with away(world, monkeypatch):
        assert (await take(world, alert, "failed")).code == 451
    assert (await take(world, alert, "failed")).code == 250
    assert world.event_types(notice).count("alert-failed") == 1


async def test_forged_expired_and_foreign_addresses_are_refused(world: World) -> None:
    alert, _ = await accepted(world)
    to = address_of(world.context, alert)
    taken = intake(world)
    foreign = to.replace(DOMAIN, "post.example.net")
    for address in ("bounces+" + "a" * 55 + "@" + DOMAIN, foreign, "alice@example.org"):
        assert (await hand_in(taken, report(to), address)).code == 550
    world.clock.advance(timedelta(days=62))
    reply = await hand_in(taken, report(to), to)
    assert str(reply) == "550 5.1.1 this address has expired"
    assert world.rows(tables.Bounce) == []


async def test_signed_address_of_an_alert_that_is_gone_is_refused(world: World) -> None:
    gone = AlertId("01a20000-0000-7000-8000-00000000dead")
    assert (await take(world, gone, "failed")).code == 550


async def test_mail_loop_is_cut_off(world: World) -> None:
    alert, _ = await accepted(world)
    to = address_of(world.context, alert)
    small = intake(world, reports_per_alert=3)
    replies = [
        (await hand_in(small, report(to, "delayed", serial=serial), to)).code for serial in range(5)
    ]
    assert replies == [250, 250, 250, 550, 550]
    # What counts is taken all the same, once.
    for serial, action, code in ((6, "delivered", 250), (7, "failed", 250), (8, "failed", 550)):
        assert (await hand_in(small, report(to, action, serial=serial), to)).code == code


async def test_message_is_kept_sealed_and_opens_with_the_agencys_key(world: World) -> None:
    alert, _ = await accepted(world)
    to = address_of(world.context, alert)
    raw = report(to, "failed")
    await hand_in(intake(world), raw, to)
    [kept] = world.rows(tables.Bounce)

    def read(connection: Connection) -> bytes:
        return b"".join(read_blob(connection, kept.blob_id))

    sealed = world.context.store.read_now(read)
    assert b"alice" not in sealed
    keyring = world.context.keyring
    assert world.context.store.read_now(lambda c: open_report(c, keyring, kept.id)) == raw
    with pytest.raises(BounceUnknown):
        world.context.store.read_now(lambda c: open_report(c, keyring, "no-such-report"))


async def test_agency_with_a_key_of_its_own_alone_reads_its_reports(world: World) -> None:
    own = Identity(bytes(range(32)))
    with world.context.store.database.write() as connection:
        agency = tables.core(tables.Agency)
        connection.execute(agency.update().values(evidence_recipient=own.recipient.raw))
    alert, _ = await accepted(world)
    await take(world, alert, "failed")
    [kept] = world.rows(tables.Bounce)
    sealed = world.context.store.read_now(
        lambda connection: b"".join(read_blob(connection, kept.blob_id))
    )
    assert b"no such user" in open_bytes(sealed, [own])


async def test_report_about_a_confirmation_code_changes_the_alert_alone(world: World) -> None:
    alert = world.queue_code()
    await work(world, Script())
    await take(world, alert, "failed")
    assert world.alert(alert).state == "failed"
    assert world.rows(tables.Event) == []
    assert world.rows(tables.Task) == []
