"""The second factor: nobody gets in by the password alone, and no code counts twice."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from siegelpost.citizens.housekeeping import sweep
from siegelpost.citizens.second_factor import WRONG_CODES_LIMIT
from siegelpost.citizens.totp import code_at, step_of
from siegelpost.portal import cookies
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.custody import first_step, new_passphrase, prove
from tests.support.portal import PASSPHRASE, Town

ALICE = "alice@beispiel.example"


async def give_password(town: Town, citizen: Citizen, name: str = ALICE) -> str:
    """The first step of a login; returns the factor that is asked for."""
    return await first_step(citizen, name, PASSPHRASE)


async def refused(citizen: Citizen, path: str, body: dict[str, str] | None = None) -> str:
    with pytest.raises(PortalRefused) as refusal:
        await citizen.post(path, body)
    return refusal.value.code


async def with_app(town: Town) -> tuple[Citizen, bytes]:
    """Alice, logged in, with an authenticator app; and the app's secret."""
    alice = await town.active(ALICE)
    proposed = await alice.post("/account/app/prepare")
    secret = base64.b32decode(proposed["secret"].replace(" ", ""))
    assert proposed["qr_code"].startswith("data:image/svg+xml")
    await alice.post("/account/app", {"code": code_now(town, secret)})
    return alice, secret


def code_now(town: Town, secret: bytes, *, off: int = 0) -> str:
    return code_at(secret, step_of(town.context.now()) + off)


async def test_password_alone_opens_no_page(town: Town) -> None:
    await town.active(ALICE)
    charlie = town.citizen()
    assert await give_password(town, charlie) == "email-code"
    assert cookies.SESSION not in charlie.cookies
    for path in ("/inbox/notices", "/account/overview", "/account/keys", "/session"):
        with pytest.raises(PortalRefused) as refusal:
            await charlie.get(path)
        assert refusal.value.code == "session-over"
    # Nor does the cookie of the first step pass for that of a session.
    charlie.cookies[cookies.SESSION] = charlie.cookies[cookies.LOGIN]
    with pytest.raises(PortalRefused):
        await charlie.get("/account/overview")


async def test_mailed_code_completes_the_login_once(town: Town) -> None:
    await town.active(ALICE)
    alice = town.citizen()
    await give_password(town, alice)
    kept = alice.cookies[cookies.LOGIN]
    code = await town.login_code(ALICE)
    await alice.post("/login/code", {"code": f" {code[:4]} {code[4:]} "})
    await alice.get("/account/overview")
    assert cookies.LOGIN not in alice.cookies
    again = town.citizen()
    await again.load("/login")
    again.cookies[cookies.LOGIN] = kept
    assert await refused(again, "/login/code", {"code": code}) == "login-step-over"


async def test_code_of_another_login_or_an_earlier_mail_is_worth_nothing(
    town: Town, clock: VirtualClock
) -> None:
    await town.active(ALICE)
    alice, charlie = town.citizen(), town.citizen()
    await give_password(town, alice)
    first = await town.login_code(ALICE)
    clock.advance(timedelta(seconds=1))
    await give_password(town, charlie)
    assert await refused(charlie, "/login/code", {"code": first}) == "login-code-wrong"
    clock.advance(timedelta(seconds=1))
    await alice.post("/login/code/again")
    assert await refused(alice, "/login/code", {"code": first}) == "login-code-wrong"
    await alice.post("/login/code", {"code": await town.login_code(ALICE)})


async def test_login_begins_anew_after_some_wrong_codes(town: Town) -> None:
    await town.active(ALICE)
    alice = town.citizen()
    await give_password(town, alice)
    right = await town.login_code(ALICE)
    wrong = {"code": f"{(int(right) + 1) % 10**8:08}"}
    for _ in range(WRONG_CODES_LIMIT - 1):
        assert await refused(alice, "/login/code", wrong) == "login-code-wrong"
    assert await refused(alice, "/login/code", wrong) == "login-step-over"
    assert await refused(alice, "/login/code", {"code": right}) == "login-step-over"
    for malformed in ("", "1234567", "123456789", "abcdefgh"):
        await give_password(town, alice)
        assert await refused(alice, "/login/code", {"code": malformed}) == "input-invalid"


