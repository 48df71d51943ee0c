"""Delegates: what a mandate lets them see, what it does not, and what it leaves in evidence.

Longer than others: the life of one mandate, from both sides.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from siegelpost.evidence.acknowledgement import PREFIX, Acknowledgement
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.portal.app import ROUTES
from siegelpost.sealing.age import open_bytes, payload_digest
from siegelpost.sealing.covers import open_cover
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.administration import trust_file
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.events import events_of
from tests.support.custody import prove
from tests.support.mandates import (
    accept,
    delegated,
    give,
    hand_on_all,
    headers_for,
    invite,
    new_account,
)
from tests.support.portal import AGENCY, OTHER_AGENCY, PASSPHRASE, Town
from tests.support.rotation import rotate

ALICE, BOB, CHARLIE = "alice@beispiel.example", "bob@muster.example", "charlie@fremd.example"


#: Sound bodies: a refusal must not come from their form.
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {
        "statement": Acknowledgement(
            mailbox=MailboxId("0193c0de-0000-7000-8000-000000000001"),
            notice=NoticeId("0193c0de-0000-7000-8000-000000000000"),
            manifest_sha256=bytes(32),
            payload_sha256=bytes(32),
            acknowledged_at=datetime(2026, 11, 24, tzinfo=UTC),
        )
        .message()
        .removeprefix(PREFIX)
        .decode(),
        "signature": base64.b64encode(bytes(64)).decode(),
    },
    "archive": {"archived": True},
    "headers": {"notices": []},
}


async def kinds(town: Town, subject: str) -> list[str]:
    rows = await town.context.store.read(lambda c: events_of(c, subject))
    return [row.type for row in rows]


async def facts(town: Town, subject: str, kind: str) -> list[dict[str, Any]]:
    rows = await town.context.store.read(lambda c: events_of(c, subject))
    return [json.loads(row.body) for row in rows if row.type == kind]


async def titles(bob: Citizen, mandate: str) -> list[str]:
    """Titles that the delegate's own keys open."""
    page = await bob.get(f"/helping/{mandate}/notices")
    identities = [Identity(seed) for seed in bob.seeds.values()]
    return [
        open_cover(base64.b64decode(line["cover"]), identities).title for line in page["notices"]
    ]


async def read(bob: Citizen, mandate: str, notice: str) -> bytes:
    """The package as the delegate's own keys open it."""
    answer = await bob.send("POST", f"/helping/{mandate}/notices/{notice}/retrieve")
    assert int(answer.headers["content-length"]) == len(answer.content)
    return open_bytes(answer.content, [Identity(seed) for seed in bob.seeds.values()])


async def status(citizen: Citizen, method: str, path: str) -> tuple[int, str]:
    try:
        if method == "GET":
            await citizen.send("GET", path)
        else:
            await citizen.send("POST", path)
    except PortalRefused as refused:
        return refused.status, refused.code
    return 200, ""


async def people(town: Town) -> tuple[Citizen, Any, Citizen]:
    letter = await town.letter()
    return await town.active(ALICE, enrolled=letter), letter, await town.active(BOB)


async def test_delegate_reads_old_and_new_notices_with_the_own_key(town: Town) -> None:
    alice, letter, bob = await people(town)
    old = await town.dispatch(letter, "old")
    mandate = await delegated(town, alice, bob)
    new = await town.dispatch(letter, "new")
    assert await titles(bob, mandate) == ["Bewilligung von Bürgergeld"] * 2
    for notice in (old, new):
        assert b"%PDF-1.4" in await read(bob, mandate, notice)
    (provided,) = await facts(town, f"notice:{new}", "provided")
    (key,) = bob.seeds
    assert provided["facts"]["delegates"] == [{"mandate": mandate, "key": key, "role": "read"}]
    (provided,) = await facts(town, f"notice:{old}", "provided")
    assert "delegates" not in provided["facts"]
    # The citizen's own file is the one of before, for one key.
    assert (await alice.open(new)).package.documents
    assert await hand_on_all(alice, mandate) == 0


