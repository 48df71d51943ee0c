"""Replies on the agency's side: listed, proven, fetched once in evidence, and nobody else's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text

from siegelpost.evidence.errors import EvidenceError, VerificationError
from siegelpost.evidence.reply import PREFIX
from siegelpost.evidence.trust import parse_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.sealing.age_header import parse_header, write_header
from siegelpost.sealing.errors import NoMatch, SealingError
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.replies import open_reply
from siegelpost.sending.replies import FetchedReply, check, check_signer
from siegelpost.store import tables
from siegelpost.store.events import events_of
from siegelpost.store.fsck import check_store
from siegelpost.store.log import log_origin
from tests.support.agencies import ALL_SCOPES, Agency, public_jwk
from tests.support.dispatches import ApiClient
from tests.support.mandates import delegated
from tests.support.portal import AGENCY, OTHER_AGENCY, Town
from tests.support.replies import (
    TEXT,
    MadeReply,
    Sender,
    new_agency_key,
    offer_replies,
)
from tests.support.reply_street import reply_street

ALICE, BOB = "alice@beispiel.example", "bob@muster.example"


@dataclass(kw_only=True)
class Office:
    """Alice's agency with a reply of hers, and a client that may fetch it."""

    town: Town
    alice: Sender
    identity: Identity
    made: MadeReply
    api: ApiClient
    charlies: ApiClient

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self.api.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def fetched(self, made: MadeReply) -> FetchedReply:
        answer = await self.get(f"/v1/replies/{made.said.reply}")
        package = await self.api.get(f"/v1/replies/{made.said.reply}/package")
        assert package.headers["content-type"] == "application/age"
        assert package.headers["cache-control"] == "private, no-store"
        (line,) = [
            each
            for each in (await self.get("/v1/replies?waiting=false"))["replies"]
            if each["id"] == made.said.reply
        ]
        assert package.headers["siegelpost-fetched-at"] == line["fetched_at"]
        return FetchedReply(answer=answer, sealed=package.content)

    async def give_out(self, recipient: bytes) -> bytes:
        """The service takes this key for the citizen's from now on; the one it took before."""
        key = tables.core(tables.MailboxKey)
        ours = key.c.mailbox_id == self.alice.who.mailbox
        store = self.town.context.store
        before = await store.read(lambda c: c.execute(select(key.c.recipient).where(ours)).one())
        await store.write(lambda c: c.execute(key.update().where(ours).values(recipient=recipient)))
        return bytes(before.recipient)

    async def kinds(self) -> list[str]:
        rows = await self.town.context.store.read(
            lambda c: events_of(c, f"notice:{self.alice.notice}")
        )
        return [row.type for row in rows]


async def client(town: Town, agency: str) -> ApiClient:
    """A client of ``agency`` with all scopes."""
    key = Ed25519PrivateKey.generate()
    found = Agency(id=agency, client_id=f"client-of-{agency}", key=key)  # type: ignore[arg-type]  # a fixed one
    row = {
        "id": found.client_id,
        "agency_id": agency,
        "name": "Fachverfahren",
        "jwk": public_jwk(key),
        "scopes": ALL_SCOPES,
        "created_at": town.context.now(),
    }
    await town.context.store.write(lambda c: c.execute(tables.core(tables.ApiClient).insert(), row))
    return ApiClient(town.context, found)


@pytest.fixture
async def office(town: Town) -> Office:
    street = await reply_street(town)
    sender = Sender(who=street.alice, notice=street.notice)
    made = await sender.make()
    await sender.send(made)
    await town.sequence()
    return Office(
        town=town,
        alice=sender,
        identity=street.agency,
        made=made,
        api=await client(town, AGENCY),
        charlies=await client(town, OTHER_AGENCY),
    )


