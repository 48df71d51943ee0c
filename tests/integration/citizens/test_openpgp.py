"""A citizen's OpenPGP key: proposed, compared, in force, replaced; found by WKD or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from siegelpost.citizens import openpgp as use
from siegelpost.citizens.openpgp import (
    FingerprintWrong,
    OpenPgpKeyRefused,
    OpenPgpKeyUnknown,
    OpenPgpUnavailable,
)
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.openpgp import OpenPgp, Refusal
from siegelpost.openpgp.wkd import locations
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.store import Store
from tests.support.alerts import World
from tests.support.openpgp import Directory, Person, person

pytestmark = pytest.mark.anyio

ALICE = MailboxId("mailbox-1")
CHARLIE = MailboxId("mailbox-charlie")
EMAIL = "alice@example.org"


@pytest.fixture(scope="module")
def alice() -> Iterator[Person]:
    with person() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def made(alice: Person) -> str:
    return alice.make(f"Alice Beispiel <{EMAIL}>")


@pytest.fixture(scope="module")
def engine() -> OpenPgp:
    return OpenPgp()


@pytest.fixture
def world(store: Store, clock: VirtualClock, keyring: FileKeyring) -> World:
    world = World.make(store, clock, keyring)
    world.queue_notice(email=EMAIL)  # brings the confirmed address
    return world


async def propose(world: World, engine: OpenPgp, armored: bytes) -> use.ShownKey:
    return await use.propose_key(world.context, engine, mailbox=ALICE, armored=armored.decode())


async def put_in_force(world: World, engine: OpenPgp, armored: bytes) -> use.ShownKey:
    shown = await propose(world, engine, armored)
    await use.confirm_key(
        world.context, mailbox=ALICE, key=shown.id, fingerprint=shown.fingerprint.lower()
    )
    return shown


async def test_key_is_used_only_after_its_fingerprint_was_compared(
    world: World, engine: OpenPgp, alice: Person, made: str
) -> None:
    shown = await propose(world, engine, alice.export(made))
    assert shown.fingerprint.replace(" ", "") == made
    assert shown.user_ids == (f"Alice Beispiel <{EMAIL}>",)
    assert await use.key_of(world.context, mailbox=ALICE) is None
    with pytest.raises(FingerprintWrong):
        await use.confirm_key(world.context, mailbox=ALICE, key=shown.id, fingerprint="0" * 40)
    assert await use.key_of(world.context, mailbox=ALICE) is None
    await use.confirm_key(world.context, mailbox=ALICE, key=shown.id, fingerprint=shown.fingerprint)
    found = await use.key_of(world.context, mailbox=ALICE)
    assert found is not None
    assert (found.fingerprint, found.source) == (shown.fingerprint, "upload")


async def test_charlie_can_confirm_and_see_nothing_of_alice_s(
    world: World, engine: OpenPgp, alice: Person, made: str
) -> None:
    shown = await propose(world, engine, alice.export(made))
    with pytest.raises(OpenPgpKeyUnknown):
        await use.confirm_key(
            world.context, mailbox=CHARLIE, key=shown.id, fingerprint=shown.fingerprint
        )
    await use.confirm_key(world.context, mailbox=ALICE, key=shown.id, fingerprint=shown.fingerprint)
    assert await use.key_of(world.context, mailbox=CHARLIE) is None
    with pytest.raises(OpenPgpKeyUnknown):
        await use.remove_key(world.context, mailbox=CHARLIE)
    assert await use.key_of(world.context, mailbox=ALICE) is not None


async def test_new_key_replaces_the_old_one_and_removal_ends_it(
    world: World, engine: OpenPgp, alice: Person, made: str
) -> None:
    await put_in_force(world, engine, alice.export(made))
    other = alice.make("Alice Neu <alice@example.org>")
    second = await put_in_force(world, engine, alice.export(other))
    found = await use.key_of(world.context, mailbox=ALICE)
    assert found is not None
    assert found.fingerprint == second.fingerprint
    rows = world.rows(tables.OpenPgpKey)
    assert [row.removed_at is None for row in sorted(rows, key=lambda row: row.id)] in (
        [False, True],
        [True, False],
    )
    await use.remove_key(world.context, mailbox=ALICE)
    assert await use.key_of(world.context, mailbox=ALICE) is None
    with pytest.raises(OpenPgpKeyUnknown):
        await use.remove_key(world.context, mailbox=ALICE)


async def test_newer_proposal_ends_the_one_before(
    world: World, engine: OpenPgp, alice: Person, made: str
) -> None:
    first = await propose(world, engine, alice.export(made))
    await propose(world, engine, alice.export(made))
    with pytest.raises(OpenPgpKeyUnknown):
        await use.confirm_key(
            world.context, mailbox=ALICE, key=first.id, fingerprint=first.fingerprint
        )


async def test_unusable_keys_are_refused_with_a_reason(
    world: World, engine: OpenPgp, alice: Person
) -> None:
    old = alice.make("Old <old@example.org>", expires="1y", on="20200101")
    for armored, reason in (
        (alice.export(old), Refusal.EXPIRED),
        (b"hello", Refusal.UNREADABLE),
    ):
        with pytest.raises(OpenPgpKeyRefused) as refused:
            await propose(world, engine, armored)
        assert refused.value.reason is reason
        assert str(refused.value)
    assert world.rows(tables.OpenPgpKey) == []


async def test_revoked_copy_ends_the_key_in_force(
    world: World, engine: OpenPgp, alice: Person
) -> None:
    gone = alice.make("Alice Gone <alice@example.org>")
    await put_in_force(world, engine, alice.export(gone))
    alice.revoke(gone)
    with pytest.raises(OpenPgpKeyRefused) as refused:
        await propose(world, engine, alice.export(gone))
    assert refused.value.reason is Refusal.REVOKED
    assert await use.key_of(world.context, mailbox=ALICE) is None


async def test_somebody_s_revoked_key_ends_no_other(
    world: World, engine: OpenPgp, alice: Person, made: str
) -> None:
    await put_in_force(world, engine, alice.export(made))
    gone = alice.make("Bob Gone <bob@example.org>")
    alice.revoke(gone)
    with pytest.raises(OpenPgpKeyRefused):
        await propose(world, engine, alice.export(gone))
    assert await use.key_of(world.context, mailbox=ALICE) is not None


async def test_without_gpg_citizens_are_told_that_it_is_not_their_fault(
    world: World, alice: Person, made: str
) -> None:
    with pytest.raises(OpenPgpUnavailable):
        await propose(world, OpenPgp(program="/nowhere/gpg"), alice.export(made))


@pytest.mark.parametrize("method", ["advanced", "direct"])
async def test_key_is_found_by_either_method(
    world: World, engine: OpenPgp, alice: Person, made: str, method: str
) -> None:
    place = getattr(locations(EMAIL), method)
    directory = Directory({place: alice.export(made, armor=False)})
    shown = await use.find_key(world.context, engine, directory, mailbox=ALICE)
    assert shown.source == "wkd"
    assert shown.fingerprint.replace(" ", "") == made
    assert len(directory.asked) == (1 if method == "advanced" else 2)
    assert await use.key_of(world.context, mailbox=ALICE) is None


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {locations(EMAIL).advanced: None, locations(EMAIL).direct: b"never asked"},
        {locations(EMAIL).advanced: b""},
    ],
)
async def test_no_key_in_the_directory(
    world: World, engine: OpenPgp, answers: dict[str, Any]
) -> None:
    with pytest.raises(OpenPgpKeyUnknown):
        await use.find_key(world.context, engine, Directory(answers), mailbox=ALICE)


async def test_directory_s_key_for_somebody_else_is_not_taken(
    world: World, engine: OpenPgp, alice: Person
) -> None:
    other = alice.make("alice@example.org <bob@example.org>")
    directory = Directory({locations(EMAIL).advanced: alice.export(other, armor=False)})
    with pytest.raises(OpenPgpKeyUnknown):
        await use.find_key(world.context, engine, directory, mailbox=ALICE)


async def test_only_a_confirmed_address_is_looked_up(world: World, engine: OpenPgp) -> None:
    address = tables.core(tables.Address)
    with world.context.store.database.write() as connection:
        connection.execute(update(address).values(confirmed_at=None))
    directory = Directory({})
    with pytest.raises(OpenPgpKeyUnknown):
        await use.find_key(world.context, engine, directory, mailbox=ALICE)
    assert directory.asked == []
