"""Logins of staff: invited once, by passkey, in sessions that end, apart from citizens' logins."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from siegelpost.staff.housekeeping import sweep
from siegelpost.staff.members import disable, invite_again
from siegelpost.staff.roles import Role
from siegelpost.store.clock import VirtualClock
from tests.integration.console.conftest import ALICE
from tests.support.authenticators import SoftPasskey
from tests.support.console import Desk, Office
from tests.support.portal import AGENCY, OTHER_AGENCY, Town


async def inside(desk: Desk) -> bool:
    return (await desk.get("/console/")).status_code == 200


async def test_invitation_lets_one_person_in_once(house: Office) -> None:
    invited = await house.invited(Role.CLERK)
    desk = house.stranger()
    assert not await inside(desk)
    assert (await desk.register(invited.code)).status_code == 200
    assert await inside(desk)
    thief = house.stranger()
    refused = await thief.register(invited.code)
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation-refused")
    assert (await desk.log_in()).status_code == 200
    assert await inside(desk)


async def test_two_who_use_one_invitation_at_once_are_not_both_let_in(house: Office) -> None:
    invited = await house.invited(Role.CLERK)
    desks = [house.stranger() for _ in range(3)]
    answers = await asyncio.gather(*(desk.register(invited.code) for desk in desks))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403]


@pytest.mark.parametrize("code", ["", "0000-0000", "0" * 28, "é" * 40, "x" * 4000])
async def test_made_up_codes_are_refused(house: Office, code: str) -> None:
    refused = await house.stranger().register(code)
    assert refused.json()["code"] == "invitation-refused"


async def test_invitation_is_over_after_a_week(house: Office, clock: VirtualClock) -> None:
    invited = await house.invited(Role.CLERK)
    clock.advance(timedelta(days=7))
    assert (await house.stranger().register(invited.code)).status_code == 403


async def test_session_ends_by_idling_by_age_and_by_logout(
    house: Office, clock: VirtualClock
) -> None:
    desk = await house.desk(Role.CLERK)
    clock.advance(timedelta(minutes=19))
    assert await inside(desk)
    clock.advance(timedelta(minutes=20))
    assert not await inside(desk)
    await desk.log_in()
    for _ in range(35):
        clock.advance(timedelta(minutes=17))
        assert await inside(desk)
    clock.advance(timedelta(minutes=5))
    assert not await inside(desk)
    await desk.log_in()
    cookies = dict(desk.http.cookies)
    await desk.get("/console/")
    await desk.post("/console/logout")
    desk.http.cookies.update(cookies)
    assert not await inside(desk)
    assert await sweep(house.context) >= 1


async def test_who_is_shut_out_is_out_at_once_and_stays_out(house: Office) -> None:
    desk = await house.desk(Role.CLERK)
    await disable(house.context, AGENCY, desk.id)
    assert not await inside(desk)
    assert (await desk.log_in()).json()["code"] == "login-refused"


async def test_new_invitation_ends_the_old_key(house: Office) -> None:
    desk = await house.desk(Role.CLERK)
    again = await invite_again(house.context, AGENCY, desk.id)
    assert not await inside(desk)
    assert (await desk.log_in()).status_code == 403
    desk.passkey = SoftPasskey(credential=b"new device")
    assert (await desk.register(again.code)).status_code == 200
    assert await inside(desk)


@pytest.mark.parametrize(
    "change",
    [
        {"verified": False},
        {"origin": "https://evil.example"},
        {"host": "evil.example"},
        {"key": SoftPasskey(credential=b"x").key},
        {"credential": b"unknown"},
    ],
)
async def test_cheating_answers_are_refused_alike(house: Office, change: dict[str, object]) -> None:
    desk = await house.desk(Role.CLERK)
    for name, value in change.items():
        setattr(desk.passkey, name, value)
    refused = await desk.log_in()
    assert (refused.status_code, refused.json()["code"]) == (403, "login-refused")


async def test_citizens_and_staffs_challenges_and_cookies_do_not_mix(
    town: Town, house: Office
) -> None:
    alice = await town.active(ALICE)
    desk = await house.desk(Role.CLERK)
    assert (await alice.client.get("/console/")).status_code in (303, 404)
    cookie = dict(desk.http.cookies)["__Host-console"]
    stranger = town.citizen()
    stranger.client.cookies.set("__Host-siegelpost", cookie)
    assert (await stranger.client.get("/account/overview")).status_code == 401
    other = house.stranger()
    await other.get("/console/login")
    asked = await other.post_json("/console/invitation/prepare", {"code": "0" * 28})
    assert asked.status_code == 403
    invited = await house.invited(Role.LEGAL)
    asked = await other.post_json("/console/invitation/prepare", {"code": invited.code})
    wrong = desk.passkey.sign(asked.json()["challenge"])
    assert (await other.post_json("/console/login/passkey", wrong)).status_code == 403


async def test_forged_forms_are_refused(house: Office) -> None:
    desk = await house.desk(Role.CLERK)
    right, desk.token = desk.token, "wrong"
    assert (await desk.post("/console/search", query="BG-1")).status_code == 403
    foreign = await house.desk(Role.CLERK, agency=OTHER_AGENCY)
    desk.token = foreign.token
    assert (await desk.post("/console/search", query="BG-1")).status_code == 403
    desk.token = right
    evil = await desk.http.post(
        "/console/search",
        data={"form_token": right, "query": "BG-1"},
        headers={"Origin": "https://evil.example"},
    )
    assert evil.status_code == 403
    large = await desk.post("/console/search", query="x" * 9000)
    assert large.status_code == 413


async def test_answers_carry_the_strict_headers_and_are_kept_nowhere(house: Office) -> None:
    desk = await house.desk(Role.CLERK)
    answer = await desk.get("/console/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-frame-options"] == "DENY"