async def test_agency_fetches_checks_and_opens_what_the_citizen_sent(office: Office) -> None:
    listed = await office.get("/v1/replies")
    assert listed["next"] is None
    (line,) = listed["replies"]
    assert line["id"] == office.made.said.reply
    assert (line["notice"], line["reference"]) == (office.alice.notice, "BG-1")
    assert (line["mandate"], line["fetched_at"]) == (None, None)
    # Looking at the list and at the statement fetches nothing.
    fetched = await office.get(f"/v1/replies/{line['id']}")
    assert "reply-fetched" not in await office.kinds()
    got = await office.fetched(office.made)
    trust = parse_trust(office.town.trust())
    opened = check(got, [office.identity], trust)
    assert opened.text == TEXT
    assert check_signer(fetched, trust).mailbox == office.alice.who.mailbox
    assert (await office.kinds())[-1] == "reply-fetched"
    # It no longer waits, and may be fetched again; evidence has it once.
    assert (await office.get("/v1/replies"))["replies"] == []
    (line,) = (await office.get("/v1/replies?waiting=false"))["replies"]
    assert line["fetched_at"] is not None
    assert (await office.fetched(office.made)).sealed == office.made.sealed
    assert (await office.kinds()).count("reply-fetched") == 1
    (shown,) = await office.alice.sent()
    assert shown["fetched_at"] == line["fetched_at"]


async def test_receipt_proves_reply_and_fetching_offline(office: Office) -> None:
    await office.fetched(office.made)
    await office.town.sequence()
    receipt = await office.alice.who.receipt(office.alice.notice)
    verified = verify_receipt(receipt, office.town.trust())
    step = verified.steps[16]
    assert (step.name, step.checked, step.asked) == ("replies", True, True)
    assert "1 vom Postfach" in step.result_de
    assert "Die Behörde hat 1 abgerufen" in step.result_de
    assert verified.events[-1].event.actor.startswith("client:")


async def test_receipt_with_a_delegate_s_reply_verifies_too(office: Office) -> None:
    bob = await office.town.active(BOB)
    mandate = await delegated(office.town, office.alice.who, bob, role="reply")
    sender = Sender(who=bob, notice=office.alice.notice, mandate=mandate)
    made = await sender.make("Von Bob")
    await sender.send(made)
    await office.town.sequence()
    verified = verify_receipt(
        await office.alice.who.receipt(office.alice.notice), office.town.trust()
    )
    assert "1 von Vertrauenspersonen" in verified.steps[16].result_de
    # The agency is shown whose key it is: one bound to another mailbox than the citizen's.
    got = await office.fetched(made)
    assert got.answer["mandate"] == mandate
    opened = check(got, [office.identity], parse_trust(office.town.trust()))
    assert opened.text == "Von Bob"
    bound = json.loads(got.answer["bound"]["event"])
    assert bound["mailbox"] == bob.mailbox


async def test_key_put_in_the_citizen_s_place_is_told_by_what_the_delegate_signed(
    office: Office,
) -> None:
    """A delegate's browser was given another key for the citizen's, and the service took it."""
    bob = await office.town.active(BOB)
    mandate = await delegated(office.town, office.alice.who, bob, role="reply")
    sender = Sender(who=bob, notice=office.alice.notice, mandate=mandate)
    made = await sender.make("Von Bob")
    stranger = new_agency_key()
    genuine = await office.give_out(stranger.recipient.raw)
    # What was sealed before is not taken under the other key, and the browser asks again.
    assert await sender.refused(made) == (409, "reply-key-changed")
    made = await sender.make("Von Bob")
    await sender.send(made)
    assert open_reply(made.sealed, [stranger], made.said).text == "Von Bob"
    await office.give_out(genuine)
    await office.town.sequence()
    with pytest.raises(VerificationError) as caught:
        verify_receipt(await office.alice.who.receipt(office.alice.notice), office.town.trust())
    assert (caught.value.step, caught.value.code) == (17, "reply-copy")


