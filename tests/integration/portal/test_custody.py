"""Recovery, changed secrets, proofs and sessions: what changes, what ends, who gets nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from siegelpost.citizens.devices import device_of
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.events import events_of
from tests.support.custody import new_passphrase, new_recovery, prove, recover
from tests.support.portal import BIRTH_DATE, PASSPHRASE, Town

ALICE = "alice@beispiel.example"
CHARLIE = "charlie@fremd.example"
NOBODY = "niemand@beispiel.example"
NEW = "Apfel Dampfer Gardine Moor"
CODE = new_recovery_code(bytes(range(50, 77)))


async def activated(town: Town, email: str = ALICE) -> tuple[Citizen, str]:
    """Somebody with a mailbox, and the recovery code."""
    enrolled = await town.letter()
    citizen = town.citizen()
    code = await citizen.activate(
        code=enrolled.activation_code,
        birth_date=BIRTH_DATE,
        email=email,
        read_code=lambda: town.mailed_code(email),
        passphrase=PASSPHRASE,
    )
    return citizen, code


async def refusal(citizen: Citizen, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    with pytest.raises(PortalRefused) as refused:
        await citizen.post(path, body)
    return refused.value.status, refused.value.code


async def over(citizen: Citizen) -> bool:
    try:
        await citizen.get("/inbox/notices")
    except PortalRefused as refused:
        return refused.code == "session-over"
    return False


async def wrapped(town: Town) -> list[tuple[str, bytes]]:
    row = tables.core(tables.WrappedSeed)
    found = await town.context.store.read(lambda c: c.execute(select(row)).all())
    return sorted((copy.method, bytes(copy.sealed)) for copy in found)


async def test_code_logs_in_unlocks_and_is_exchanged_with_the_passphrase(town: Town) -> None:
    alice, code = await activated(town)
    before = await wrapped(town)
    helper = town.citizen()
    await recover(helper, ALICE, code.lower().replace("-", " "))
    assert helper.seeds == alice.seeds
    only = {"passphrase": new_passphrase(helper, NEW)}
    assert await refusal(helper, "/account/secrets", only) == (422, "input-invalid")
    await helper.post("/account/secrets", only | {"recovery_code": new_recovery(helper, CODE)})
    assert not {sealed for _, sealed in before} & {sealed for _, sealed in await wrapped(town)}
    assert [method for method, _ in await wrapped(town)] == ["passphrase", "recovery-code"]
    assert await over(alice)
    with pytest.raises(PortalRefused, match="login-refused"):
        await town.citizen().log_in(ALICE, PASSPHRASE)
    with pytest.raises(PortalRefused, match="login-refused"):
        await recover(town.citizen(), ALICE, code)
    again = town.citizen()
    await again.log_in(ALICE, NEW)
    assert again.seeds == alice.seeds
    await recover(again, ALICE, CODE)
    assert again.seeds == alice.seeds
    mailbox = f"mailbox:{again.mailbox}"
    events = await town.context.store.read(lambda c: events_of(c, mailbox))
    assert [event.type for event in events[3:]] == [
        "logged-in", "key-copy-changed", "key-copy-changed", "logged-in", "logged-in",
    ]  # fmt: skip
    facts = [json.loads(event.body or "")["facts"] for event in events[3:6]]
    assert facts == [
        {"method": "recovery-code"},
        {"method": "passphrase", "change": "replaced"},
        {"method": "recovery-code", "change": "replaced"},
    ]


async def test_recovery_that_stops_on_the_way_changes_nothing(town: Town) -> None:
    alice, code = await activated(town)
    await recover(town.citizen(), ALICE, code)
    await recover(town.citizen(), ALICE, code)
    assert not await over(alice)
    await town.citizen().log_in(ALICE, PASSPHRASE)


async def test_recovery_tells_nobody_which_names_exist(town: Town, clock: VirtualClock) -> None:
    await activated(town)
    stranger = town.citizen()
    await stranger.load("/recover")
    salts = {}
    seen: dict[str, list[object]] = {ALICE: [], NOBODY: []}
    for name in seen:
        first = await stranger.post("/login/recovery/prepare", {"login_name": name})
        assert first == await stranger.post("/login/recovery/prepare", {"login_name": name.upper()})
        salts[name] = first["recovery_salt"]
        login = await stranger.post("/login/prepare", {"login_name": name})
        assert (len(salts[name]), login["login_salt"] != salts[name]) == (24, True)
    assert salts[ALICE] != salts[NOBODY]
    for _ in range(8):
        for name, answers in seen.items():
            body = {"login_name": name, "recovery_proof": "A" * 43 + "="}
            answers.append(await refusal(stranger, "/login/recovery", body))
        clock.advance(timedelta(seconds=4))
    assert seen[ALICE] == seen[NOBODY]
    assert (429, "too-many-tries") in seen[ALICE]
    # Somebody who guesses codes does not lock the owner out of the passphrase.
    await town.citizen().log_in(ALICE, PASSPHRASE)


async def test_neither_half_logs_in_in_the_place_of_the_other(town: Town) -> None:
    alice, _ = await activated(town)
    body = new_recovery(alice, CODE)
    await alice.load("/account")
    await alice.post("/account/secrets", {"recovery_code": body})
    stranger = town.citizen()
    await stranger.load("/login")
    login = {"login_name": ALICE, "login_proof": body["proof"]}
    assert await refusal(stranger, "/login", login) == (403, "login-refused")


async def test_secrets_need_a_fresh_proof(town: Town, clock: VirtualClock) -> None:
    alice, _ = await activated(town)
    await alice.log_in(ALICE, PASSPHRASE)
    await alice.load("/account")
    body = {"passphrase": new_passphrase(alice, NEW)}
    assert await refusal(alice, "/account/secrets", body) == (403, "proof-needed")
    wrong = {"login_proof": "A" * 43 + "="}
    for _ in range(5):
        assert await refusal(alice, "/account/prove", wrong) == (403, "login-refused")
    assert await refusal(alice, "/account/prove", wrong) == (429, "too-many-tries")
    assert await refusal(alice, "/account/secrets", body) == (403, "proof-needed")
    clock.advance(timedelta(seconds=10))
    await prove(alice, PASSPHRASE)
    clock.advance(timedelta(minutes=10))
    assert await refusal(alice, "/account/secrets", body) == (403, "proof-needed")
    await prove(alice, PASSPHRASE)
    stolen = dict(alice.cookies)
    answer = await alice.post("/account/secrets", body)
    thief = town.citizen()
    thief.cookies = stolen
    assert await over(thief)
    assert not await over(alice)
    alice.form_token = answer["form_token"]
    await alice.post("/account/sessions/end", {"session": "others"})


async def test_owner_is_told_by_mail_when_access_changes(town: Town) -> None:
    alice, _ = await activated(town)
    await alice.load("/account")
    assert await told(town) == []
    with pytest.raises(PortalRefused):
        await alice.post("/account/secrets", {"passphrase": {}})
    assert await told(town) == []
    passphrase = await asyncio.to_thread(new_passphrase, alice, NEW)
    await alice.post("/account/secrets", {"passphrase": passphrase})
    assert await told(town) == [ALICE]


async def told(town: Town) -> list[str]:
    """Who got a mail about changed access."""
    alert, address = tables.core(tables.Alert), tables.core(tables.Address)
    query = (
        select(address.c.email)
        .join(alert, alert.c.address_id == address.c.id)
        .where(alert.c.kind == "access-changed")
    )
    return list(await town.context.store.read(lambda c: c.scalars(query).all()))


async def test_bad_copies_change_nothing(town: Town) -> None:
    alice, _ = await activated(town)
    charlie, _ = await activated(town, CHARLIE)
    await alice.load("/account")
    good = new_passphrase(alice, NEW)
    [copy] = good["wrapped"]
    foreign = new_passphrase(charlie, NEW)["wrapped"]
    before = await wrapped(town)
    for change, code in (
        ({"wrapped": []}, "key-binding-wrong"),
        ({"wrapped": [copy, copy]}, "key-binding-wrong"),
        ({"wrapped": foreign}, "key-binding-wrong"),
        ({"wrapped": [copy, *foreign]}, "key-binding-wrong"),
        ({"wrapped": [copy | {"method": "recovery-code"}]}, "key-binding-wrong"),
        ({"wrapped": [copy | {"method": "magic"}]}, "key-binding-wrong"),
        ({"wrapped": [copy | {"sealed": "AAAA"}]}, "key-binding-wrong"),
        ({"wrapped": [copy] * 11}, "input-invalid"),
        ({"salt": "AAAA"}, "input-invalid"),
        ({"proof": ""}, "input-invalid"),
        ({"more": 1}, "input-invalid"),
    ):
        refused = await refusal(alice, "/account/secrets", {"passphrase": good | change})
        assert refused == (422, code), change
    assert await refusal(alice, "/account/secrets", {}) == (422, "input-invalid")
    assert await wrapped(town) == before
    await town.citizen().log_in(ALICE, PASSPHRASE)


async def test_two_changes_at_once_leave_one_whole_state(town: Town) -> None:
    alice, _ = await activated(town)
    await alice.load("/account")
    bodies = [{"passphrase": new_passphrase(alice, word)} for word in (NEW, NEW + " zwei")]
    outcomes = await asyncio.gather(
        *(alice.post("/account/secrets", body) for body in bodies), return_exceptions=True
    )
    # The first one renews the session, so that the second comes too late or from nowhere.
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert [method for method, _ in await wrapped(town)] == ["passphrase", "recovery-code"]
    word = NEW if not isinstance(outcomes[0], Exception) else NEW + " zwei"
    winner = town.citizen()
    await winner.log_in(ALICE, word)
    assert winner.seeds == alice.seeds


async def test_charlie_sees_and_ends_only_what_is_his(town: Town) -> None:
    alice, _ = await activated(town)
    charlie, _ = await activated(town, CHARLIE)
    own = await alice.get("/account/overview")
    foreign = await charlie.get("/account/overview")
    assert own["login_name"] == ALICE
    text = json.dumps(foreign)
    assert ALICE not in text
    assert own["sessions"][0]["id"] not in text
    await charlie.load("/account")
    unknown = "00" * 32
    answers = [
        await charlie.post("/account/sessions/end", {"session": session})
        for session in (own["sessions"][0]["id"], unknown, "others")
    ]
    assert answers == [{}, {}, {}]
    assert not await over(alice)
    assert await refusal(charlie, "/account/sessions/end", {"session": "x"}) == (
        422,
        "input-invalid",
    )
    theirs = {"passphrase": {**new_passphrase(alice, NEW)}}
    assert await refusal(charlie, "/account/secrets", theirs) == (422, "key-binding-wrong")


async def test_strangers_get_nothing_from_the_account(town: Town) -> None:
    stranger = town.citizen()
    await stranger.load("/")
    for path in ("/account/overview", "/account/keys"):
        with pytest.raises(PortalRefused, match="session-over"):
            await stranger.get(path)
    secret = {"salt": "", "proof": "", "wrapped": []}
    for path, body in (
        ("/account/prove", {"login_proof": "A" * 43 + "="}),
        ("/account/secrets", {"passphrase": secret}),
        ("/account/sessions/end", {"session": "others"}),
    ):
        assert await refusal(stranger, path, body) == (401, "session-over")


async def test_sessions_are_listed_by_family_of_device_and_ended_one_by_one(
    town: Town, clock: VirtualClock
) -> None:
    alice, _ = await activated(town)
    clock.advance(timedelta(minutes=5))
    phone = town.citizen()
    await phone.log_in(ALICE, PASSPHRASE)
    listed = (await alice.get("/account/overview"))["sessions"]
    assert [item["own"] for item in listed] == [False, True]
    await alice.load("/account")
    await alice.post("/account/sessions/end", {"session": listed[0]["id"]})
    assert await over(phone)
    assert not await over(alice)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/28.0 Chrome/138.0.0.0 Mobile Safari/537.36",
            "Samsung Internet, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
            "Edge, Windows",
        ),
        ("curl/8", ""),
        ("<script>" * 1000, ""),
    ],
)
def test_devices_are_named_by_family_alone(agent: str, device: str) -> None:
    assert device_of(agent) == device