async def test_delegate_s_look_is_no_retrieval_unless_the_mandate_says_so(town: Town) -> None:
    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    notice = await town.dispatch(letter, "one")
    await read(bob, mandate, notice)
    await town.sequence()
    assert (await kinds(town, f"notice:{notice}"))[-1] == "provided"
    shown = await alice.get(f"/notices/{notice}/facts")
    assert (shown["state"], shown["retrieved_at"]) == ("provided", None)
    assert [(look["name"], look["counts"]) for look in shown["delegates"]] == [
        ("Bob Muster", False)
    ]
    (look,) = await facts(town, f"mailbox:{alice.mailbox}", "delegate-looked")
    assert look["actor"] == f"delegate:{mandate}"
    assert look["facts"] == {
        "mandate": mandate, "role": "read", "counts": False, "notice": notice,
    }  # fmt: skip
    assert "Bob" not in json.dumps(look)
    assert str(bob.mailbox) not in json.dumps(look)
    # The receipt holds nothing of it, and verifies.
    receipt = await alice.receipt(notice)
    assert b"delegate-looked" not in receipt


async def test_delegate_s_retrieval_counts_where_the_mandate_says_so(town: Town) -> None:
    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob, counts=True)
    notice = await town.dispatch(letter, "one")
    await read(bob, mandate, notice)
    await read(bob, mandate, notice)
    (event,) = await facts(town, f"notice:{notice}", "retrieved")
    assert event["actor"] == f"delegate:{mandate}"
    assert event["facts"]["counts"] is True
    assert event["facts"]["role"] == "read"
    assert (await alice.get(f"/notices/{notice}/facts"))["state"] == "retrieved"
    await town.sequence()
    receipt = await alice.receipt(notice)
    keyring = town.context.keyring
    assert isinstance(keyring, FileKeyring)
    verify_receipt(receipt, trust_file(keyring))
    # The citizen's own key acknowledges afterwards, and only that.
    await alice.acknowledge(await alice.open(notice))


async def test_titles_alone_open_no_notice(town: Town) -> None:
    alice, letter, bob = await people(town)
    old = await town.dispatch(letter, "old")
    mandate = await delegated(town, alice, bob, role="titles")
    new = await town.dispatch(letter, "new")
    assert len(await titles(bob, mandate)) == 2
    for notice in (old, new):
        base = f"/helping/{mandate}/notices/{notice}"
        for method, path in (("GET", base), ("GET", f"{base}/facts"), ("POST", f"{base}/retrieve")):
            assert await status(bob, method, path) == (404, "not-found")
    header = tables.core(tables.DelegatedHeader)
    packages = await town.context.store.read(lambda c: c.scalars(select(header.c.package)).all())
    assert packages == [None, None]


async def test_mandate_for_one_agency_shows_no_other(town: Town) -> None:
    alice, letter, bob = await people(town)
    notice = await town.dispatch(letter, "one")
    with pytest.raises(PortalRefused) as refused:
        await invite(alice, agency=OTHER_AGENCY)
    assert refused.value.code == "input-invalid"
    mandate = await delegated(town, alice, bob, agency=AGENCY)
    assert len(await titles(bob, mandate)) == 1
    await town.context.store.write(
        lambda c: c.execute(
            tables.core(tables.Mandate).update().values(agency_id=AgencyId(OTHER_AGENCY))
        )
    )
    assert await titles(bob, mandate) == []
    assert await status(bob, "GET", f"/helping/{mandate}/notices/{notice}/facts") == (
        404,
        "not-found",
    )
    later = await town.dispatch(letter, "two")
    (provided,) = await facts(town, f"notice:{later}", "provided")
    assert "delegates" not in provided["facts"]


