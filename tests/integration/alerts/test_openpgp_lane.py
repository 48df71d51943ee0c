"""The OpenPGP lane beside the plain one: sorted at the claim, recorded like any alert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from siegelpost.alerts.openpgp_lane import OpenPgpLane
from siegelpost.alerts.worker import AlertWorker
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.openpgp import OpenPgp
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.outbox import Lane
from siegelpost.store.store import Store
from tests.support.alerts import World, composer, settings
from tests.support.openpgp import Person, person
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def alice() -> Iterator[Person]:
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def exported(alice: Person) -> str:
    return alice.export(alice.make("Alice Beispiel <alice@example.org>")).decode()


@pytest.fixture
def world(store: Store, clock: VirtualClock, keyring: FileKeyring) -> World:
    return World.make(store, clock, keyring)


@pytest.fixture
def lane(world: World) -> Iterator[OpenPgpLane]:
    lane = OpenPgpLane(world.context, composer(settings(25)), OpenPgp())
    yield lane
    lane.close()


def give_key(world: World, armored: str, **changes: Any) -> None:
    now = world.clock.now()
    values = {
        "id": "openpgp-1",
        "mailbox_id": "mailbox-1",
        "fingerprint": "F" * 40,
        "public_key": armored,
        "source": "upload",
        "created_at": now,
        "confirmed_at": now,
    }
    with world.context.store.database.write() as connection:
        connection.execute(insert(tables.core(tables.OpenPgpKey)), [values | changes])


def let_agency_sign(keyring: FileKeyring, world: World) -> str:
    with OpenPgp() as engine:
        key = engine.make_key("Jobcenter", "jobcenter@kreis.example", days=10)
    keyring.add_key(KeyPurpose.OPENPGP, "agency-1", now=world.clock.now(), private=key.encode())
    return key.fingerprint


def plain_worker(world: World, lane: OpenPgpLane, port: int) -> AlertWorker:
    own = settings(port)
    return AlertWorker(
        world.context, own, composer(own), holder="plain", lanes=(Lane.PLAIN,), elsewhere=lane.takes
    )


def submissions(world: World) -> list[Any]:
    rows = [row for row in world.rows(tables.Event) if row.type == EventType.ALERT_SENT.value]
    found: list[Any] = []
    for row in rows:
        facts: Any = parse_event(row.body.encode()).facts
        found.append(facts["submission"])
    return found


async def test_alert_of_a_citizen_with_a_key_goes_encrypted_through_its_own_lane(
    world: World, lane: OpenPgpLane, alice: Person, exported: str
) -> None:
    give_key(world, exported)
    world.queue_notice()
    code = world.queue_code()
    script = Script()
    async with scripted_server(script) as port:
        plain = plain_worker(world, lane, port)
        slow = lane.worker(settings(port), holder="plain")
        try:
            assert await slow.run_once() == 0  # nobody has sorted yet
            assert await plain.run_once() == 1  # the code, for which nobody waits at gpg
            assert world.alert(code).state == "accepted"
            assert await plain.run_once() == 0
            assert await slow.run_once() == 1
        finally:
            await plain.close()
            await slow.close()
    assert b"multipart/encrypted" not in script.mails[0]
    armored = re.search(rb"-----BEGIN PGP MESSAGE.*END PGP MESSAGE-----", script.mails[1], re.S)
    assert armored
    assert b"multipart/alternative" in alice.decrypt(armored[0])[0]
    [evidence] = submissions(world)
    assert evidence["openpgp"] == {"encrypted_to": "F" * 40, "signed_by": None}
    assert evidence["verdict"] == "accepted"


async def test_agency_s_key_signs_and_the_event_names_it(
    world: World, lane: OpenPgpLane, keyring: FileKeyring
) -> None:
    fingerprint = let_agency_sign(keyring, world)
    world.queue_notice()
    code = world.queue_code()
    script = Script()
    async with scripted_server(script) as port:
        plain = plain_worker(world, lane, port)
        slow = lane.worker(settings(port), holder="plain")
        assert (await plain.run_once(), await slow.run_once()) == (1, 1)
        await plain.close()
        await slow.close()
    assert world.alert(code).lane == "plain"
    assert b"multipart/signed" not in script.mails[0]
    assert b"multipart/signed" in script.mails[1]
    assert submissions(world)[0]["openpgp"] == {"encrypted_to": None, "signed_by": fingerprint}


async def test_key_that_expired_meanwhile_lets_the_alert_go_out_and_say_so(
    world: World, lane: OpenPgpLane, exported: str
) -> None:
    give_key(world, exported, expires_at=world.clock.now() + timedelta(minutes=1))
    _, notice = world.queue_notice()
    world.clock.advance(timedelta(minutes=2))
    async with scripted_server(Script()) as port:
        plain = plain_worker(world, lane, port)
        slow = lane.worker(settings(port), holder="plain")
        assert (await plain.run_once(), await slow.run_once()) == (0, 1)
        await plain.close()
        await slow.close()
    assert world.event_types(notice)[-1] == "alert-sent"
    assert submissions(world)[0]["openpgp"]["not_encrypted_because"] == "key-expired"


async def test_plain_alerts_pass_those_that_wait_for_gpg(
    world: World, lane: OpenPgpLane, exported: str
) -> None:
    give_key(world, exported)
    for _ in range(40):
        world.queue_notice()
    world.clock.advance(timedelta(seconds=1))
    code = world.queue_code()
    async with scripted_server(Script()) as port:
        plain = plain_worker(world, lane, port)
        assert await plain.run_once() == 1
        await plain.close()
    assert world.alert(code).state == "accepted"
    lanes = [row.lane for row in world.rows(tables.Alert)]
    assert sorted(lanes) == ["openpgp"] * 40 + ["plain"]
    waiting = [row for row in world.rows(tables.Alert) if row.lane == "openpgp"]
    assert all(row.attempts == 0 and row.lease_holder is None for row in waiting)


async def test_worker_alone_takes_what_was_sorted_before(
    world: World, lane: OpenPgpLane, exported: str
) -> None:
    give_key(world, exported)
    alert, _ = world.queue_notice()
    async with scripted_server(Script()) as port:
        plain = plain_worker(world, lane, port)
        assert await plain.run_once() == 0
        await plain.close()
        alone = world.worker(settings(port))
        assert await alone.run_once() == 1
        await alone.close()
    assert world.alert(alert).state == "accepted"
    assert "openpgp" not in submissions(world)[0]
