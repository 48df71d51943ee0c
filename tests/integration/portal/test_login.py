"""Login and sessions: no way to learn who exists, and no session that outlives its time."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.event import listen, remove
from structlog.testing import capture_logs

from siegelpost.citizens import sessions
from siegelpost.citizens.housekeeping import sweep
from siegelpost.portal import cookies
from siegelpost.sealing.wrapping import split_passphrase
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.portal import PASSPHRASE, Town

ALICE = "alice@beispiel.example"
NOBODY = "niemand@beispiel.example"


async def wrong_login(citizen: Citizen, name: str) -> str:
    """Status, headers and body of a login with a wrong passphrase, as one text."""
    body = json.dumps({"login_name": name, "login_proof": "A" * 43 + "="})
    answer = await citizen.client.post(
        "/login",
        content=body,
        headers={
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{n}={v}" for n, v in citizen.cookies.items()),
            "Sec-Fetch-Site": "same-origin",
            "X-Siegelpost-Form": citizen.form_token,
        },
    )
    return f"{answer.status_code} {sorted(answer.headers.items())} {answer.text}"


async def over(citizen: Citizen) -> bool:
    try:
        await citizen.get("/inbox/notices")
    except PortalRefused as refused:
        return (refused.status, refused.code) == (401, "session-over")
    return False


async def test_names_that_exist_and_names_that_do_not_look_alike(
    town: Town, clock: VirtualClock
) -> None:
    await town.active(ALICE)
    stranger = town.citizen()
    await stranger.load("/login")
    salts = {}
    for name in (ALICE, NOBODY):
        first = await stranger.post("/login/prepare", {"login_name": name})
        assert first == await stranger.post("/login/prepare", {"login_name": name.upper() + " "})
        salts[name] = first["login_salt"]
        assert len(salts[name]) == 24
    assert salts[ALICE] != salts[NOBODY]
    seen: dict[str, list[str]] = {ALICE: [], NOBODY: []}
    for _ in range(9):
        for name, answers in seen.items():
            answers.append(await wrong_login(stranger, name))
        clock.advance(timedelta(seconds=20))
    assert seen[ALICE] == seen[NOBODY]
    assert sum("login-refused" in answer for answer in seen[ALICE]) == 7
    assert sum("too-many-tries" in answer for answer in seen[ALICE]) == 2


async def test_refused_logins_are_logged_without_name_or_secret(town: Town) -> None:
    alice = await town.active(ALICE)
    stranger = town.citizen()
    await stranger.load("/login")
    with capture_logs() as lines:
        for name in (ALICE, NOBODY):
            await wrong_login(stranger, name)
        with pytest.raises(PortalRefused):
            await alice.get("/notices/01900000-0000-7000-8000-000000000000/facts")
    kinds = [(line["event"], line["route"], line["code"]) for line in lines]
    assert kinds == [
        ("refused", "/login", "login-refused"),
        ("refused", "/login", "login-refused"),
        ("refused", "/notices/{id}/facts", "not-found"),
    ]
    for said in (ALICE, NOBODY, "01900000", "AAAA"):
        assert said not in str(lines)


async def test_names_that_exist_cost_the_same_statements(town: Town) -> None:
    await town.active(ALICE)
    stranger = town.citizen()
    await stranger.load("/login")
    statements: dict[str, list[str]] = {}
    database = town.context.store.database
    for name in (ALICE, NOBODY):
        seen = statements[name] = []

        def note(*event: Any, seen: list[str] = seen) -> None:
            seen.append(event[2])

        for engine in {database.reading, database.writing}:
            listen(engine, "before_cursor_execute", note)
        await stranger.post("/login/prepare", {"login_name": name})
        assert "login-refused" in await wrong_login(stranger, name)
        for engine in {database.reading, database.writing}:
            remove(engine, "before_cursor_execute", note)
    assert statements[ALICE] == statements[NOBODY]
    assert len(statements[ALICE]) > 3


async def test_many_tries_at_once_gain_nothing(town: Town) -> None:
    await town.active(ALICE)
    stranger = town.citizen()
    await stranger.load("/login")
    answers = await asyncio.gather(*(wrong_login(stranger, ALICE) for _ in range(20)))
    assert sum("login-refused" in answer for answer in answers) == 5
    assert sum("too-many-tries" in answer for answer in answers) == 15


async def test_delay_also_holds_for_the_right_passphrase_and_ends(
    town: Town, clock: VirtualClock
) -> None:
    await town.active(ALICE)
    alice = town.citizen()
    await alice.load("/login")
    for _ in range(5):
        assert "login-refused" in await wrong_login(alice, ALICE)
    with pytest.raises(PortalRefused) as refused:
        await alice.log_in(ALICE, PASSPHRASE)
    assert (refused.value.status, refused.value.problem["retry_after"]) == (429, 5)
    clock.advance(timedelta(seconds=5))
    await alice.log_in(ALICE, PASSPHRASE)
    for _ in range(4):
        assert "login-refused" in await wrong_login(alice, ALICE)


async def test_session_ends_by_idling(town: Town, clock: VirtualClock) -> None:
    alice = await town.active(ALICE)
    for _ in range(4):
        clock.advance(timedelta(minutes=29))
        assert not await over(alice)
    clock.advance(sessions.IDLE_LIMIT)
    assert await over(alice)


async def test_session_ends_by_age_however_busy(town: Town, clock: VirtualClock) -> None:
    alice = await town.active(ALICE)
    for _ in range(47):
        clock.advance(timedelta(minutes=15))
        assert not await over(alice)
    clock.advance(timedelta(minutes=15))
    assert await over(alice)


async def test_logout_ends_the_session_on_the_server(town: Town) -> None:
    alice = await town.active(ALICE)
    stolen = dict(alice.cookies)
    await alice.log_out()
    assert cookies.SESSION not in alice.cookies
    thief = town.citizen()
    thief.cookies = stolen
    assert await over(thief)


async def test_logout_works_without_scripts(town: Town) -> None:
    alice = await town.active(ALICE)
    answer = await alice.client.post(
        "/logout",
        data={"form_token": alice.form_token},
        headers={
            "Accept": "text/html",
            "Cookie": "; ".join(f"{n}={v}" for n, v in alice.cookies.items()),
            "Origin": "https://post.example.org",
        },
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/?signed-out=1")
    assert await over(alice)


async def test_new_login_ends_the_session_before(town: Town) -> None:
    alice = await town.active(ALICE)
    before = dict(alice.cookies)
    await alice.log_in(ALICE, PASSPHRASE)
    assert alice.cookies[cookies.SESSION] != before[cookies.SESSION]
    thief = town.citizen()
    thief.cookies = before
    assert await over(thief)


async def test_closed_mailbox_neither_logs_in_nor_stays_logged_in(town: Town) -> None:
    alice = await town.active(ALICE)
    mailbox = tables.core(tables.Mailbox)
    await town.context.store.write(lambda c: c.execute(mailbox.update().values(state="closed")))
    assert await over(alice)
    with pytest.raises(PortalRefused, match="login-refused"):
        await alice.log_in(ALICE, PASSPHRASE)


async def test_database_holds_no_cookie_and_no_login_proof(town: Town) -> None:
    alice = await town.active(ALICE)
    session, mailbox = tables.core(tables.Session), tables.core(tables.Mailbox)
    rows = await town.context.store.read(
        lambda c: repr((c.execute(select(session)).all(), c.execute(select(mailbox)).all()))
    )
    assert alice.cookies[cookies.SESSION] not in rows
    salt = await town.context.store.read(lambda c: c.scalar(select(mailbox.c.login_salt)))
    assert salt is not None
    for half in split_passphrase(PASSPHRASE, salt):
        assert repr(half) not in rows


async def test_housekeeping_removes_what_is_over_and_nothing_else(
    town: Town, clock: VirtualClock
) -> None:
    alice = await town.active(ALICE)
    clock.advance(timedelta(minutes=20))
    bob = await town.active("bob@muster.example")
    clock.advance(timedelta(minutes=20))
    assert await sweep(town.context) >= 1
    count = select(func.count()).select_from(tables.core(tables.Session))
    assert await town.context.store.read(lambda c: c.execute(count).scalar_one()) == 1
    assert await over(alice)
    assert not await over(bob)
