"""A citizen's whole way through the portal, and what Charlie sees of it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Connection, select

from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.service.demo.citizen import Citizen, PortalRefused
from siegelpost.store import tables
from siegelpost.store.log import log_origin
from tests.support.portal import AGENCY, BIRTH_DATE, PASSPHRASE, PDF, Town


async def test_from_letter_to_verified_receipt(town: Town) -> None:
    enrolled = await town.letter()
    alice = town.citizen()
    recovery_code = await alice.activate(
        code=enrolled.activation_code,
        birth_date="17.4.1988",
        email="Alice@Beispiel.example",
        read_code=lambda: town.mailed_code("Alice@beispiel.example"),
        passphrase=PASSPHRASE,
    )
    assert alice.login_name == "alice@beispiel.example"
    notice = await town.dispatch(enrolled)
    await alice.log_out()
    with pytest.raises(PortalRefused, match="session-over"):
        await alice.get("/inbox/notices")

    await alice.log_in(" ALICE@beispiel.example", PASSPHRASE)
    [line] = await alice.inbox()
    assert line.id == notice
    assert line.cover.title == "Bewilligung von Bürgergeld"
    opened = await alice.open(notice)
    assert [bytes(document.content) for document in opened.package.documents] == [PDF]
    first = await alice.acknowledge(opened)
    assert await alice.acknowledge(opened) == first
    with pytest.raises(PortalRefused, match="not-yet-logged"):
        await alice.send("GET", f"/notices/{notice}/receipt")
    await town.sequence()
    receipt = await alice.receipt(notice)
    keyring = town.context.keyring
    trust = Trust(origin=log_origin(town.context.origin), keys=keyring.public_keys())
    assert verify_receipt(receipt, write_trust(trust), documents=[PDF]).steps[11].checked

    facts = await alice.get(f"/notices/{notice}/facts")
    assert facts["state"] == "acknowledged"
    assert facts["agency"]["id"] == AGENCY
    assert [event["type"] for event in facts["events"]][-2:] == ["retrieved", "acknowledged"]

    alice.seeds = {}
    await alice.unlock_with_recovery_code(recovery_code.lower().replace("-", " "))
    assert (await alice.inbox())[0].cover == line.cover


async def test_a_retired_key_acknowledges_no_more(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    opened = await alice.open(await town.dispatch(enrolled))
    await _change_keys(town, retired_at=town.context.now())
    with pytest.raises(PortalRefused, match="acknowledgement-invalid"):
        await alice.acknowledge(opened)
    await _change_keys(town, retired_at=None)
    await alice.acknowledge(opened)


async def test_a_key_that_the_notice_was_not_sealed_to_acknowledges_nothing(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    opened = await alice.open(notice)
    strange = KeyId("01900000-0000-7000-8000-000000000000")
    notices, keys = tables.core(tables.Notice), tables.core(tables.MailboxKey)

    def bind_another(connection: Connection) -> None:
        """The key that signs is live, but it came after the notice."""
        [row] = connection.execute(select(keys)).mappings().all()
        connection.execute(keys.insert().values({**row, "id": strange}))
        connection.execute(notices.update().values(key_id=strange))
        connection.execute(
            keys.update().where(keys.c.id != strange).values(acknowledgement_key=bytes(32))
        )

    await town.context.store.write(bind_another)
    with pytest.raises(PortalRefused, match="acknowledgement-invalid"):
        await alice.acknowledge(opened)


async def _change_keys(town: Town, **values: object) -> None:
    keys = tables.core(tables.MailboxKey)
    await town.context.store.write(lambda c: c.execute(keys.update().values(**values)) and None)


async def test_charlie_gets_the_same_404_for_foreign_and_unknown_notices(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await alice.open(notice)
    charlie = await town.active("charlie@fremd.example")
    body: dict[str, object] = {"statement": '{"a":"b"}', "signature": "A" * 86 + "=="}
    for method, path, sent in (
        ("GET", "", None),
        ("GET", "/facts", None),
        ("POST", "/retrieve", None),
        ("GET", "/receipt", None),
    ):
        answers = []
        for notice_id in (notice, NoticeId("01900000-0000-7000-8000-000000000000")):
            with pytest.raises(PortalRefused) as refused:
                await charlie.send(method, f"/notices/{notice_id}{path}", sent)
            answers.append((refused.value.status, json.dumps(refused.value.problem)))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    foreign = await _refused(charlie, f"/notices/{notice}/acknowledge", body)
    unknown = await _refused(charlie, "/notices/unknown/acknowledge", body)
    assert (foreign.status, foreign.problem) == (unknown.status, unknown.problem)
    assert await charlie.inbox() == []
    facts = await alice.get(f"/notices/{notice}/facts")
    assert [event["type"] for event in facts["events"]].count("retrieved") == 1


async def test_nobody_sees_anything_without_a_session(town: Town) -> None:
    stranger = town.citizen()
    await stranger.load("/")
    for path in ("/inbox/notices", "/account/keys", "/notices/x/facts", "/notices/x/receipt"):
        with pytest.raises(PortalRefused) as refused:
            await stranger.get(path)
        assert (refused.value.status, refused.value.code) == (401, "session-over")
    assert (await _refused(stranger, "/notices/x/retrieve", {})).code == "session-over"
    for page, target in (
        ("/inbox", "/login?next=/inbox"),
        ("/notices/abc", "/login?next=/notices/abc"),
    ):
        answer = await town.client.get(page, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_second_letter_of_same_citizen_makes_second_mailbox_only_with_another_name(
    town: Town,
) -> None:
    await town.active("familie@beispiel.example")
    second = await town.letter()
    bob = town.citizen()
    begun = await bob.begin(code=second.activation_code, birth_date=BIRTH_DATE)
    await bob.post("/activate/address", {"email": "familie@beispiel.example"})
    confirmed = await bob.post(
        "/activate/address/confirm", {"code": await town.mailed_code("familie@beispiel.example")}
    )
    assert confirmed == {"login_name": "familie@beispiel.example", "login_name_free": False}
    body = bob.finish_body(
        begun["mailbox"],
        begun["key"],
        passphrase=PASSPHRASE,
        recovery_code=new_recovery_code(bytes(range(27))),
    ) | {"language": "de", "salutation_allowed": False}
    for name, code in (
        ("familie@beispiel.example", "login-name-taken"),
        ("chef@amt.example", "login-name-foreign"),
    ):
        refused = await _refused(bob, "/activate/finish", body | {"login_name": name})
        assert refused.code == code
    await bob.finish(body | {"login_name": "Bob-Muster"})
    await bob.log_in("bob-muster", PASSPHRASE)
    assert await bob.inbox() == []


async def _refused(citizen: Citizen, path: str, body: dict[str, object]) -> PortalRefused:
    with pytest.raises(PortalRefused) as refused:
        await citizen.post(path, body)
    return refused.value
