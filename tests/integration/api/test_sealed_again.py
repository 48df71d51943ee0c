"""An agency that seals on its own side provides again, and says what the legal clock asks for."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.evidence.trust import write_trust
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.agency_keys import agency_keys
from siegelpost.sealing.errors import PackageError
from siegelpost.sending.earlier import earlier_of
from siegelpost.sending.keys import ManifestKey
from siegelpost.sending.seal import Letter, check_recipients, seal_notice
from siegelpost.store import tables
from siegelpost.store.context import Context
from tests.integration.api.test_refusals import check
from tests.support.agencies import Agency, Citizen, add_citizen
from tests.support.agency_sealing import (
    bound_key,
    letter,
    log_key,
    sealed_body,
    sequence,
    trust_of,
)
from tests.support.clocks import Replay
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf

pytestmark = pytest.mark.anyio

DOCUMENT = make_pdf("Sie bekommen 563 Euro.")


@pytest.fixture
async def key(context: Context, agency: Agency, alice: Citizen) -> ManifestKey:
    """The agency's own key, bound; Alice's key is in the log."""
    await log_key(context, alice)
    return await bound_key(context, agency)


async def send(
    api: ApiClient, citizen: Citizen, key: ManifestKey, what: Letter, call: str, **changes: Any
) -> Any:
    """Seal ``what`` and dispatch it under the idempotency key ``call``."""
    answer = await api.get(f"/v1/enrolments/{citizen.enrolment_id}/recipients")
    target = check_recipients(answer.json(), trust_of(api.context), agency=key.agency)
    sealed = seal_notice(what, target, key, enrolment=citizen.enrolment_id)
    return await api.dispatch(sealed_body(sealed, **changes), key=call)


async def facts(context: Context, kind: EventType, notice: str) -> Any:
    """The facts of the notice's one event of that kind."""
    table = tables.core(tables.Event)
    wanted = table.select().where(table.c.notice_id == notice, table.c.type == kind.value)
    row = await context.store.read(lambda connection: connection.execute(wanted).one())
    return parse_event(row.body.encode()).facts


@pytest.mark.parametrize("sealed_before", [True, False])
async def test_agency_provides_again_what_it_or_the_service_had_sealed(
    context: Context,
    alice: Citizen,
    api: ApiClient,
    key: ManifestKey,
    sealed_before: bool,
) -> None:
    if sealed_before:
        first = await send(api, alice, key, letter([DOCUMENT]), "one")
    else:
        body = dispatch_body(notice_json(alice.enrolment_id), (DOCUMENT,))
        first = await api.dispatch(body, key="one")
    old = first.json()["id"]
    again = replace(letter([DOCUMENT]), reprovides=earlier_of(first.content))
    answer = await send(api, alice, key, again, "two")
    assert answer.status_code == 201, answer.text
    new = answer.json()["id"]
    assert answer.json()["documents"] == first.json()["documents"]
    assert (await facts(context, EventType.REPROVIDED, old))["notice"] == new
    assert (await facts(context, EventType.PROVIDED, new))["reprovides"] == old

    await sequence(context)
    receipts = [await api.get(f"/v1/notices/{notice}/receipt") for notice in (old, new)]
    trust = replace(
        trust_of(context),
        keys=(
            *context.keyring.public_keys(),
            *[one.trusted() for one in await context.store.read(agency_keys)],
        ),
    )
    for receipt in receipts:
        verify_receipt(receipt.content, write_trust(trust), documents=[DOCUMENT])
        assert earlier_of(receipt.content).salts_for(letter([DOCUMENT]).documents)

    refused = await send(api, alice, key, again, "three")
    assert new in check(refused, "reprovided-before", 409)["reason"]
    third = replace(again, reprovides=earlier_of(receipts[1].content))
    assert (await send(api, alice, key, third, "four")).status_code == 201