async def test_revoking_stops_new_notices_and_access_at_once(town: Town) -> None:
    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    notice = await town.dispatch(letter, "one")
    await read(bob, mandate, notice)
    await end(town, alice, mandate)
    assert await status(bob, "GET", f"/helping/{mandate}/notices") == (404, "not-found")
    assert await status(bob, "POST", f"/helping/{mandate}/notices/{notice}/retrieve") == (
        404,
        "not-found",
    )
    later = await town.dispatch(letter, "two")
    (provided,) = await facts(town, f"notice:{later}", "provided")
    assert "delegates" not in provided["facts"]
    header = tables.core(tables.DelegatedHeader)
    left = await town.context.store.read(
        lambda c: c.scalar(select(func.count()).select_from(header))
    )
    assert left == 0
    chain = await kinds(town, f"mailbox:{alice.mailbox}")
    assert [kind for kind in chain if kind.startswith(("mandate", "delegate"))] == [
        "mandate-given",
        "delegate-looked",
        "mandate-revoked",
    ]
    (event,) = await facts(town, f"mailbox:{alice.mailbox}", "mandate-revoked")
    assert event["facts"] == {"mandate": mandate, "by": "giver"}
    # Who looked stays on the page of the notice.
    shown = await alice.get(f"/notices/{notice}/facts")
    assert [look["name"] for look in shown["delegates"]] == ["Bob Muster"]
    assert await mails(town, "invitation-accepted") == [ALICE]
    assert await mails(town, "mandate-changed") == [ALICE, ALICE, BOB, BOB]


async def test_delegate_gives_the_mandate_back(town: Town) -> None:
    alice, _, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    await end(town, bob, mandate)
    (event,) = await facts(town, f"mailbox:{alice.mailbox}", "mandate-revoked")
    assert (event["actor"], event["facts"]["by"]) == (f"delegate:{mandate}", "delegate")


async def test_end_during_a_dispatch_leaves_nothing_for_the_delegate(town: Town) -> None:
    from siegelpost.notices.eligibility import Sender, destination, look, still

    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    sender = Sender(client_id="client-1", agency_id=AGENCY)
    seen = await town.context.store.read(
        lambda c: destination(look(c, sender, letter.enrolment_id, "k"))
    )
    assert [each.mandate for each in seen.delegates] == [mandate]
    assert await town.context.store.write(lambda c: still(c, [seen])) == [True]
    await end(town, alice, mandate)
    assert await town.context.store.write(lambda c: still(c, [seen])) == [False]


async def test_period_begins_and_ends_on_its_days(town: Town, clock: VirtualClock) -> None:
    alice, letter, bob = await people(town)
    now = clock.now()
    first, last = (now + timedelta(days=2)).date(), (now + timedelta(days=3)).date()
    old = await town.dispatch(letter, "old")
    mandate = await delegated(
        town, alice, bob, starts_on=first.isoformat(), ends_on=last.isoformat()
    )
    early = await town.dispatch(letter, "early")
    (provided,) = await facts(town, f"notice:{early}", "provided")
    assert "delegates" not in provided["facts"]
    before = {p: await status(bob, *p) for p in routes(mandate, old)}
    clock.advance(timedelta(days=2, hours=1))
    alice, bob = await again(town, ALICE), await again(town, BOB)
    await hand_on_all(alice, mandate)
    during = await town.dispatch(letter, "during")
    (provided,) = await facts(town, f"notice:{during}", "provided")
    assert [each["mandate"] for each in provided["facts"]["delegates"]] == [mandate]
    assert len(await titles(bob, mandate)) == 3
    assert b"%PDF" in await read(bob, mandate, early)
    clock.advance(timedelta(days=2))
    bob = await again(town, BOB)
    after = {p: await status(bob, *p) for p in routes(mandate, old)}
    assert set(before.values()) == set(after.values()) == {(404, "not-found")}
    late = await town.dispatch(letter, "late")
    (provided,) = await facts(town, f"notice:{late}", "provided")
    assert "delegates" not in provided["facts"]


async def test_bob_s_mandate_opens_no_route_but_his_own(town: Town, clock: VirtualClock) -> None:
    alice, letter, bob = await people(town)
    charlie = await town.active(CHARLIE)
    notice = await town.dispatch(letter, "one")
    mandate = await delegated(town, alice, bob)
    unknown = "0193c0de-0000-7000-8000-000000000000"
    for who in (bob, charlie):
        for method, path, _ in ROUTES:
            if "{" not in path:
                continue
            # Replies are for another role.
            mine = who is bob and path.startswith("/helping") and "repl" not in path
            real = path.replace("{id}", notice).replace("{mandate}", mandate)
            fake = path.replace("{id}", unknown).replace("{mandate}", unknown)
            real, fake = (each.replace("{reply}", unknown) for each in (real, fake))
            shown, absent = await answer(who, method, real), await answer(who, method, fake)
            if mine:
                assert shown[0] == 200, path
            else:
                assert shown == absent, path
                # 503: this house has no seal for PDF receipts, whoever asks.
                assert shown[0] == (503 if path.endswith(".pdf") else 404), path
    # The list and the covers of the own mailbox stay without her notices, too.
    assert (await bob.get("/inbox/notices"))["notices"] == []
    assert await bob.post("/inbox/covers", {"ids": [notice]}) == {"covers": {}}


