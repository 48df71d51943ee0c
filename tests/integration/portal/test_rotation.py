"""Exchanging the key: what it opens, what it no longer opens, and that no notice gets lost."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.age import payload_digest
from siegelpost.sealing.age_header import parse_header
from siegelpost.sealing.errors import NoMatch
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.events import events_of
from tests.support.alerts import until
from tests.support.custody import b64, prove
from tests.support.portal import PASSPHRASE, Town
from tests.support.rotation import new_headers, rewrap_all, rotate, rotation_body

CODE = new_recovery_code(bytes(range(27)))
ALICE = "alice@beispiel.example"


async def refusal(citizen: Citizen, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    with pytest.raises(PortalRefused) as refused:
        await citizen.post(path, body)
    return refused.value.status, refused.value.code


async def alice_with_notices(town: Town, count: int) -> tuple[Citizen, Any, list[NoticeId]]:
    letter = await town.letter()
    alice = await town.active(ALICE, enrolled=letter)
    return alice, letter, [await town.dispatch(letter, f"key-{n}") for n in range(count)]


async def kinds(town: Town, citizen: Citizen) -> list[str]:
    rows = await town.context.store.read(lambda c: events_of(c, f"mailbox:{citizen.mailbox}"))
    return [row.type for row in rows]


async def test_old_notices_stay_readable_and_are_acknowledged_by_the_new_key(town: Town) -> None:
    alice, letter, (first,) = await alice_with_notices(town, 1)
    before = await alice.open(first)
    old = dict(alice.seeds)
    await prove(alice, PASSPHRASE)
    new = await rotate(alice, PASSPHRASE, CODE)
    assert (await kinds(town, alice))[-2:] == ["key-bound", "key-retired"]
    second = await town.dispatch(letter, "later")
    # Still under its old header, the old seed being among those that the new one opens.
    assert len(await alice.inbox()) == 2
    assert await rewrap_all(alice) == 1
    alice.seeds = {new: alice.seeds[new]}
    opened = await alice.open(first)
    assert payload_digest(opened.sealed) == payload_digest(before.sealed)
    assert opened.sealed != before.sealed
    assert len(opened.sealed) == len(before.sealed)
    await alice.acknowledge(opened)
    await alice.acknowledge(await alice.open(second))
    await town.sequence()
    for notice in (first, second):
        checked = verify_receipt(await alice.receipt(notice), trust=town.trust())
        assert len(checked.steps) == len(STEPS)
    alice.seeds = old
    for notice in (first, second):
        with pytest.raises(NoMatch):
            await alice.open(notice)


async def test_a_new_login_opens_the_new_key_and_through_it_the_old_one(town: Town) -> None:
    alice, _, (first,) = await alice_with_notices(town, 1)
    await prove(alice, PASSPHRASE)
    await rotate(alice, PASSPHRASE, CODE)
    await prove(alice, PASSPHRASE)
    third = await rotate(alice, PASSPHRASE, CODE)
    await alice.log_out()
    await alice.log_in(ALICE, PASSPHRASE)
    assert next(iter(alice.seeds)) == third
    assert len(alice.seeds) == 3
    await alice.acknowledge(await alice.open(first))
    await town.sequence()
    verify_receipt(await alice.receipt(first), trust=town.trust())
    row = tables.core(tables.WrappedSeed)
    copies = await town.context.store.read(lambda c: c.execute(select(row)).all())
    assert sorted(copy.method for copy in copies if copy.key_id == third) == [
        "passphrase", "recovery-code",
    ]  # fmt: skip
    assert [copy.method for copy in copies if copy.key_id != third] == ["successor"] * 2


async def test_a_session_alone_exchanges_nothing(town: Town, clock: VirtualClock) -> None:
    alice, _, _ = await alice_with_notices(town, 0)
    await asyncio.sleep(0)
    clock.advance(timedelta(minutes=11))
    body, _, _ = await rotation_body(alice, PASSPHRASE, CODE)
    assert await refusal(alice, "/account/key", body) == (403, "proof-needed")
    await prove(alice, PASSPHRASE)
    await alice.post("/account/key", body)


@pytest.mark.parametrize(
    "change",
    ["ticket", "binding_signature", "succession_signature", "acknowledgement_key", "predecessor"],
)
async def test_a_key_that_is_not_vouched_for_takes_no_place(town: Town, change: str) -> None:
    alice, _, _ = await alice_with_notices(town, 0)
    charlie = await town.active("charlie@fremd.example")
    await prove(alice, PASSPHRASE)
    body, _, _ = await rotation_body(alice, PASSPHRASE, CODE)
    theirs, _, _ = await rotation_body(charlie, PASSPHRASE, CODE)
    status, code = await refusal(alice, "/account/key", {**body, change: theirs[change]})
    assert (status, code) in [(422, "key-binding-wrong"), (409, "key-outdated")]
    assert (await kinds(town, alice)).count("key-bound") == 1


async def test_two_exchanges_at_once_leave_one_key(town: Town) -> None:
    alice, _, _ = await alice_with_notices(town, 0)
    await prove(alice, PASSPHRASE)
    bodies = [(await rotation_body(alice, PASSPHRASE, CODE))[0] for _ in range(3)]
    done = await asyncio.gather(
        *(alice.post("/account/key", body) for body in bodies), return_exceptions=True
    )
    assert sum(isinstance(each, PortalRefused) for each in done) == 2
    key = tables.core(tables.MailboxKey)
    in_force = await town.context.store.read(
        lambda c: c.execute(select(key).where(key.c.retired_at.is_(None))).all()
    )
    assert len(in_force) == 1


def _are(sent: list[NoticeId], enough: int) -> bool:
    return len(sent) >= enough


async def test_dispatch_at_the_same_time_goes_to_one_of_the_keys_and_none_gets_lost(
    town: Town,
) -> None:
    alice, letter, _ = await alice_with_notices(town, 0)
    sent: list[NoticeId] = []
    over = asyncio.Event()

    async def agency(name: str) -> None:
        number = 0
        while not over.is_set():
            sent.append(await town.dispatch(letter, f"{name}-{number}"))
            number += 1
            await asyncio.sleep(0.03)  # each notice is opened and its receipt verified

    agencies = [asyncio.create_task(agency(name)) for name in ("a", "b", "c")]
    for _ in range(3):
        # However slow the machine is, each key gets some.
        await until(partial(_are, sent, len(sent) + 3))
        await prove(alice, PASSPHRASE)
        await rotate(alice, PASSPHRASE, CODE)
    over.set()
    await asyncio.gather(*agencies)
    assert {line.id for line in await alice.inbox()} == set(sent)
    await rewrap_all(alice)
    alice.seeds = {next(iter(alice.seeds)): next(iter(alice.seeds.values()))}
    for notice in sent:
        await alice.acknowledge(await alice.open(notice))
    await town.sequence()
    keys = set()
    for notice in sent:
        receipt = await alice.receipt(notice)
        verify_receipt(receipt, trust=town.trust())
        provided = json.loads(json.loads(receipt)["events"][1]["body"])
        (key,) = provided["facts"]["keys"]
        keys.add(key)
    assert len(keys) > 1, "no race: every notice went to one key"


async def test_rewrapping_goes_on_where_it_stopped(town: Town) -> None:
    alice, _, notices = await alice_with_notices(town, 11)
    await prove(alice, PASSPHRASE)
    await rotate(alice, PASSPHRASE, CODE)
    page = await alice.get("/account/rewrap")
    assert (page["count"], len(page["notices"])) == (11, 8)
    made = [new_headers(alice, item) for item in page["notices"][:3]]
    await alice.post("/account/rewrap", {"notices": made})
    await alice.log_out()
    await alice.log_in(ALICE, PASSPHRASE)
    await alice.post("/account/rewrap", {"notices": made})  # again: harmless
    assert (await alice.get("/account/rewrap"))["count"] == 8
    assert len((await alice.get("/account/rewrap?skip=6"))["notices"]) == 2
    assert await rewrap_all(alice) == 8
    assert len(await alice.inbox()) == len(notices)


async def test_headers_that_open_nothing_or_are_not_signed_are_refused(town: Town) -> None:
    alice, _, (first,) = await alice_with_notices(town, 1)
    charlie = await town.active("charlie@fremd.example")
    await prove(alice, PASSPHRASE)
    await rotate(alice, PASSPHRASE, CODE)
    (item,) = (await alice.get("/account/rewrap"))["notices"]
    good = new_headers(alice, item)

    async def refused(**changes: str) -> tuple[int, str]:
        return await refusal(alice, "/account/rewrap", {"notices": [{**good, **changes}]})

    invalid = (422, "rewrap-invalid")
    assert await refused(cover=good["package"]) == invalid
    assert await refused(signature=b64(bytes(64))) == invalid
    longer = base64.b64decode(good["package"]) + b"payload"
    assert await refused(package=b64(longer)) == invalid
    signer = acknowledgement_key(list(alice.seeds.values())[1])
    assert await refused(signature=b64(signer.sign(b"by the old key"))) == invalid
    assert await refusal(charlie, "/account/rewrap", {"notices": [good]}) == (404, "not-found")
    assert await refusal(charlie, "/account/rewrap", {"notices": [{**good, "notice": "unknown"}]})
    page = await charlie.get("/account/rewrap")
    assert (page["count"], page["notices"]) == (0, [])
    assert (await alice.open(first)).id == first
    await alice.post("/account/rewrap", {"notices": [good]})


async def test_the_old_seed_does_not_open_what_is_stored_afterwards(town: Town) -> None:
    alice, _, (first,) = await alice_with_notices(town, 1)
    old = KeyId(next(iter(alice.seeds)))
    await prove(alice, PASSPHRASE)
    await rotate(alice, PASSPHRASE, CODE)
    await rewrap_all(alice)
    identity = Identity(alice.seeds[old])
    blob = tables.core(tables.Blob)
    rows = await town.context.store.read(lambda c: c.execute(select(blob)).all())
    fronts = [row for row in rows if row.part == 0 and row.id.startswith(first)]
    assert len(fronts) == 2
    for row in fronts:
        assert identity.unwrap(parse_header(row.data).stanzas) is None