async def test_the_service_seals_again_what_the_agency_had_sealed(
    alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    old = (await send(api, alice, key, letter([DOCUMENT]), "one")).json()["id"]
    body = dispatch_body(notice_json(alice.enrolment_id, reprovides=old), (make_pdf("Anderes"),))
    check(await api.dispatch(body, key="two"), "reprovides-differs", 422)
    body = dispatch_body(notice_json(alice.enrolment_id, reprovides=old), (DOCUMENT,))
    assert (await api.dispatch(body, key="three")).status_code == 201


async def test_only_the_commitments_of_then_provide_again(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    first = await send(api, alice, key, letter([DOCUMENT]), "one")
    earlier = earlier_of(first.content)
    old = earlier.notice_id
    with pytest.raises(PackageError):
        await send(api, alice, key, replace(letter([make_pdf("Anderes")]), reprovides=earlier), "x")
    with pytest.raises(PackageError):
        await send(api, alice, key, replace(letter([DOCUMENT] * 2), reprovides=earlier), "x")
    [said] = first.json()["documents"]
    other_salt = os.urandom(32)
    for number, documents in enumerate(
        (
            # a fresh salt, honest or not, shows nothing
            [
                {
                    "commitment": document_commitment(other_salt, DOCUMENT).hex(),
                    "salt": other_salt.hex(),
                    "size": len(DOCUMENT),
                }
            ],
            [{**said, "salt": other_salt.hex()}],
            [{**said, "size": said["size"] - 1}],
            [said, said],
        )
    ):
        answer = await send(
            api, alice, key, letter([DOCUMENT, DOCUMENT]), f"two-{number}",
            documents=documents, reprovides=old,
        )  # fmt: skip
        check(answer, "reprovides-differs", 422)
    bob = await add_citizen(context, agency)
    await log_key(context, bob)
    again = replace(letter([DOCUMENT]), reprovides=earlier)
    check(await send(api, bob, key, again, "three"), "reprovides-unknown", 404)
    nobody = new_id(context.now(), os.urandom(ID_RANDOM))
    answer = await send(api, alice, key, letter([DOCUMENT]), "four", reprovides=nobody)
    check(answer, "reprovides-unknown", 404)
    await api.http.post(f"/v1/notices/{old}/withdraw", headers=await api.headers())
    check(await send(api, alice, key, again, "five"), "reprovides-withdrawn", 409)


async def test_circumstances_reach_evidence_and_clock(
    request: pytest.FixtureRequest,
    context: Context,
    agency: Agency,
    alice: Citizen,
    api: ApiClient,
    key: ManifestKey,
) -> None:
    request.node.add_marker(pytest.mark.unsound_store("alert"))
    replay = Replay(context, agency, alice)
    await replay.consent()
    abroad = replace(letter([DOCUMENT]), circumstances={"abroad": True})
    made = await send(api, alice, key, abroad, "one")
    assert made.status_code == 201, made.text
    notice = made.json()["id"]
    said = await facts(context, EventType.SUBMISSION_ACCEPTED, notice)
    assert said["circumstances"] == {"abroad": True}
    await replay.alert(EventType.ALERT_SENT, notice)
    found = (await api.get(f"/v1/notices/{notice}/deadline")).json()
    deemed, end = (datetime.fromisoformat(found[name]) for name in ("deemed", "end"))
    assert (end.year * 12 + end.month) - (deemed.year * 12 + deemed.month) >= 3


async def test_circumstances_belong_to_the_call_and_are_as_strict_as_elsewhere(
    alice: Citizen, api: ApiClient, key: ManifestKey
) -> None:
    form = replace(letter([DOCUMENT]), circumstances={"written_form": True})
    check(await send(api, alice, key, form, "one"), "written-form", 422)
    signed = {"written_form": True, "qualified_signature": True}
    wrong = await send(api, alice, key, letter([DOCUMENT]), "two", circumstances={"abroad": "ja"})
    check(wrong, "request-invalid", 422)
    unknown = await send(api, alice, key, letter([DOCUMENT]), "two", circumstances={"mond": True})
    check(unknown, "request-invalid", 422)

    answer = await api.get(f"/v1/enrolments/{alice.enrolment_id}/recipients")
    target = check_recipients(answer.json(), trust_of(api.context), agency=key.agency)
    sealed = seal_notice(
        replace(form, circumstances=signed), target, key, enrolment=alice.enrolment_id
    )
    first = await api.dispatch(sealed_body(sealed), key="three")
    assert first.status_code == 201
    assert (await api.dispatch(sealed_body(sealed), key="three")).json() == first.json()
    otherwise = sealed_body(sealed, circumstances={**signed, "abroad": True})
    check(await api.dispatch(otherwise, key="three"), "idempotency-key-reused", 422)
    assert json.loads(first.content)["state"] == "provided"