async def test_invitation_makes_an_account_without_an_enrolment(town: Town) -> None:
    letter = await town.letter()
    alice = await town.active(ALICE, enrolled=letter)
    notice = await town.dispatch(letter, "one")
    invited = await invite(alice)
    bob = await new_account(town, invited, BOB)
    assert (await bob.get("/inbox/notices"))["notices"] == []
    assert await mails(town, "invitation-accepted") == [ALICE]
    assert "keine Post für Sie freigegeben" in await bob.load("/inbox")
    # Before the citizen has looked, nothing opens.
    assert await status(bob, "GET", f"/helping/{invited.mandate}/notices") == (404, "not-found")
    assert await give(alice, invited) == 1
    assert b"%PDF" in await read(bob, invited.mandate, notice)
    # Whom one helps comes first where there is no list of one's own.
    first = await bob.load("/inbox")
    assert f'href="/helping/{invited.mandate}">Post von Alice Beispiel</a>' in first
    assert 'id="unlock"' not in first
    assert ">Alle Personen</a>" in await bob.load(f"/helping/{invited.mandate}")
    assert 'id="unlock"' in await alice.load("/inbox")
    # A code works once.
    with pytest.raises(PortalRefused) as refused:
        await new_account(town, invited, CHARLIE)
    assert (refused.value.status, refused.value.code) == (404, "invitation-unknown")
    await bob.log_out()
    await bob.log_in(BOB, PASSPHRASE)
    assert await titles(bob, invited.mandate) == ["Bewilligung von Bürgergeld"]


async def test_invitations_run_out_and_are_called_off(town: Town, clock: VirtualClock) -> None:
    alice, _, bob = await people(town)
    late, off, own = await invite(alice), await invite(alice), await invite(alice)
    await end(town, alice, off.mandate)
    for invited, code in ((off, "invitation-unknown"),):
        with pytest.raises(PortalRefused) as refused:
            await accept(bob, invited)
        assert refused.value.code == code
    with pytest.raises(PortalRefused) as refused:
        await accept(alice, own)
    assert refused.value.code == "input-invalid"
    assert "mandate-revoked" not in await kinds(town, f"mailbox:{alice.mailbox}")
    clock.advance(timedelta(days=15))
    with pytest.raises(PortalRefused) as refused:
        await accept(await again(town, BOB), late)
    assert refused.value.code == "invitation-unknown"


async def test_giving_needs_a_fresh_proof_and_somebody_who_came(
    town: Town, clock: VirtualClock
) -> None:
    alice, _, bob = await people(town)
    invited = await invite(alice)
    path = f"/account/delegates/{invited.mandate}/give"
    await prove(alice, PASSPHRASE)
    with pytest.raises(PortalRefused) as refused:
        await alice.post(path, {})
    assert refused.value.code == "mandate-closed"
    await accept(bob, invited)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(PortalRefused) as refused:
        await alice.post(path, {})
    assert refused.value.code == "proof-needed"
    with pytest.raises(PortalRefused) as refused:
        await bob.post(path, {})
    assert refused.value.status in (403, 404)


async def test_headers_are_taken_from_the_citizen_s_own_key_alone(town: Town) -> None:
    alice, letter, bob = await people(town)
    await town.dispatch(letter, "one")
    invited = await invite(alice)
    await accept(bob, invited)
    path = f"/account/delegates/{invited.mandate}/headers"
    page = await alice.get(path)
    made = headers_for(alice, page, page["notices"][0])
    # Not before the mandate is given.
    with pytest.raises(PortalRefused) as refused:
        await alice.post(path, {"notices": [made]})
    assert refused.value.code == "rewrap-invalid"
    await prove(alice, PASSPHRASE)
    await alice.post(f"/account/delegates/{invited.mandate}/give", {})
    for spoilt in (
        made | {"signature": base64.b64encode(bytes(64)).decode()},
        made | {"cover": made["package"]},
        made | {"cover": base64.b64encode(b"nonsense").decode()},
    ):
        with pytest.raises(PortalRefused) as refused:
            await alice.post(path, {"notices": [spoilt]})
        assert refused.value.code == "rewrap-invalid"
    await alice.post(path, {"notices": [made]})
    await alice.post(path, {"notices": [made]})
    assert (await alice.get(path))["count"] == 0


