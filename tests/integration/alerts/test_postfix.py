"""The whole dialogue with a real Postfix: TLS, DSN, queue id, refusal, arrival at the next hop."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from siegelpost.alerts.settings import TlsPolicy
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.letterbox import Letterbox
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.store import Store
from tests.support.alerts import World, settings, until
from tests.support.postfix import Postfix, running_postfix, why_not

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.postfix,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]


@pytest.fixture(scope="module")
def letterbox() -> Iterator[Letterbox]:
    with Letterbox() as letterbox:
        yield letterbox


@pytest.fixture(scope="module")
def postfix(letterbox: Letterbox) -> Iterator[Postfix]:
    refused = {"bob@example.org": "550 5.1.1 no such user here"}
    with running_postfix(next_hop=letterbox.smtp_port, refused=refused) as postfix:
        yield postfix


@pytest.fixture
def world(store: Store, clock: VirtualClock) -> World:
    return World.make(store, clock)


async def work(world: World, postfix: Postfix) -> None:
    worker = world.worker(
        settings(postfix.port, tls=TlsPolicy.REQUIRED, ca_file=postfix.certificate)
    )
    await worker.run_once()
    await worker.close()


def facts(world: World, kind: EventType) -> Any:
    [body] = [row.body for row in world.rows(tables.Event) if row.type == kind.value]
    return parse_event(body.encode()).facts


async def test_transcript_of_a_real_mail_server_is_complete(world: World, postfix: Postfix) -> None:
    alert, notice = world.queue_notice()
    await work(world, postfix)
    assert world.event_types(notice) == ["provided", "alert-sent"]
    seen = facts(world, EventType.ALERT_SENT)["submission"]
    connection = seen["connection"]
    assert connection["greeting"].startswith("mx.post.example ESMTP Postfix")
    assert {"PIPELINING", "DSN", "ENHANCEDSTATUSCODES"} <= set(connection["capabilities"])
    assert connection["tls"]["version"] == "TLSv1.3"
    assert connection["tls"]["verified"] is True
    assert [one["command"] for one in connection["dialogue"]] == [
        None,
        "EHLO post.example.org",
        "STARTTLS",
        "EHLO post.example.org",
    ]
    size = seen["message_bytes"]
    assert [one["command"] for one in seen["dialogue"]] == [
        f"MAIL FROM:<{seen['envelope_sender']}> SIZE={size} RET=HDRS ENVID={seen['envelope_id']}",
        "RCPT TO:<alice@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;alice@example.org",
        "DATA",
        f"[mail, {size + 3} bytes on the wire]",
    ]
    assert [one["reply"][0][:3] for one in seen["dialogue"]] == ["250", "250", "354", "250"]
    assert all(one["replied_at"] for one in connection["dialogue"] + seen["dialogue"])
    assert seen["dsn_requested"] is True
    await until(
        lambda: f"{seen['queue_id']}: message-id=<{alert}@post.example.org>" in postfix.log()
    )


async def test_mail_arrives_at_the_next_hop_as_it_was_sent(
    world: World, postfix: Postfix, letterbox: Letterbox
) -> None:
    world.queue_notice()
    await work(world, postfix)
    seen = facts(world, EventType.ALERT_SENT)["submission"]
    identifier = seen["message_id"]

    def arrived() -> list[Any]:
        return [one for one in letterbox.letters if one.header("message-id") == identifier]

    await until(arrived)
    [letter] = arrived()
    # Postfix puts Received lines in front and changes nothing else: what is signed stays whole.
    own = letter.raw[letter.raw.index(b"\r\nFrom: ") + 2 :]
    assert sha256(own).hexdigest() == seen["message_sha256"]


async def test_postfix_reports_under_our_envelope_id(
    world: World, postfix: Postfix, letterbox: Letterbox
) -> None:
    world.queue_notice()
    await work(world, postfix)
    seen = facts(world, EventType.ALERT_SENT)["submission"]

    def reports() -> list[Any]:
        return [one for one in letterbox.letters if _digest(one) == seen["envelope_id"]]

    await until(reports)
    report = email.message_from_bytes(reports()[0].raw, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    token = reports()[0].recipients[0].partition("+")[2].partition("@")[0]
    assert f"Original-Envelope-Id: {token}".encode() in reports()[0].raw
    assert b"Action: relayed" in reports()[0].raw


async def test_recipient_that_postfix_refuses_is_a_failure_with_its_words(
    world: World, postfix: Postfix
) -> None:
    _, notice = world.queue_notice(email="bob@example.org")
    await work(world, postfix)
    assert world.event_types(notice) == ["provided", "alert-failed"]
    seen = facts(world, EventType.ALERT_FAILED)["submission"]
    assert (seen["step"], seen["code"], seen["status"]) == ("rcpt", 550, "5.1.1")
    assert "no such user here" in seen["words"]


async def test_thirty_alerts_arrive_once_each_over_few_connections(
    world: World, postfix: Postfix, letterbox: Letterbox
) -> None:
    alerts = [world.queue_notice()[0] for _ in range(30)]
    await work(world, postfix)
    identifiers = {f"<{alert}@post.example.org>" for alert in alerts}

    def arrived() -> list[str]:
        found = [one.header("message-id") for one in letterbox.letters]
        return [identifier for identifier in found if identifier in identifiers]

    await until(lambda: len(arrived()) >= 30)
    await asyncio.sleep(0.2)
    assert sorted(arrived()) == sorted(identifiers)
    opened = {
        str(row.evidence["connection"]["opened_at"] + str(row.evidence["connection"]["dialogue"]))
        for row in world.rows(tables.AlertAttempt)
    }
    assert len(opened) <= 4


def _digest(letter: Any) -> str:
    """Digest of the return token that a report came to, as evidence names it."""
    token = letter.recipients[0].partition("+")[2].partition("@")[0]
    return f"sha256:{sha256(token.encode()).hexdigest()}"