async def test_what_the_service_tells_wrong_is_not_believed(office: Office) -> None:
    got = await office.fetched(office.made)
    trust = parse_trust(office.town.trust())
    other = await office.alice.make("Etwas anderes")
    lies: dict[str, FetchedReply] = {
        "another reply": replace(got, answer={**got.answer, "id": other.said.reply}),
        "another notice": replace(got, answer={**got.answer, "notice": "0193-other"}),
        "a mandate": replace(got, answer={**got.answer, "mandate": "0193-other"}),
        "another signature": replace(
            got, answer={**got.answer, "signature": other.signature.hex()}
        ),
        "another file": replace(got, sealed=other.sealed),
        "no proof": replace(got, answer={**got.answer, "bound": {}}),
        "another event": replace(
            got,
            answer={
                **got.answer,
                "bound": {
                    **got.answer["bound"],
                    "event": got.answer["bound"]["event"].replace("key-bound", "key-retired"),
                },
            },
        ),
    }
    for lie in lies.values():
        with pytest.raises((EvidenceError, SealingError)):
            check(lie, [office.identity], trust)


async def test_key_put_in_the_agency_s_place_is_told_by_what_was_signed(office: Office) -> None:
    """A browser was given another key; whoever holds it opened the file and sealed it anew."""
    stranger = new_agency_key()
    await offer_replies(office.town, stranger.recipient)
    made = await office.alice.make("vertraulich")
    await offer_replies(office.town, office.identity.recipient)
    header = parse_header(made.sealed)
    file_key = stranger.unwrap(header.stanzas)
    assert file_key is not None
    stanzas = [office.identity.recipient.wrap(file_key), *header.stanzas[1:]]
    sealed = write_header(stanzas, file_key) + made.sealed[header.size :]
    own = sha256(office.identity.recipient.raw).digest()
    forged = replace(made, sealed=sealed, recipient_sha256=own)
    # The same payload, which the citizen signed, opens with the agency's key; and yet:
    assert open_reply(sealed, [office.identity], made.said).text == "vertraulich"
    assert await office.alice.refused(forged) == (422, "reply-invalid")
    # Nor does the agency believe it, whatever the service let in.
    genuine = await office.fetched(office.made)
    answer = {
        **genuine.answer,
        "id": made.said.reply,
        "statement": made.said.message().removeprefix(PREFIX).decode(),
        "signature": made.signature.hex(),
    }
    trust = parse_trust(office.town.trust())
    assert check_signer(answer, trust) == made.said
    with pytest.raises(NoMatch, match="none of the agency's"):
        check(FetchedReply(answer=answer, sealed=sealed), [office.identity], trust)


async def test_older_key_of_the_agency_still_opens(office: Office) -> None:
    got = await office.fetched(office.made)
    identities = [new_agency_key(), office.identity]
    assert check(got, identities, parse_trust(office.town.trust())).text == TEXT


async def test_no_other_agency_sees_or_fetches_anything(office: Office) -> None:
    charlies, reply = office.charlies, office.made.said.reply
    assert (await charlies.get("/v1/replies?waiting=false")).json()["replies"] == []
    for path in (f"/v1/replies/{reply}", f"/v1/replies/{reply}/package"):
        foreign = await charlies.get(path)
        unknown = await charlies.get(path.replace(reply, "0193-unknown"))
        for answer in (foreign, unknown):
            assert answer.status_code == 404
            assert answer.json()["type"] == "urn:siegelpost:problem:not-found"
    cursor = await charlies.get(f"/v1/replies?cursor={reply}")
    assert (cursor.status_code, cursor.json()["errors"][0]["at"]) == (422, "/cursor")
    assert "reply-fetched" not in await office.kinds()


async def test_the_scope_is_needed(office: Office) -> None:
    for path in ("", f"/{office.made.said.reply}", f"/{office.made.said.reply}/package"):
        answer = await office.api.get(f"/v1/replies{path}", scope="notices:read")
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:siegelpost:problem:scope-missing"


