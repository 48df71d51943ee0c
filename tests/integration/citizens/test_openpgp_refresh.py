"""Keys that came from a directory are looked at again: renewed, ended, or only proposed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from siegelpost.citizens import openpgp as use
from siegelpost.citizens.openpgp_refresh import EVERY, refresh_keys
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.openpgp import OpenPgp
from siegelpost.openpgp.wkd import locations
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.store import Store
from tests.support.alerts import World
from tests.support.openpgp import Person, person

pytestmark = pytest.mark.anyio

ALICE = MailboxId("mailbox-1")
EMAIL = "alice@example.org"


@pytest.fixture(scope="module")
def alice() -> Iterator[Person]:
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def engine() -> Iterator[OpenPgp]:
    with OpenPgp() as made:
        yield made


@pytest.fixture
def world(store: Store, clock: VirtualClock, keyring: FileKeyring) -> World:
    world = World.make(store, clock, keyring)
    world.queue_notice(email=EMAIL)  # brings the confirmed address
    return world


class Directory:
    """A web key directory that serves one file, or nothing."""

    def __init__(self, content: bytes | None) -> None:
        """Serve `content`."""
        self.content = content
        self.asked = 0

    async def __call__(self, url: str) -> bytes | None:
        """Answer."""
        self.asked += 1
        assert url == locations(EMAIL).advanced
        return self.content


async def in_force(world: World, engine: OpenPgp, directory: Directory) -> use.ShownKey:
    shown = await use.find_key(world.context, engine, directory, mailbox=ALICE)
    await use.confirm_key(world.context, mailbox=ALICE, key=shown.id, fingerprint=shown.fingerprint)
    directory.asked = 0
    return shown


def pass_time(clock: VirtualClock) -> None:
    clock.advance(EVERY + timedelta(minutes=1))


def binary(alice: Person, fingerprint: str) -> bytes:
    return alice.export(fingerprint, armor=False)


async def test_newer_copy_takes_the_place_of_the_old_and_is_looked_at_weekly(
    world: World, engine: OpenPgp, alice: Person, clock: VirtualClock
) -> None:
    key = alice.make(f"Alice Beispiel <{EMAIL}>")
    directory = Directory(binary(alice, key))
    await in_force(world, engine, directory)
    assert (await refresh_keys(world.context, engine, directory)).seen == 0, "not before its time"
    table = tables.core(tables.OpenPgpKey)
    stale = {"public_key": "stale", "expires_at": clock.now() + timedelta(days=8)}
    with world.context.store.database.write() as connection:
        connection.execute(update(table).values(**stale))
    pass_time(clock)
    done = await refresh_keys(world.context, engine, directory)
    assert (done.seen, done.renewed) == (1, 1)
    found = await use.key_of(world.context, mailbox=ALICE)
    assert found is not None
    assert found.expires_at is None
    assert (await refresh_keys(world.context, engine, directory)).seen == 0
    pass_time(clock)
    again = await refresh_keys(world.context, engine, directory)
    assert (again.seen, again.renewed) == (1, 0)


async def test_other_key_is_only_proposed_and_once(
    world: World, engine: OpenPgp, alice: Person, clock: VirtualClock
) -> None:
    directory = Directory(binary(alice, alice.make(f"Alice Beispiel <{EMAIL}>")))
    shown = await in_force(world, engine, directory)
    directory.content = binary(alice, alice.make(f"Alice Neu <{EMAIL}>"))
    for proposed in (1, 0):
        pass_time(clock)
        assert (await refresh_keys(world.context, engine, directory)).proposed == proposed
    found = await use.key_of(world.context, mailbox=ALICE)
    assert found is not None
    assert found.fingerprint == shown.fingerprint, "nobody has compared the other one"


async def test_directory_that_says_nothing_changes_nothing(
    world: World, engine: OpenPgp, alice: Person, clock: VirtualClock
) -> None:
    directory = Directory(binary(alice, alice.make(f"Alice Beispiel <{EMAIL}>")))
    shown = await in_force(world, engine, directory)
    for content in (None, b"no key"):
        directory.content = content
        pass_time(clock)
        assert (await refresh_keys(world.context, engine, directory)).seen == 1
    found = await use.key_of(world.context, mailbox=ALICE)
    assert found is not None
    assert found.fingerprint == shown.fingerprint


async def test_revoked_key_ends(
    world: World, engine: OpenPgp, alice: Person, clock: VirtualClock
) -> None:
    key = alice.make(f"Alice Beispiel <{EMAIL}>")
    directory = Directory(binary(alice, key))
    await in_force(world, engine, directory)
    alice.revoke(key)
    directory.content = binary(alice, key)
    pass_time(clock)
    assert (await refresh_keys(world.context, engine, directory)).ended == 1
    assert await use.key_of(world.context, mailbox=ALICE) is None


async def test_uploaded_keys_are_the_citizens_business(
    world: World, engine: OpenPgp, alice: Person, clock: VirtualClock
) -> None:
    armored = alice.export(alice.make(f"Alice Beispiel <{EMAIL}>")).decode()
    shown = await use.propose_key(world.context, engine, mailbox=ALICE, armored=armored)
    await use.confirm_key(world.context, mailbox=ALICE, key=shown.id, fingerprint=shown.fingerprint)
    directory = Directory(None)
    pass_time(clock)
    assert (await refresh_keys(world.context, engine, directory)).seen == 0
    assert directory.asked == 0
