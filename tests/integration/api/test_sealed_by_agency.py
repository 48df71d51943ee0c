"""An agency seals on its own side: the citizen opens it, and whatever does not hold is refused."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.errors import EvidenceError, FormatError, InclusionError, SignatureError
from siegelpost.evidence.ids import ID_RANDOM, KeyId, NoticeId, new_id
from siegelpost.evidence.notes import Verifier
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.trust import Purpose, write_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.agency_keys import (
    AgencyKeyRefused,
    agency_keys,
    bind_agency_key,
    retire_agency_key,
)
from siegelpost.notices.inbox import inbox
from siegelpost.notices.retrieve import retrieve
from siegelpost.notices.show import show
from siegelpost.sealing.age_header import Stanza, parse_header, write_header
from siegelpost.sealing.covers import cover_digest, open_cover
from siegelpost.sealing.errors import ManifestSignatureError, NoMatch
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.package import Package, open_package
from siegelpost.sending.keys import ManifestKey
from siegelpost.sending.seal import SealedNotice, Target, check_recipients, seal_notice
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.events import events_of
from tests.integration.api.test_refusals import check, nothing_delivered
from tests.support.agencies import Agency, Citizen
from tests.support.agency_sealing import (
    bound_key,
    letter,
    log_key,
    new_key,
    sealed_body,
    sequence,
    trust_of,
)
from tests.support.dispatches import ApiClient, body_of, part
from tests.support.pdfs import make_pdf

pytestmark = pytest.mark.anyio


@pytest.fixture
async def key(context: Context, agency: Agency, alice: Citizen) -> ManifestKey:
    """The agency's own key, bound; Alice's key is in the log."""
    await log_key(context, alice)
    return await bound_key(context, agency)


async def target_of(api: ApiClient, citizen: Citizen, key: ManifestKey) -> Target:
    """The keys as the service gives them, checked."""
    answer = await api.get(f"/v1/enrolments/{citizen.enrolment_id}/recipients")
    assert answer.status_code == 200, answer.text
    return check_recipients(answer.json(), trust_of(api.context), agency=key.agency)


async def sealed_for(api: ApiClient, citizen: Citizen, key: ManifestKey) -> SealedNotice:
    """A usual notice, sealed."""
    target = await target_of(api, citizen, key)
    return seal_notice(letter(), target, key, enrolment=citizen.enrolment_id)


async def opened(context: Context, citizen: Citizen, notice: NoticeId, agency: Agency) -> Package:
    """What the citizen finds, checked as the browser does."""
    shown = await show(context, citizen.reader, notice)
    retrieval = await retrieve(context, citizen.reader, notice)
    return open_package(
        b"".join([piece async for piece in retrieval.parts]),
        [citizen.identity],
        verifiers=[Verifier.from_vkey(vkey) for vkey in shown.manifest_keys],
        notice_id=notice,
        mailbox_id=citizen.mailbox_id,
        agency_id=agency.id,
        cover_sha256=cover_digest(open_cover(shown.cover, [citizen.identity])),
    )


async def test_the_citizen_opens_what_the_agency_sealed_and_the_receipt_proves_it(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    document = bytes(letter().documents[0].content)
    sealed = await sealed_for(api, alice, key)
    answer = await api.dispatch(sealed_body(sealed))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["id"] == sealed.notice["id"]
    [said] = sealed.notice["documents"]
    assert made["documents"] == [
        {"commitment": said["commitment"], "salt": said["salt"], "size": len(document)}
    ]
    assert document_commitment(bytes.fromhex(said["salt"]), document).hex() == said["commitment"]

    [entry] = (await inbox(context, alice.reader)).notices
    assert entry.cover is not None
    assert open_cover(entry.cover, [alice.identity]) == letter().cover
    package = await opened(context, alice, NoticeId(made["id"]), agency)
    assert bytes(package.documents[0].content) == document
    assert package.manifest.salt is not None

    await sequence(context)
    receipt = await api.get(f"/v1/notices/{made['id']}/receipt")
    trust = replace(
        trust_of(context),
        keys=(
            *context.keyring.public_keys(),
            *[k.trusted() for k in await context.store.read(agency_keys)],
        ),
    )
    verify_receipt(receipt.content, write_trust(trust), documents=[document])
    assert parse_receipt(receipt.content).documents[0].salt == bytes.fromhex(said["salt"])


async def test_repetition_gets_the_same_answer_and_other_bytes_are_another_call(
    alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    first = await api.dispatch(sealed_body(sealed))
    assert (await api.dispatch(sealed_body(sealed))).json() == first.json()
    other = await sealed_for(api, alice, key)
    check(await api.dispatch(sealed_body(other)), "idempotency-key-reused", 422)


async def test_salts_rest_masked(
    context: Context, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    assert (await api.dispatch(sealed_body(sealed))).status_code == 201
    table = tables.core(tables.Notice)
    row = await context.store.read(lambda connection: connection.execute(table.select()).one())
    assert sealed.notice["documents"][0]["salt"] not in repr(row)


async def test_stale_keys_are_answered_with_the_new_ones(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    newer = await exchanged_key(context, agency, alice)
    problem = check(await api.dispatch(sealed_body(sealed)), "key-changed", 409)
    await nothing_delivered(context)
    assert (await rejections_of(context, agency))[-1] == "key-changed"

    target = check_recipients(problem["recipients"], trust_of(context), agency=key.agency)
    assert [name for name, _ in target.keys] == [newer.key_id]
    again = seal_notice(letter(), target, key, enrolment=alice.enrolment_id)
    assert (await api.dispatch(sealed_body(again))).status_code == 201
    package = await opened(context, newer, target.notice_id, agency)
    assert len(package.documents) == 1


async def test_forged_manifest_is_refused_by_the_citizen(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    """The service can't see it; whoever stole a token, but no manifest key, deceives nobody."""
    thief = new_key(context, agency)
    sealed = await sealed_for(api, alice, thief)
    made = await api.dispatch(sealed_body(sealed))
    assert made.status_code == 201
    with pytest.raises(ManifestSignatureError):
        await opened(context, alice, NoticeId(made.json()["id"]), agency)