async def test_list_goes_on_behind_its_cursor(office: Office) -> None:
    made = [office.made]
    for _ in range(2):
        made.append(await office.alice.make())
        await office.alice.send(made[-1])
    seen: list[str] = []
    cursor = ""
    while True:
        page = await office.get(f"/v1/replies?limit=2{cursor}")
        seen += [each["id"] for each in page["replies"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(each.said.reply for each in made)
    for query in ("waiting=yes", "limit=0", "limit=201", "cursor=unknown", "cursor="):
        assert (await office.api.get(f"/v1/replies?{query}")).status_code == 422, query


async def test_feed_and_status_tell_of_replies(office: Office) -> None:
    await office.fetched(office.made)
    await office.town.sequence()
    events = (await office.get("/v1/events"))["events"]
    told = {event["type"]: event["facts"] for event in events}
    assert told["replied"]["reply"] == told["reply-fetched"]["reply"] == office.made.said.reply
    status = await office.get(f"/v1/notices/{office.alice.notice}")
    assert [event["type"] for event in status["events"]][-2:] == ["replied", "reply-fetched"]


async def test_no_clock_reads_replies(office: Office) -> None:
    path = f"/v1/notices/{office.alice.notice}/deadline"
    before = await office.get(path)
    await office.fetched(office.made)
    await office.alice.send(await office.alice.make())
    after = await office.get(path)
    assert {**after, "computed_at": ""} == {**before, "computed_at": ""}


#: One fault each: a statement of SQL, and what fsck says of it.
FAULTS = {
    "digest": ("UPDATE reply SET payload_digest = manifest_digest", "differs from the digest"),
    "size": ("UPDATE reply SET size = size + 1", "bytes instead of"),
    "blob gone": ("DELETE FROM blob WHERE id IN (SELECT blob_id FROM reply)", "cannot be read"),
    "row gone": ("DELETE FROM reply", "there is no such reply"),
    "fetched, says the table": ("UPDATE reply SET fetched_at = received_at", "whether it was"),
    "another's evidence": (
        "UPDATE reply SET event_id = (SELECT id FROM event WHERE type = 'provided')",
        "no evidence",
    ),
    "another statement": ("UPDATE reply SET statement = '{}'", "differ in statement"),
    "another mailbox": (
        "UPDATE reply SET mailbox_id = (SELECT id FROM mailbox WHERE id <> mailbox_id)",
        "differ in mailbox",
    ),
    "another sender": (
        "UPDATE reply SET sender_id = (SELECT id FROM mailbox WHERE id <> sender_id)",
        "differ in actor",
    ),
    "another agency": (
        f"UPDATE reply SET agency_id = '{OTHER_AGENCY}'",  # noqa: S608 - our own
        "differ in agency",
    ),
    "another mandate": (
        "UPDATE reply SET mandate_id = (SELECT id FROM mandate)",
        "differ in mandate",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_fsck_finds_each_fault(office: Office, fault: str) -> None:
    if fault in ("another mandate", "another mailbox", "another sender"):
        bob = await office.town.active(BOB)
        await delegated(office.town, office.alice.who, bob)
        await office.town.sequence()
    statement, expected = FAULTS[fault]
    context = office.town.context
    connection = context.store.database
    with connection.write() as writing:
        before = [dict(row._mapping) for row in writing.execute(text("SELECT * FROM reply"))]
        blobs = [
            dict(row._mapping)
            for row in writing.execute(
                text("SELECT * FROM blob WHERE id IN (SELECT blob_id FROM reply)")
            )
        ]
        writing.execute(text(statement))
    found = [
        str(finding)
        for finding in check_store(
            connection,
            origin=log_origin(context.origin),
            verifiers=[context.keyring.signer(KeyPurpose.LOG).verifier],
        )
    ]
    assert any(expected in finding for finding in found), found
    # Sound again for the check at the end.
    with connection.write() as writing:
        writing.execute(text("DELETE FROM reply"))
        for row in blobs:
            writing.execute(text("DELETE FROM blob WHERE id = :id AND part = :part"), row)
            writing.execute(
                text("INSERT INTO blob (id, part, data) VALUES (:id, :part, :data)"), row
            )
        names = list(before[0])
        insert = (
            f"INSERT INTO reply ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})"  # noqa: S608 - our own names
        )
        for row in before:
            writing.execute(text(insert), row)
