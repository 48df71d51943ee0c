"""Replies: what a citizen or a delegate sends to the agency, and all that stands against it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from siegelpost.evidence.ids import NoticeId, ReplyId
from siegelpost.evidence.reply import PREFIX
from siegelpost.notices import replies
from siegelpost.notices.eligibility import Sender as Client
from siegelpost.notices.readers import Reader
from siegelpost.notices.withdraw import withdraw
from siegelpost.sealing.age import seal_bytes
from siegelpost.sealing.errors import ManifestError
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.package import Document
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.sealing.replies import MAX_DOCUMENTS_SIZE, MAX_TEXT, open_reply
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.custody import b64
from tests.support.portal import AGENCY, CLIENT, PASSPHRASE
from tests.support.replies import (
    FILE,
    TEXT,
    MadeReply,
    Sender,
    given,
    new_agency_key,
    offer_replies,
)
from tests.support.reply_street import ALICE, CHARLIE, Street, refused
from tests.support.rotation import rotate

CODE = new_recovery_code(bytes(range(27)))


async def test_facts_say_whom_to_seal_to_and_what_is_missing(street: Street) -> None:
    alice, notice, town = street.alice, street.notice, street.town
    path = f"/notices/{notice}/reply/facts"
    ((key, seed),) = alice.seeds.items()
    assert await alice.get(path) == {
        "notice": notice,
        "mailbox": alice.mailbox,
        "agency": {"id": AGENCY, "name": "Jobcenter Kreis Musterland"},
        "agency_recipient": street.agency.recipient.encode(),
        "consented": True,
        "recipients": [{"key": key, "recipient": Identity(seed).recipient.encode()}],
        "mandate": None,
        "managed": False,
        "limits": {"text": 10_000, "files": 10, "bytes": 20 * 1024 * 1024},
    }
    assert (await alice.get(f"/notices/{notice}/facts"))["can_reply"] is True
    await street.revoke()
    assert (await alice.get(path))["consented"] is False
    await offer_replies(town, None)
    assert (await alice.get(path))["agency_recipient"] is None
    assert (await alice.get(f"/notices/{notice}/facts"))["can_reply"] is False


async def test_a_reply_is_evidence_and_opens_for_agency_and_citizen_alone(street: Street) -> None:
    made = await street.sender.make()
    done = await street.sender.send(made)
    assert done["reply"] == made.said.reply
    event = (await street.events())[-1]
    assert event["type"] == "replied"
    assert event["actor"] == f"mailbox:{street.alice.mailbox}"
    ((key, seed),) = street.alice.seeds.items()
    assert event["facts"]["key"] == key
    assert event["facts"]["recipient_sha256"] == sha256(street.agency.recipient.raw).hexdigest()
    assert event["facts"]["size"] == len(made.sealed)
    assert await street.sender.sent() == [
        {
            "id": made.said.reply,
            "received_at": done["received_at"],
            "by": None,
            "mine": True,
            "size": len(made.sealed),
            "fetched_at": None,
            "statement": made.said.message().removeprefix(PREFIX).decode(),
            "signature": b64(made.signature),
        }
    ]
    (line,) = (await street.alice.get("/inbox/notices"))["notices"]
    assert line["replied_at"] == done["received_at"]
    answer = await street.alice.send("GET", f"/replies/{made.said.reply}")
    assert answer.content == made.sealed
    for identity in (street.agency, Identity(seed)):
        opened = open_reply(answer.content, [identity], made.said)
        assert opened.text == TEXT
        assert [bytes(file.content) for file in opened.files] == [FILE.content]
    # Nothing of it is readable in any table; the names of its documents neither.
    with street.town.context.store.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                for value in row:
                    told = bytes(value) if isinstance(value, bytes) else str(value).encode()
                    assert not any(
                        word in told for word in (b"Mietbescheinigung", TEXT.encode()[:20])
                    ), table.name


async def test_the_same_reply_twice_is_one_reply(street: Street) -> None:
    made = await street.sender.make()
    first = await street.sender.send(made)
    assert await street.sender.send(made) == first
    # A lost answer is asked for again, whatever has changed meanwhile.
    await street.revoke()
    await offer_replies(street.town, None)
    assert await street.sender.send(made) == first
    assert len(await street.rows()) == 1
    assert [event["type"] for event in await street.events()].count("replied") == 1


async def test_an_id_names_one_reply(street: Street) -> None:
    made = await street.sender.make()
    await street.sender.send(made)
    other = await street.sender.make("Etwas anderes")
    again = other.signed_by(street.sender.seed, reply=made.said.reply)
    assert await street.sender.refused(again) == (422, "reply-id-taken")
    by_bob = await street.by_bob()
    theirs = await by_bob.make()
    again = theirs.signed_by(by_bob.seed, reply=made.said.reply)
    assert await by_bob.refused(again) == (422, "reply-id-taken")
    assert len(await street.rows()) == 1


async def test_without_consent_to_send_nothing_is_taken(street: Street) -> None:
    made = await street.sender.make()
    await street.revoke()
    assert await street.sender.refused(made) == (409, "no-consent-to-send")
    await street.nothing_happened()


async def test_agency_that_takes_no_replies_gets_none(street: Street) -> None:
    made = await street.sender.make()
    await offer_replies(street.town, None)
    assert await street.sender.refused(made) == (409, "replies-not-offered")
    await street.nothing_happened()


async def test_agency_s_new_key_asks_for_sealing_again(street: Street) -> None:
    made = await street.sender.make()
    await offer_replies(street.town, new_agency_key().recipient)
    assert await street.sender.refused(made) == (409, "reply-key-changed")
    await street.nothing_happened()
    await street.sender.send(await street.sender.make())


async def test_withdrawn_notice_takes_no_reply(street: Street) -> None:
    made = await street.sender.make()
    client = Client(client_id=CLIENT, agency_id=AGENCY)
    await withdraw(street.town.context, client, street.notice)
    assert await street.sender.refused(made) == (409, "step-refused")
    assert (await street.alice.get(f"/notices/{street.notice}/facts"))["can_reply"] is False
    await street.nothing_happened()


#: What a browser of ours never sends, signed all the same.
INVALID: dict[str, Callable[[MadeReply, bytes], MadeReply]] = {
    "signature of another key": lambda made, seed: made.signed_by(os.urandom(32)),
    "another notice": lambda made, seed: made.signed_by(seed, notice=NoticeId("0193-other")),
    "another mailbox": lambda made, seed: made.signed_by(seed, mailbox="0193-other"),
    "another agency": lambda made, seed: made.signed_by(seed, agency="stadt-musterstadt"),
    "a mandate that is none": lambda made, seed: made.signed_by(seed, mandate="0193-none"),
    "another payload": lambda made, seed: made.signed_by(seed, payload_sha256=bytes(32)),
    "another key of the agency": lambda made, seed: made.signed_by(
        seed, recipient_sha256=bytes(32)
    ),
    "no UUIDv7": lambda made, seed: made.signed_by(seed, reply=ReplyId("antwort-1")),
    "changed after signing": lambda made, seed: replace(made, sealed=made.sealed + b"x"),
    "no age file": lambda made, seed: replace(made, sealed=b"Guten Tag"),
    "sealed to one alone": lambda made, seed: _sealed_anew(made, seed, 1),
    "sealed to a stranger, too": lambda made, seed: _sealed_anew(made, seed, 3),
}


def _sealed_anew(made: MadeReply, seed: bytes, recipients: int) -> MadeReply:
    keys = [new_agency_key().recipient for _ in range(recipients)]
    sealed = seal_bytes(b"x" * 1000, keys)
    other = replace(made, sealed=sealed.data)
    return other.signed_by(seed, payload_sha256=sealed.payload_digest)


@pytest.mark.parametrize("what", INVALID)
async def test_what_does_not_hold_is_refused(street: Street, what: str) -> None:
    made = INVALID[what](await street.sender.make(), street.sender.seed)
    assert await street.sender.refused(made) == (422, "reply-invalid")
    await street.nothing_happened()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Siegelpost-Statement", None),
        ("Siegelpost-Statement", "kein Base64"),
        ("Siegelpost-Signature", "AAAA"),
        ("Siegelpost-Recipient", "AB" * 32),
        ("Siegelpost-Recipient", None),
    ],
)
async def test_headers_are_held_to_their_form(
    street: Street, header: str, value: str | None
) -> None:
    made = await street.sender.make()
    headers = {**made.headers(), header: value}

    class Changed(MadeReply):
        def headers(self) -> dict[str, str]:
            return {name: text for name, text in headers.items() if text is not None}

    changed = Changed(
        said=made.said,
        sealed=made.sealed,
        signature=made.signature,
        recipient_sha256=made.recipient_sha256,
    )
    assert await street.sender.refused(changed) == (422, "input-invalid")
    await street.nothing_happened()


async def test_retired_key_signs_no_reply(street: Street) -> None:
    made = await street.sender.make()
    retired = street.sender.seed
    await rotate(street.alice, PASSPHRASE, CODE)
    assert await street.sender.refused(made) == (409, "reply-key-changed")
    anew = await street.sender.make()
    assert await street.sender.refused(anew.signed_by(retired)) == (422, "reply-invalid")
    await street.sender.send(anew)


async def test_too_large_a_reply_is_refused(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await street.sender.make()
    monkeypatch.setattr("siegelpost.portal.replies.MAX_SEALED_SIZE", len(made.sealed) - 1)
    assert await street.sender.refused(made) == (413, "too-large")
    await street.nothing_happened()


async def test_number_of_replies_is_limited(
    street: Street, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "PER_NOTICE", 3)
    monkeypatch.setattr(replies, "PER_DAY", 2)
    for _ in range(2):
        await street.sender.send(await street.sender.make())
    today = (429, "too-many-replies-today")
    assert await street.sender.refused(await street.sender.make()) == today
    clock.advance(timedelta(days=1, seconds=1))
    street.alice = again = street.town.citizen()
    await again.log_in(ALICE, PASSPHRASE)
    await again.load("/inbox")
    await street.sender.send(await street.sender.make())
    assert await street.sender.refused(await street.sender.make()) == (429, "too-many-replies")
    assert len(await street.rows()) == 3
    # What the citizen used up is not the delegate's, nor the reverse.
    bob = await street.by_bob()
    await bob.send(await bob.make())


async def test_charlie_replies_to_nothing_of_alice_s(street: Street) -> None:
    made = await street.sender.make()
    await street.sender.send(made)
    charlie = await street.town.active(CHARLIE)
    stranger = Sender(who=charlie, notice=street.notice)
    await charlie.load("/inbox")
    assert await stranger.refused(made) == (404, "not-found")
    assert await refused(charlie, f"{stranger.base}/replies") == (404, "not-found")
    assert await refused(charlie, f"/replies/{made.said.reply}") == (404, "not-found")
    assert len(await street.rows()) == 1


async def test_the_same_reply_by_two_ways_at_once_is_one_reply(street: Street) -> None:
    made, context = await street.sender.make(), street.town.context
    assert street.alice.mailbox is not None
    alice = Reader(street.alice.mailbox)
    answers = await asyncio.gather(
        *(replies.reply(context, alice, street.notice, given(made)) for _ in range(5))
    )
    assert len({(answer.id, answer.at) for answer in answers}) == 1
    assert len(await street.rows()) == 1


@pytest.mark.parametrize("delegated", [False, True])
async def test_reply_is_packed_for_nobody_beside_those_who_may_read_it(
    street: Street, monkeypatch: pytest.MonkeyPatch, *, delegated: bool
) -> None:
    sender = await street.by_bob() if delegated else street.sender
    facts = await sender.who.get(f"{sender.base}/reply/facts")
    mine = facts["recipients"]

    async def get(path: str) -> dict[str, Any]:
        return facts

    monkeypatch.setattr(sender.who, "get", get)
    assert await sender.make()
    for told in (mine[:-1], [*mine, {"recipient": new_agency_key().recipient.encode()}]):
        facts["recipients"] = told
        with pytest.raises(ValueError, match="another number of readers"):
            await sender.make()


async def test_largest_reply_passes_whole(street: Street) -> None:
    text = "x" * MAX_TEXT
    room = MAX_DOCUMENTS_SIZE - len(text)
    scan = Document(
        name="Scan.pdf", media_type="application/pdf", content=b"%PDF-" + bytes(room - 5)
    )
    made = await street.sender.make(text, [scan])
    await street.sender.send(made)
    answer = await street.alice.send("GET", f"/replies/{made.said.reply}")
    assert answer.content == made.sealed
    opened = open_reply(answer.content, [street.agency], made.said)
    assert len(opened.files[0].content) == room
    with pytest.raises(ManifestError):
        await street.sender.make(text + "x", [scan])