async def test_sealed_to_a_wrong_key_opens_for_nobody(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    target = await target_of(api, alice, key)
    wrong = replace(target, keys=((target.keys[0][0], Identity(os.urandom(32)).recipient),))
    sealed = seal_notice(letter(), wrong, key, enrolment=alice.enrolment_id)
    made = await api.dispatch(sealed_body(sealed))
    assert made.status_code == 201, "the service cannot tell"
    with pytest.raises(NoMatch):
        await opened(context, alice, NoticeId(made.json()["id"]), agency)


async def test_client_seals_to_no_key_that_the_log_has_not_bound(
    context: Context, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    trust = trust_of(context)
    path = f"/v1/enrolments/{alice.enrolment_id}/recipients"
    answer = (await api.get(path)).json()
    bound = answer["keys"][0]["bound"]

    def with_key(**changes: Any) -> dict[str, Any]:
        return {**answer, "keys": [{**answer["keys"][0], **changes}]}

    stranger = Identity(os.urandom(32)).recipient.encode()
    nobody = replace(trust, keys=tuple(k for k in trust.keys if k.purpose is not Purpose.LOG))
    lies: list[tuple[dict[str, Any], type[EvidenceError]]] = [
        (with_key(recipient=stranger), SignatureError),
        (with_key(id=new_id(context.now(), os.urandom(ID_RANDOM))), FormatError),
        (with_key(bound={**bound, "salt": "00" * 32}), InclusionError),
        ({**answer, "mailbox": alice.enrolment_id}, FormatError),
        ({**answer, "agency": alice.enrolment_id}, FormatError),
        ({**answer, "keys": []}, FormatError),
        ({**answer, "keys": answer["keys"] * 2}, FormatError),
    ]
    for lie, error in lies:
        with pytest.raises(error):
            check_recipients(lie, trust, agency=key.agency)
    with pytest.raises(EvidenceError):
        check_recipients(answer, nobody, agency=key.agency)
    with pytest.raises(FormatError):
        check_recipients(answer, trust, agency=key.agency, mailbox=alice.enrolment_id)  # type: ignore[arg-type]  # the refused value
    check_recipients(answer, trust, agency=key.agency, mailbox=alice.mailbox_id)


async def test_recipients_wait_for_the_log_and_are_for_the_agency_alone(
    context: Context,
    alice: Citizen,
    api: ApiClient,
    charlies_agency: Agency,
) -> None:
    path = f"/v1/enrolments/{alice.enrolment_id}/recipients"
    check(await api.get(path), "not-yet-logged", 409)
    await log_key(context, alice)
    assert (await api.get(path)).status_code == 200
    check(await api.as_agency(charlies_agency).get(path), "enrolment-unknown", 404)
    check(await api.get("/v1/enrolments/nobody/recipients"), "enrolment-unknown", 404)
    check(await api.get(path, scope="notices:read"), "scope-missing", 403)


async def test_agency_without_a_key_of_its_own_cannot_seal(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient
) -> None:
    await log_key(context, alice)
    sealed = await sealed_for(api, alice, new_key(context, agency))
    check(await api.dispatch(sealed_body(sealed)), "agency-key-missing", 403)
    key = await bound_key(context, agency)
    [bound] = await context.store.read(agency_keys)
    now = context.now()

    def retire(connection: Connection) -> None:
        retire_agency_key(connection, bound.id, now=now, entropy=context.entropy, compromised=False)

    await context.store.write(retire)
    sealed = await sealed_for(api, alice, key)
    check(await api.dispatch(sealed_body(sealed)), "agency-key-missing", 403)
    await nothing_delivered(context)
    with pytest.raises(AgencyKeyRefused):
        await context.store.write(retire)


async def test_nobody_binds_another_agencys_key(
    context: Context, agency: Agency, charlies_agency: Agency
) -> None:
    key = await bound_key(context, agency)
    now = context.now()
    stolen = key.note.replace(agency.id, charlies_agency.id)
    for note, error in ((stolen, EvidenceError), (key.note, AgencyKeyRefused), ("x", FormatError)):

        def bind(connection: Connection, note: str = note) -> None:
            bind_agency_key(connection, note, now=now, entropy=context.entropy)

        with pytest.raises(error):
            await context.store.write(bind)


async def test_sealed_parts_that_cannot_be_ours_are_refused(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    header = parse_header(sealed.package)
    rest = sealed.package[header.size :]
    own = header.stanzas[0]
    classical = Stanza(
        arguments=("X25519", base64.b64encode(os.urandom(32)).decode().rstrip("=")),
        body=os.urandom(32),
    )
    short = Stanza(arguments=own.arguments, body=own.body[:16])

    def rewritten(*stanzas: Stanza) -> bytes:
        return write_header(stanzas, os.urandom(16)) + rest

    wrong: dict[str, dict[str, Any]] = {
        "mixed recipients": {"package": rewritten(own, classical)},
        "classical recipient": {"package": rewritten(classical)},
        "recipient twice": {"package": rewritten(own, own)},
        "malformed stanza": {"package": rewritten(short)},
        "cover is no age file": {"cover": b"%PDF-1.7 in the clear"},
        "package is no age file": {"package": make_pdf()},
        "payload missing": {"package": sealed.package[: header.size]},
        "payload of an impossible length": {"package": sealed.package[: header.size + 20]},
        "header cut": {"package": sealed.package[:100]},
        "too small for its documents": {"package": sealed.package[: header.size + 200]},
    }
    for name, changes in wrong.items():
        answer = await api.dispatch(sealed_body(sealed, **changes))
        problem = check(answer, "sealed-malformed", 422)
        assert problem["reason"], name
    too_large = sealed_body(sealed, package=sealed.package + os.urandom(400_000))
    check(await api.dispatch(too_large), "notice-too-large", 413)
    await nothing_delivered(context)


async def test_facts_beside_the_sealed_parts_are_checked(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    [document] = sealed.notice["documents"]
    old = new_id(context.now() - timedelta(days=2), os.urandom(ID_RANDOM))
    wrong: list[tuple[str, int, dict[str, Any]]] = [
        ("notice-id", 409, {"id": old}),
        ("notice-id", 409, {"id": sealed.notice["id"].upper()}),
        ("notice-id", 409, {"id": "bescheid-1"}),
        ("request-invalid", 422, {"documents": []}),
        ("request-invalid", 422, {"documents": [{**document, "salt": "kurz"}]}),
        ("request-invalid", 422, {"keys": []}),
        ("request-invalid", 422, {"cover_text": "im Klartext"}),
        ("too-many-documents", 422, {"documents": [document] * 11}),
        ("document-too-large", 413, {"documents": [{**document, "size": 1 << 30}]}),
        ("document-empty", 422, {"documents": [{**document, "size": 0}]}),
        ("key-changed", 409, {"keys": [alice.address_id]}),
        ("enrolment-unknown", 404, {"enrolment": "nobody"}),
    ]
    for code, status, changes in wrong:
        check(await api.dispatch(sealed_body(sealed, **changes)), code, status)
    await nothing_delivered(context)


async def test_an_id_serves_once(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    assert (await api.dispatch(sealed_body(sealed), key="key-1")).status_code == 201
    check(await api.dispatch(sealed_body(sealed), key="key-2"), "notice-id", 409)


async def test_sealed_and_readable_parts_do_not_mix(
    alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    sealed = await sealed_for(api, alice, key)
    notice = part("notice", b"{}", "application/json")
    cover = part("cover", sealed.cover, "application/age")
    package = part("package", sealed.package, "application/age")
    document = part("document", make_pdf(), "application/pdf", filename="a.pdf")
    for parts, code, status in (
        ([notice, cover, package, document], "part-unexpected", 422),
        ([notice, document, package], "part-unexpected", 422),
        ([notice, cover, cover, package], "part-unexpected", 422),
        ([notice, cover], "part-missing", 422),
        ([notice, package], "part-missing", 422),
        (
            [notice, cover, part("package", sealed.package, "application/pdf")],
            "part-media-type",
            415,
        ),
    ):
        check(await api.dispatch(body_of(parts)), code, status)


async def exchanged_key(context: Context, agency: Agency, citizen: Citizen) -> Citizen:
    """The citizen with a new key in the place of the old one."""
    fresh = replace(
        citizen,
        key_id=KeyId(new_id(context.now() + timedelta(seconds=1), os.urandom(ID_RANDOM))),
        identity=Identity(os.urandom(32)),
    )
    table = tables.core(tables.MailboxKey)

    def work(connection: Connection) -> None:
        connection.execute(
            table.update().where(table.c.id == citizen.key_id).values(retired_at=context.now())
        )
        connection.execute(
            table.insert().values(
                id=fresh.key_id,
                mailbox_id=fresh.mailbox_id,
                recipient=fresh.identity.recipient.raw,
                acknowledgement_key=fresh.signing_key.public_key().public_bytes_raw(),
                created_at=context.now(),
            )
        )

    await context.store.write(work)
    await log_key(context, fresh)
    return fresh


async def rejections_of(context: Context, agency: Agency) -> list[str]:
    """Codes of the agency's refusals; its keys' events are left out."""
    rows = await context.store.read(lambda connection: events_of(connection, f"agency:{agency.id}"))
    return [
        json.loads(row.body)["facts"]["code"] for row in rows if row.type == "submission-rejected"
    ]
