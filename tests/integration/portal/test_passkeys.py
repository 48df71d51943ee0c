"""Passkeys on the server: single challenges, own hosts, user verification, counters, Charlie."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from siegelpost.citizens.housekeeping import sweep
from siegelpost.sealing.wrapping import SALT_SIZE, Method, passkey_key
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.authenticators import SoftPasskey
from tests.support.custody import b64, copies, prove
from tests.support.portal import PASSPHRASE, Town

ALICE = "alice@beispiel.example"
CHARLIE = "charlie@fremd.example"
PRF_OUTPUT = bytes(range(32))


async def refusal(citizen: Citizen, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    with pytest.raises(PortalRefused) as refused:
        await citizen.post(path, body)
    return refused.value.status, refused.value.code


async def registration(citizen: Citizen, passkey: SoftPasskey) -> dict[str, Any]:
    asked = await citizen.post("/account/passkeys/prepare")
    assert asked["rp_id"] == "post.example.org"
    return {**passkey.attest(asked["challenge"]), "wrapped": []}


async def with_passkey(
    town: Town, email: str = ALICE, *, counts: bool = True
) -> tuple[Citizen, SoftPasskey]:
    """Somebody with a mailbox and a passkey with PRF, logged in by passphrase."""
    citizen = await town.active(email)
    await citizen.load("/account")
    passkey = SoftPasskey(credential=email.encode(), sign_count=int(counts), counts=counts)
    body = await registration(citizen, passkey)
    salt = citizen.entropy(SALT_SIZE)
    body["wrapped"] = copies(citizen, Method.PASSKEY, salt, passkey_key(PRF_OUTPUT, salt))
    await citizen.post("/account/passkeys", body)
    return citizen, passkey


async def stranger(town: Town) -> Citizen:
    citizen = town.citizen()
    await citizen.load("/login")
    return citizen


async def answer(citizen: Citizen, passkey: SoftPasskey) -> dict[str, Any]:
    asked = await citizen.post("/login/passkey/prepare")
    assert asked["credentials"] == []
    return passkey.sign(asked["challenge"])


async def test_passkey_logs_in_and_its_copy_names_it(town: Town) -> None:
    alice, passkey = await with_passkey(town)
    phone = await stranger(town)
    done = await phone.post("/login/passkey", await answer(phone, passkey))
    assert done["mailbox"] == alice.mailbox
    account = await phone.get("/account/keys")
    [copy] = [item for item in account["keys"][0]["wrapped"] if item["method"] == "passkey"]
    assert copy["parameters"]["credential"] == b64(passkey.credential)
    overview = await phone.get("/account/overview")
    assert (overview["method"], overview["proved"]) == ("passkey", False)
    kinds = [(event["type"], event["method"], event["change"]) for event in overview["events"]]
    assert kinds[:2] == [("logged-in", "passkey", None), ("key-copy-changed", "passkey", "added")]


async def test_challenge_is_answered_once_by_its_browser_for_its_purpose_in_its_time(
    town: Town, clock: VirtualClock
) -> None:
    alice, passkey = await with_passkey(town, counts=False)
    phone = await stranger(town)
    used = await answer(phone, passkey)
    await phone.post("/login/passkey", used)
    thief = await stranger(town)
    assert await refusal(thief, "/login/passkey", used) == (403, "login-refused")
    assert await refusal(phone, "/login/passkey", used) == (403, "login-refused")
    fresh = await answer(thief, passkey)
    other = await stranger(town)
    assert await refusal(other, "/login/passkey", fresh) == (403, "login-refused")
    clock.advance(timedelta(minutes=5))
    assert await refusal(thief, "/login/passkey", fresh) == (403, "login-refused")
    await prove(alice, PASSPHRASE)
    asked = await alice.post("/account/passkeys/prepare")
    wrong = passkey.sign(asked["challenge"])
    assert await refusal(alice, "/account/prove/passkey", wrong) == (403, "login-refused")
    made_up = passkey.sign(b64(bytes(56)))
    assert await refusal(thief, "/login/passkey", made_up) == (403, "login-refused")
    await thief.post("/login/passkey", await answer(thief, passkey))


async def test_same_answer_sent_many_times_at_once_opens_one_session(town: Town) -> None:
    _, passkey = await with_passkey(town, counts=False)
    phone = await stranger(town)
    body = await answer(phone, passkey)
    outcomes = await asyncio.gather(
        *(phone.post("/login/passkey", body) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://post.example.org.evil.example"},
        {"origin": "http://post.example.org"},
        {"host": "evil.example"},
        {"verified": False},
        {"sign_count": 0},
        {"key": SoftPasskey(credential=b"x").key},
        {"credential": b"unknown"},
    ],
)
async def test_cheating_answers_are_refused_alike(town: Town, change: dict[str, Any]) -> None:
    _, passkey = await with_passkey(town)
    honest = dict(vars(passkey))
    vars(passkey).update(change)
    phone = await stranger(town)
    body = await answer(phone, passkey)
    assert await refusal(phone, "/login/passkey", body) == (403, "login-refused")
    vars(passkey).update(honest)
    await phone.post("/login/passkey", await answer(phone, passkey))


async def test_malformed_answers_are_refused_without_an_error_of_ours(town: Town) -> None:
    _, passkey = await with_passkey(town)
    phone = await stranger(town)
    good = await answer(phone, passkey)
    for field in good:
        for junk in (b"", b"\xff" * 200, b"{}", b"[]", b"null", b'{"challenge":1}'):
            status, _ = await refusal(phone, "/login/passkey", good | {field: b64(junk)})
            assert status in (403, 422, 429)


async def test_guesses_with_a_known_passkey_are_slowed_down(town: Town) -> None:
    _, passkey = await with_passkey(town)
    thief = SoftPasskey(credential=passkey.credential)
    seen = []
    for credential in (passkey.credential, b"unknown"):
        thief.credential = credential
        phone = await stranger(town)
        seen.append(
            [await refusal(phone, "/login/passkey", await answer(phone, thief)) for _ in range(11)]
        )
    assert seen[0] == seen[1]
    assert seen[0][-1] == (429, "too-many-tries")


async def test_registration_needs_a_proof_and_holds(town: Town, clock: VirtualClock) -> None:
    alice, passkey = await with_passkey(town)
    new = SoftPasskey(credential=b"new")
    clock.advance(timedelta(minutes=10))
    body = await registration(alice, new)
    assert await refusal(alice, "/account/passkeys", body) == (403, "proof-needed")
    await prove(alice, PASSPHRASE)
    foreign = await stranger(town)
    asked = await foreign.post("/login/passkey/prepare")
    elsewhere = {**new.attest(asked["challenge"]), "wrapped": []}
    refused = (422, "passkey-refused")
    assert await refusal(alice, "/account/passkeys", elsewhere) == refused
    for change in ({"verified": False}, {"origin": "https://evil.example"}, {"host": "evil"}):
        bad = SoftPasskey(credential=b"bad", **change)
        assert await refusal(alice, "/account/passkeys", await registration(alice, bad)) == refused
    twice = await registration(alice, passkey)
    assert await refusal(alice, "/account/passkeys", twice) == refused
    named = await registration(alice, new) | {"credential": b64(b"other")}
    assert await refusal(alice, "/account/passkeys", named) == refused
    good = await registration(alice, new)
    broken = good | {"wrapped": copies(alice, Method.RECOVERY_CODE, bytes(16), bytes(32))}
    assert await refusal(alice, "/account/passkeys", broken) == (422, "key-binding-wrong")
    await alice.post("/account/passkeys", good)
    assert await refusal(alice, "/account/passkeys", good) == refused


async def test_removed_passkey_opens_nothing_and_other_sessions_end(town: Town) -> None:
    alice, passkey = await with_passkey(town)
    phone = await stranger(town)
    await phone.post("/login/passkey", await answer(phone, passkey))
    [known] = (await alice.get("/account/overview"))["passkeys"]
    await alice.load("/account")
    await alice.post("/account/passkeys/remove", {"passkey": known["id"]})
    with pytest.raises(PortalRefused, match="session-over"):
        await phone.get("/account/keys")
    account = await alice.get("/account/keys")
    assert {copy["method"] for copy in account["keys"][0]["wrapped"]} == {
        "passphrase",
        "recovery-code",
    }
    again = await stranger(town)
    body = await answer(again, passkey)
    assert await refusal(again, "/login/passkey", body) == (403, "login-refused")


async def test_charlie_neither_removes_nor_proves_with_nor_sees_anothers_passkey(
    town: Town,
) -> None:
    alice, passkey = await with_passkey(town)
    charlie, own = await with_passkey(town, CHARLIE)
    [known] = (await alice.get("/account/overview"))["passkeys"]
    answers = [
        await refusal(charlie, "/account/passkeys/remove", {"passkey": id_})
        for id_ in (known["id"], "01a00000-0000-7000-8000-000000000000")
    ]
    assert answers == [(404, "passkey-unknown")] * 2
    asked = await charlie.post("/account/prove/passkey/prepare")
    assert asked["credentials"] == [b64(own.credential)]
    stolen = passkey.sign(asked["challenge"])
    assert await refusal(charlie, "/account/prove/passkey", stolen) == (403, "login-refused")
    assert (await alice.get("/account/overview"))["passkeys"][0]["id"] == known["id"]
    nobody = await stranger(town)
    for path in ("/account/passkeys/prepare", "/account/prove/passkey/prepare"):
        assert await refusal(nobody, path, {}) == (401, "session-over")
    removal = {"passkey": known["id"]}
    assert await refusal(nobody, "/account/passkeys/remove", removal) == (401, "session-over")


async def test_used_challenges_are_forgotten_when_they_could_not_be_used_again(
    town: Town, clock: VirtualClock
) -> None:
    await with_passkey(town)
    count = select(func.count()).select_from(tables.core(tables.UsedChallenge))
    assert await town.context.store.read(lambda c: c.execute(count).scalar_one()) == 1
    clock.advance(timedelta(minutes=9))
    await sweep(town.context)
    assert await town.context.store.read(lambda c: c.execute(count).scalar_one()) == 1
    clock.advance(timedelta(minutes=2))
    await sweep(town.context)
    assert await town.context.store.read(lambda c: c.execute(count).scalar_one()) == 0