async def test_guessing_codes_grows_slow_whatever_browser_it_comes_from(
    town: Town, clock: VirtualClock
) -> None:
    await town.active(ALICE)
    codes = []
    for _ in range(4):
        charlie = town.citizen()
        await give_password(town, charlie)
        codes += [await refused(charlie, "/login/code", {"code": "00000000"}) for _ in range(4)]
    assert codes[:9].count("login-code-wrong") == 9
    assert "too-many-tries" in codes[9:]
    clock.advance(timedelta(hours=25))
    fresh = town.citizen()
    await give_password(town, fresh)
    await fresh.post("/login/code", {"code": await town.login_code(ALICE)})


async def test_nobody_s_mails_are_flooded(town: Town) -> None:
    await town.active(ALICE)
    charlie = town.citizen()
    await give_password(town, charlie)
    answers = []
    for _ in range(12):
        try:
            await charlie.post("/login/code/again")
        except PortalRefused as refusal:
            answers.append(refusal.code)
    assert answers[-1] == "too-many-tries"
    assert len(answers) >= 4


async def test_second_step_ends_by_itself(town: Town, clock: VirtualClock) -> None:
    await town.active(ALICE)
    alice = town.citizen()
    await give_password(town, alice)
    code = await town.login_code(ALICE)
    clock.advance(timedelta(minutes=30))
    assert await refused(alice, "/login/code", {"code": code}) == "login-step-over"
    assert await refused(alice, "/login/code/again") == "login-step-over"
    assert await sweep(town.context) >= 1


async def test_without_an_address_that_takes_mail_the_recovery_code_is_left(town: Town) -> None:
    await town.active(ALICE)
    address = tables.core(tables.Address)
    failed = update(address).values(failed_at=town.context.now())
    await town.context.store.write(lambda c: c.execute(failed))
    with pytest.raises(PortalRefused) as refusal:
        await give_password(town, town.citizen())
    assert refusal.value.code == "second-factor-unavailable"


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
async def test_app_s_clock_may_be_one_step_off(town: Town, clock: VirtualClock, off: int) -> None:
    _, secret = await with_app(town)
    clock.advance(timedelta(minutes=5))
    alice = town.citizen()
    assert await give_password(town, alice) == "totp"
    body = {"code": code_now(town, secret, off=off)}
    if abs(off) <= 1:
        await alice.post("/login/code", body)
    else:
        assert await refused(alice, "/login/code", body) == "login-code-wrong"


async def test_app_s_code_counts_once(town: Town, clock: VirtualClock) -> None:
    _, secret = await with_app(town)
    # The code that set it up is used, too.
    charlie = town.citizen()
    await give_password(town, charlie)
    used = {"code": code_now(town, secret)}
    assert await refused(charlie, "/login/code", used) == "login-code-wrong"
    clock.advance(timedelta(seconds=30))
    alice = town.citizen()
    await give_password(town, alice)
    code = {"code": code_now(town, secret)}
    await alice.post("/login/code", code)
    assert await refused(charlie, "/login/code", code) == "login-code-wrong"


async def test_app_needs_a_fresh_proof_and_a_right_code(town: Town, clock: VirtualClock) -> None:
    alice = await town.active(ALICE)
    proposed = await alice.post("/account/app/prepare")
    secret = base64.b32decode(proposed["secret"].replace(" ", ""))
    wrong = f"{(int(code_now(town, secret)) + 1) % 10**6:06}"
    assert await refused(alice, "/account/app", {"code": wrong}) == "login-code-wrong"
    assert (await alice.get("/account/overview"))["factor"] == "email-code"
    clock.advance(timedelta(minutes=10))
    for path, body in (
        ("/account/app/prepare", None),
        ("/account/app", {"code": code_now(town, secret)}),
        ("/account/app/remove", None),
        ("/account/oidc/remove", None),
    ):
        assert await refused(alice, path, body) == "proof-needed"
    await prove(alice, PASSPHRASE)
    await alice.post("/account/app", {"code": code_now(town, secret)})
    assert (await alice.get("/account/overview"))["factor"] == "totp"
    assert await refused(alice, "/account/app/prepare") == "totp-active"


