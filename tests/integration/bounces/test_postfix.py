"""Alerts and reports through a real Postfix: each way of a mail ends in the right event.

Four kinds of domains stand behind it: one that takes mail, one that Postfix refuses at RCPT, one
that takes mail from us and bounces it later, and one that cannot be reached. Postfix's own reports
come to our bounce server through its transport table. Days pass by the virtual clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from siegelpost.alerts.follow_up import FollowUp, FollowUpSettings
from siegelpost.alerts.settings import TlsPolicy
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.store import tables
from siegelpost.store.errors import StoreUnavailable
from tests.support.alerts import World, settings, until
from tests.support.postfix import Postfix, running_postfix, why_not
from tests.support.postgres import free_port
from tests.support.reports import DOMAIN, bounce_server
from tests.support.smtp_servers import Script, scripted_server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.postfix,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A mail server with the outer world behind it, and the way back to us."""

    world: World
    postfix: Postfix
    #: the server of the domain that bounces later
    bouncing: Script

    async def work(self) -> None:
        """Submit what is due."""
        worker = self.world.worker(
            settings(self.postfix.port, tls=TlsPolicy.REQUIRED, ca_file=self.postfix.certificate)
        )
        while await worker.run_once():
            pass
        await worker.close()

    def facts(self, kind: EventType) -> Any:
        """Facts of the only event of this kind."""
        rows = self.world.rows(tables.Event)
        [body] = [row.body for row in rows if row.type == kind.value]
        return parse_event(body.encode()).facts


@asynccontextmanager
async def site(world: World) -> AsyncIterator[Site]:
    bouncing = Script(answers={"RCPT": b"550 5.1.1 <bob>: no mailbox of that name\r\n"})
    async with bounce_server(world.context) as server, scripted_server(bouncing) as later:
        with running_postfix(
            refused={"bob@closed.example": "550 5.1.1 no such user here"},
            transports={
                DOMAIN: f"smtp:[127.0.0.1]:{server.port}",
                "later.example": f"smtp:[127.0.0.1]:{later}",
                "away.example": f"smtp:[127.0.0.1]:{free_port()}",
            },
            lifetime="6s",
            delay_warning="1s",
        ) as postfix:
            yield Site(world=world, postfix=postfix, bouncing=bouncing)


async def test_every_way_of_a_mail_ends_in_the_right_event(world: World) -> None:
    emails = {
        "taken": "alice@open.example",
        "refused": "bob@closed.example",
        "bounced": "bob@later.example",
        "unreachable": "charlie@away.example",
    }
    async with site(world) as outside:
        sent = {name: world.queue_notice(email=email) for name, email in emails.items()}
        await outside.work()
        states = {name: world.alert(alert).state for name, (alert, _) in sent.items()}
        assert states["refused"] == "failed"

        def over() -> bool:
            return all(
                world.alert(alert).state in ("delivered", "failed") for alert, _ in sent.values()
            )

        await until(over, seconds=60)
    found = {name: world.event_types(notice)[1:] for name, (_, notice) in sent.items()}
    assert found == {
        "taken": ["alert-sent", "alert-delivered"],
        "refused": ["alert-failed"],
        "bounced": ["alert-sent", "alert-failed"],
        "unreachable": ["alert-sent", "alert-delayed", "alert-failed"],
    }
    tasks = {row.notice_id for row in world.rows(tables.Task) if row.kind == "alert-failed"}
    assert tasks == {sent[name][1] for name in ("refused", "bounced", "unreachable")}
    failed = {row.email for row in world.rows(tables.Address) if row.failed_at is not None}
    # The unreachable domain may come back: its address is not given up.
    assert failed == {"bob@closed.example", "bob@later.example"}
    reports = [(row.alert_id, row.action) for row in world.rows(tables.Bounce)]
    assert (sent["unreachable"][0], "delayed") in reports


async def test_bounce_of_postfix_is_read_whole(world: World) -> None:
    async with site(world) as outside:
        alert, _ = world.queue_notice(email="bob@later.example")
        await outside.work()
        await until(lambda: world.alert(alert).state == "failed", seconds=30)
    report = outside.facts(EventType.ALERT_FAILED)["report"]
    assert report["kind"] == "bounce"
    assert report["format"] == "rfc3464"
    assert report["status"] == "5.1.1"
    assert report["reason"] == "unknown-user"
    assert report["permanent"] is True
    assert "no mailbox of that name" in report["remote_words"]
    assert report["envelope_id_is_ours"] is True
    assert report["reporting_mta"] == "mx.post.example"


async def test_silence_of_days_becomes_a_question_and_then_an_answer(world: World) -> None:
    """A domain that takes the mail, says nothing for days, and then bounces it."""
    silent = Script(answers={"RCPT": b"450 4.2.0 come back later\r\n"})
    async with bounce_server(world.context) as server, scripted_server(silent) as later:
        with running_postfix(
            transports={
                DOMAIN: f"smtp:[127.0.0.1]:{server.port}",
                "later.example": f"smtp:[127.0.0.1]:{later}",
            },
            lifetime="1h",
        ) as postfix:
            outside = Site(world=world, postfix=postfix, bouncing=silent)
            alert, notice = world.queue_notice(email="bob@later.example")
            await outside.work()
            await until(lambda: any(line.startswith(b"RCPT") for line in silent.commands))
            world.clock.advance(timedelta(days=4))
            await FollowUp(world.context, FollowUpSettings()).run_once()
            kinds = [row.kind for row in world.rows(tables.Task)]
            assert kinds == ["alert-unconfirmed"]
            silent.answers = {"RCPT": b"550 5.1.1 no such user after all\r\n"}
            await until(lambda: world.alert(alert).state == "failed", seconds=30)
    assert "alert-failed" in world.event_types(notice)
    [failed] = [row for row in world.rows(tables.Task) if row.kind == "alert-failed"]
    assert failed.facts["days_after_sending"] == 4


async def test_report_waits_in_the_senders_queue_while_our_database_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = world.context.store
    original, away, refused = store.write_bulk, True, 0

    async def write_bulk(bulk: Any, item: Any, **options: Any) -> Any:
        nonlocal refused
        if away and type(item).__name__ == "Message":
            refused += 1
            raise StoreUnavailable("away")
        return await original(bulk, item, **options)

    monkeypatch.setattr(store, "write_bulk", write_bulk)
    async with site(world) as outside:
        alert, notice = world.queue_notice(email="bob@later.example")
        await outside.work()
        await until(lambda: refused >= 2, seconds=30)
        assert world.alert(alert).state == "accepted"
        away = False
        await until(lambda: world.alert(alert).state == "failed", seconds=30)
        await asyncio.sleep(1)
    assert world.event_types(notice) == ["provided", "alert-sent", "alert-failed"]
