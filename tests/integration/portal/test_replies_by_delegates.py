"""Replies by delegates: what the role lets them send and see, and what everybody sees of it."""

from __future__ import annotations

import json

import pytest

from siegelpost.sealing.keys import Identity
from siegelpost.sealing.replies import open_reply
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from tests.support.reply_street import Street, refused


async def test_delegate_replies_and_everybody_sees_who(street: Street) -> None:
    bob = await street.by_bob()
    await street.sender.send(await street.sender.make("Von Alice"))
    made = await bob.make("Von Bob")
    await bob.send(made)
    event = (await street.events())[-1]
    assert event["actor"] == f"delegate:{bob.mandate}"
    assert event["facts"]["mandate"] == bob.mandate
    assert "Bob" not in json.dumps(event)
    assert str(bob.who.mailbox) not in json.dumps(event)
    by_alice, by_bob = await street.sender.sent()
    assert (by_alice["by"], by_alice["mine"]) == (None, True)
    assert (by_bob["by"], by_bob["mine"]) == ("Bob Muster", False)
    # Bob sees his own alone, and opens it again; Alice opens it, too.
    assert [each["id"] for each in await bob.sent()] == [made.said.reply]
    mine = await bob.who.send("GET", f"/helping/{bob.mandate}/replies/{made.said.reply}")
    hers = await street.alice.send("GET", f"/replies/{made.said.reply}")
    assert mine.content == hers.content == made.sealed
    for seed in (bob.seed, street.sender.seed):
        assert open_reply(mine.content, [Identity(seed)], made.said).text == "Von Bob"
    shown = await street.alice.get(f"/notices/{street.notice}/facts")
    replied = [each for each in shown["delegates"] if each["replied"]]
    assert [each["name"] for each in replied] == ["Bob Muster"]
    # The lists say when it was answered: Bob's by himself, Alice's by whomever.
    (bobs,) = (await bob.who.get(f"/helping/{bob.mandate}/notices"))["notices"]
    (alices,) = (await street.alice.get("/inbox/notices"))["notices"]
    assert bobs["replied_at"] == alices["replied_at"] == by_bob["received_at"]
    page = f"/helping/{bob.mandate}/notices/{street.notice}/facts"
    assert (await bob.who.get(page))["replied_at"] == by_bob["received_at"]
    # An end takes all of it from Bob, and nothing from Alice.
    await end(street.alice, str(bob.mandate))
    for path in (f"{bob.base}/replies", f"/helping/{bob.mandate}/replies/{made.said.reply}"):
        assert await refused(bob.who, path) == (404, "not-found")
    assert await bob.refused(made) == (404, "not-found")
    assert len(await street.sender.sent()) == 2


async def end(alice: Citizen, mandate: str) -> None:
    await alice.load("/account/delegates")
    await alice.submit("/account/delegates/end", {"mandate": mandate})


async def test_delegate_is_told_where_the_service_keeps_the_citizen_s_key(street: Street) -> None:
    bob = await street.by_bob()
    key = tables.core(tables.MailboxKey)

    async def page(custody: str) -> str:
        change = (
            key.update().where(key.c.mailbox_id == street.alice.mailbox).values(custody=custody)
        )
        await street.town.context.store.write(lambda connection: connection.execute(change))
        return (await bob.who.send("GET", f"{bob.base}/reply")).content.decode()

    for custody, told in (("managed", True), ("own", False)):
        shown = await page(custody)
        assert (await bob.who.get(f"{bob.base}/reply/facts"))["managed"] is told
        assert ("Einen der Schlüssel dazu verwahren wir." in shown) == told
        assert ("Lesen können Ihre Antwort nur die Behörde" in shown) != told
        # Of Bob's own letters the page says nothing else than before.
        assert "Wir können sie nicht öffnen." in shown


async def test_delegate_s_reply_needs_the_citizen_s_consent(street: Street) -> None:
    bob = await street.by_bob()
    made = await bob.make()
    await street.revoke()
    assert await bob.refused(made) == (409, "no-consent-to-send")
    await street.nothing_happened()


async def test_citizen_s_key_signs_no_delegate_s_reply(street: Street) -> None:
    bob = await street.by_bob()
    made = (await bob.make()).signed_by(street.sender.seed)
    assert await bob.refused(made) == (422, "reply-invalid")
    await street.nothing_happened()


@pytest.mark.parametrize("role", ["titles", "read"])
async def test_other_delegates_do_not_even_see_that_there_are_replies(
    street: Street, role: str
) -> None:
    by_alice = await street.sender.make()
    await street.sender.send(by_alice)
    bob = await street.by_bob(role=role)
    for path in (
        f"{bob.base}/reply",
        f"{bob.base}/reply/facts",
        f"{bob.base}/replies",
        f"/helping/{bob.mandate}/replies/{by_alice.said.reply}",
    ):
        assert await refused(bob.who, path) == (404, "not-found"), path
    assert await bob.refused(by_alice) == (404, "not-found")
    if role == "read":
        assert (await bob.who.get(f"{bob.base}/facts"))["can_reply"] is False


async def test_delegate_who_replies_sees_no_reply_of_others(street: Street) -> None:
    by_alice = await street.sender.make()
    await street.sender.send(by_alice)
    bob = await street.by_bob()
    assert await bob.sent() == []
    path = f"/helping/{bob.mandate}/replies/{by_alice.said.reply}"
    assert await refused(bob.who, path) == (404, "not-found")
    assert await refused(bob.who, f"/replies/{by_alice.said.reply}") == (404, "not-found")
    assert (await bob.who.get(f"{bob.base}/facts"))["can_reply"] is True


async def test_role_reply_reads_too_and_opens_all_routes_for_replies(street: Street) -> None:
    bob = await street.by_bob(counts=True)
    made = await bob.make()
    await bob.send(made)
    for path in (
        f"/helping/{bob.mandate}",
        f"/helping/{bob.mandate}/notices",
        bob.base,
        f"{bob.base}/facts",
        f"{bob.base}/reply",
        f"{bob.base}/reply/facts",
        f"{bob.base}/replies",
        f"/helping/{bob.mandate}/replies/{made.said.reply}",
    ):
        answer = await bob.who.send("GET", path, accept="text/html")
        assert answer.status_code == 200, path
    opened = await bob.who.send("POST", f"{bob.base}/retrieve")
    assert opened.content
    assert (await street.events())[-1]["facts"]["counts"] is True
    # New notices come with headers for who may reply, as for who may read.
    (look,) = [
        event
        for event in await street.events(f"mailbox:{street.alice.mailbox}")
        if event["type"] == "mandate-given"
    ]
    assert look["facts"]["role"] == "reply"