async def test_removing_the_app_ends_other_sessions_and_brings_mails_back(
    town: Town, clock: VirtualClock
) -> None:
    alice, secret = await with_app(town)
    clock.advance(timedelta(seconds=60))
    phone = town.citizen()
    await give_password(town, phone)
    await phone.post("/login/code", {"code": code_now(town, secret)})
    await alice.post("/account/app/remove")
    assert await refused(phone, "/session/extend") in ("session-over", "form-refused")
    assert await give_password(town, town.citizen()) == "email-code"
    events = (await alice.get("/account/overview"))["events"]
    changed = [(event["method"], event["change"]) for event in events]
    assert ("totp", "removed") in changed
    assert ("totp", "added") in changed


async def test_new_password_ends_logins_that_the_old_one_began(town: Town) -> None:
    alice = await town.active(ALICE)
    thief = town.citizen()
    await give_password(town, thief)
    code = await town.login_code(ALICE)
    changed = await asyncio.to_thread(new_passphrase, alice, "Segel Kiefer Lampe Brunnen")
    await alice.post("/account/secrets", {"passphrase": changed})
    assert await refused(thief, "/login/code", {"code": code}) == "login-step-over"


async def test_secret_and_codes_rest_in_no_readable_form(town: Town) -> None:
    _, secret = await with_app(town)
    rows = await town.context.store.read(
        lambda c: c.execute(select(tables.core(tables.Totp))).all()
    )
    assert len(rows) == 1
    assert secret not in bytes(rows[0].sealed)
    assert base64.b32encode(secret) not in bytes(rows[0].sealed)


async def test_known_browser_is_not_slowed_by_strangers(town: Town) -> None:
    alice = await town.active(ALICE)
    await alice.log_out()
    stranger = town.citizen()
    await stranger.load("/login")
    wrong = {"login_name": ALICE, "login_proof": "A" * 43 + "="}
    codes = [await refused(stranger, "/login", wrong) for _ in range(6)]
    assert codes[-1] == "too-many-tries"
    # Alice's own browser still may; a new one of hers must wait like anybody.
    assert cookies.KNOWN in alice.cookies
    assert await give_password(town, alice) == "email-code"
    with pytest.raises(PortalRefused) as refusal:
        await give_password(town, town.citizen())
    assert refusal.value.code == "too-many-tries"


async def test_known_browser_of_another_mailbox_or_of_nobody_is_a_stranger(town: Town) -> None:
    await town.active(ALICE)
    bob = await town.active("bob@beispiel.example")
    await bob.log_out()
    await bob.load("/login")
    wrong = {"login_name": ALICE, "login_proof": "A" * 43 + "="}
    stranger = town.citizen()
    await stranger.load("/login")
    stranger.cookies[cookies.KNOWN] = "A" * 43
    for citizen in (stranger, stranger, stranger, stranger, stranger, bob):
        last = await refused(citizen, "/login", wrong)
    assert last == "too-many-tries"


async def test_known_browser_that_guesses_is_slowed_by_itself(town: Town) -> None:
    alice = await town.active(ALICE)
    wrong = {"login_name": ALICE, "login_proof": "A" * 43 + "="}
    codes = [await refused(alice, "/login", wrong) for _ in range(6)]
    assert codes == ["login-refused"] * 5 + ["too-many-tries"]
    assert await give_password(town, town.citizen()) == "email-code"


async def test_names_cost_the_same_work_whether_they_exist_or_not(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work is counted, not timed: machines are noisy, digests and queries are not."""
    from sqlalchemy import event

    from siegelpost.citizens import codes, login, peppers

    await town.active(ALICE)
    stranger = town.citizen()
    await stranger.load("/login")
    counted: list[str] = []
    plain = codes.keyed_digest

    def counting(secret: bytes, kind: str, *parts: str | bytes) -> bytes:
        counted.append(kind)
        return plain(secret, kind, *parts)

    for module in (peppers, login):
        monkeypatch.setattr(module, "keyed_digest", counting)

    def statement(_c: object, _cursor: object, text: str, *_rest: object) -> None:
        counted.append(text.split("WHERE")[0])

    engine = town.context.store.database.writing
    work = []
    for name in (ALICE, "niemand@beispiel.example"):
        counted.clear()
        event.listen(engine, "before_cursor_execute", statement)
        await refused(stranger, "/login", {"login_name": name, "login_proof": "A" * 43 + "="})
        event.remove(engine, "before_cursor_execute", statement)
        work.append(list(counted))
    assert work[0] == work[1] != []