async def test_exchanged_keys_on_both_sides_keep_the_mandate(town: Town) -> None:
    alice, letter, bob = await people(town)
    old = await town.dispatch(letter, "old")
    mandate = await delegated(town, alice, bob)
    code = new_recovery_code(bytes(range(27)))
    await prove(alice, PASSPHRASE)
    await rotate(alice, PASSPHRASE, code)
    await prove(bob, PASSPHRASE)
    await rotate(bob, PASSPHRASE, code)
    new = await town.dispatch(letter, "new")
    assert b"%PDF" in await read(bob, mandate, old)
    assert b"%PDF" in await read(bob, mandate, new)
    (provided,) = await facts(town, f"notice:{new}", "provided")
    assert provided["facts"]["delegates"][0]["key"] == next(iter(bob.seeds))
    # What the code vouched for is not in force any more: nothing further is handed on.
    assert (await alice.get(f"/account/delegates/{mandate}/headers"))["count"] == 0


async def test_withdrawn_notices_open_for_nobody(town: Town) -> None:
    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    notice = await town.dispatch(letter, "one")
    await town.context.store.write(
        lambda c: c.execute(
            tables.core(tables.Notice)
            .update()
            .where(tables.core(tables.Notice).c.id == notice)
            .values(state="withdrawn")
        )
    )
    assert await status(bob, "POST", f"/helping/{mandate}/notices/{notice}/retrieve") == (
        409,
        "step-refused",
    )


async def test_payload_is_the_same_for_citizen_and_delegate(town: Town) -> None:
    alice, letter, bob = await people(town)
    mandate = await delegated(town, alice, bob)
    notice = await town.dispatch(letter, "one")
    theirs = await bob.send("POST", f"/helping/{mandate}/notices/{notice}/retrieve")
    own = (await alice.open(notice)).sealed
    assert payload_digest(theirs.content) == payload_digest(own)
    assert theirs.content != own


async def answer(who: Citizen, method: str, path: str) -> tuple[int, str]:
    """Status and code; a page's status alone."""
    try:
        if method == "GET":
            await who.send("GET", path)
        elif path.endswith("/retrieve"):
            await who.send("POST", path)
        else:
            await who.post(path, BODIES.get(path.rpartition("/")[2], {}))
    except PortalRefused as refused:
        return refused.status, refused.code
    return 200, ""


def routes(mandate: str, notice: NoticeId) -> list[tuple[str, str]]:
    """Every route of a delegate."""
    return [
        (method, path.replace("{mandate}", mandate).replace("{id}", notice))
        for method, path, _ in ROUTES
        if path.startswith("/helping")
    ]


async def again(town: Town, email: str) -> Citizen:
    """Log in anew."""
    citizen = town.citizen()
    await citizen.log_in(email, PASSPHRASE)
    return citizen


async def end(town: Town, citizen: Citizen, mandate: str) -> None:
    """Press the button of the page."""
    from tests.integration.portal.test_consent_page import send

    await citizen.load("/account/delegates")
    done = await send(
        town,
        citizen,
        "/account/delegates/end",
        {"form_token": citizen.form_token, "mandate": mandate},
    )
    assert (done.status_code, done.headers["location"]) == (303, "/account/delegates?done=ended")


async def mails(town: Town, kind: str) -> list[str]:
    """Where mails of one kind went."""
    alert, address = tables.core(tables.Alert), tables.core(tables.Address)
    rows = await town.context.store.read(
        lambda c: c.scalars(
            select(address.c.email)
            .join(alert, alert.c.address_id == address.c.id)
            .where(alert.c.kind == kind)
            .order_by(address.c.email)
        ).all()
    )
    return list(rows)
