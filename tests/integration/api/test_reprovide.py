"""Providing again: the same documents as a notice of its own, linked in evidence, once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import Connection

from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.fsck.finding import silent
from siegelpost.store.fsck.reproviding_checks import check_reproviding
from siegelpost.store.tasks import TaskKind
from tests.support.agencies import Agency, Citizen, add_citizen
from tests.support.clocks import Replay
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf

pytestmark = pytest.mark.anyio

URN = "urn:siegelpost:problem:"


@pytest.fixture
async def replay(
    request: pytest.FixtureRequest, context: Context, agency: Agency, alice: Citizen
) -> Replay:
    """Alice's notices, her consent on record."""
    # Alerts fail here without the tasks that the mail side opens.
    request.node.add_marker(pytest.mark.unsound_store("alert"))
    made = Replay(context, agency, alice)
    await made.consent()
    return made


async def send(api: ApiClient, citizen: Citizen, key: str, **changes: Any) -> Any:
    documents = changes.pop("documents", (make_pdf(),))
    body = dispatch_body(notice_json(citizen.enrolment_id, **changes), documents)
    return await api.dispatch(body, key=key)


async def facts(replay: Replay, kind: EventType, notice: str) -> Any:
    [row] = await replay.rows(tables.Event, type=kind.value, notice_id=notice)
    return parse_event(row.body.encode()).facts


async def test_failed_notice_is_provided_again_with_a_clock_of_its_own(
    replay: Replay, api: ApiClient, alice: Citizen, context: Context, agency: Agency
) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    await replay.alert(EventType.ALERT_FAILED, old)
    await api.http.post(
        f"/v1/notices/{old}/disputes", json={"claim": "not-received"}, headers=await api.headers()
    )
    await replay.pass_days(2)
    answer = await send(api, alice, "two", reprovides=old)
    assert answer.status_code == 201, answer.text
    new = answer.json()["id"]
    assert (await send(api, alice, "two", reprovides=old)).json() == answer.json()

    assert (await facts(replay, EventType.REPROVIDED, old))["notice"] == new
    assert (await facts(replay, EventType.PROVIDED, new))["reprovides"] == old
    tasks = await replay.rows(tables.Task, notice_id=old)
    assert {task.outcome for task in tasks} == {"settled"}
    assert TaskKind.ALERT_DISPUTED in {task.kind for task in tasks}

    await replay.alert(EventType.ALERT_SENT, new)
    await replay.pass_days(4)
    before = (await api.get(f"/v1/notices/{old}/deadline")).json()
    after = (await api.get(f"/v1/notices/{new}/deadline")).json()
    assert (before["state"], before["deemed"]) == ("not-served", None)
    assert "paper-counts" in [advice["code"] for advice in before["advice"]]
    assert (after["state"], after["deemed"]) == ("served", "2026-11-29")
    receipt = parse_receipt(await receipt_for_agency(context, agency.id, old))
    assert any(b'"type":"reprovided"' in event.body for event in receipt.events)


async def test_other_documents_are_no_providing_again(api: ApiClient, alice: Citizen) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    for number, documents in enumerate(([make_pdf("Anderes")], [make_pdf(), make_pdf()])):
        answer = await send(api, alice, f"two-{number}", reprovides=old, documents=documents)
        assert (answer.status_code, answer.json()["type"]) == (422, URN + "reprovides-differs")


async def test_what_was_withdrawn_or_provided_again_is_not_provided_again(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    withdrawn = (await send(api, alice, "one")).json()["id"]
    await api.http.post(f"/v1/notices/{withdrawn}/withdraw", headers=await api.headers())
    refused = await send(api, alice, "two", reprovides=withdrawn)
    assert (refused.status_code, refused.json()["type"]) == (409, URN + "reprovides-withdrawn")

    old = (await send(api, alice, "three")).json()["id"]
    new = (await send(api, alice, "four", reprovides=old)).json()["id"]
    refused = await send(api, alice, "five", reprovides=old)
    assert (refused.status_code, refused.json()["type"]) == (409, URN + "reprovided-before")
    assert new in refused.json()["reason"]
    assert (await send(api, alice, "six", reprovides=new)).status_code == 201


async def test_of_two_that_provide_again_at_once_one_wins(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    answers = await asyncio.gather(
        *(send(api, alice, f"again-{number}", reprovides=old) for number in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await replay.rows(tables.Event, type="reprovided")) == 1


async def test_charlie_and_other_citizens_notices_look_unknown(
    context: Context,
    api: ApiClient,
    agency: Agency,
    alice: Citizen,
    charlies_agency: Agency,
) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    bob = await add_citizen(context, agency)
    dora = await add_citizen(context, charlies_agency)
    for client, citizen, wanted in (
        (api, bob, old),
        (api.as_agency(charlies_agency), dora, old),
        (api, alice, "no-such-notice"),
    ):
        answer = await send(client, citizen, "foreign", reprovides=wanted)
        assert (answer.status_code, answer.json()["type"]) == (404, URN + "reprovides-unknown")


async def test_fsck_finds_links_that_only_one_side_knows(
    replay: Replay, api: ApiClient, alice: Citizen, context: Context
) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    new = (await send(api, alice, "two", reprovides=old)).json()["id"]

    def found(connection: Connection) -> list[str]:
        return [finding.what for finding in check_reproviding(connection, silent)]

    assert await context.store.read(found) == []
    notice = tables.core(tables.Notice)

    def link(value: str | None) -> None:
        with context.store.database.write() as connection:
            connection.execute(notice.update().where(notice.c.id == new).values(reprovides=value))

    link(None)
    assert "which is not" in (await context.store.read(found))[0]
    link(new)
    assert len(await context.store.read(found)) == 1
    link(old)


async def test_notice_of_before_is_not_reminded_of_any_more(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    old = (await send(api, alice, "one")).json()["id"]
    await send(api, alice, "two", reprovides=old)
    [row] = await replay.rows(tables.Notice, id=old)
    assert row.follow_ups > 100


async def test_what_the_agency_says_at_dispatch_is_evidence_and_moves_the_deadline(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    answer = await send(api, alice, "one", circumstances={"abroad": True, "benefit": "sgb2"})
    notice = answer.json()["id"]
    said = await facts(replay, EventType.SUBMISSION_ACCEPTED, notice)
    assert said["circumstances"] == {"abroad": True, "benefit": "sgb2"}
    assert said["issued_at"] == "2026-11-23T08:00:00.000000Z"
    await replay.alert(EventType.ALERT_SENT, notice)
    await replay.pass_days(5)
    deadline = (await api.get(f"/v1/notices/{notice}/deadline")).json()
    assert (deadline["deemed"], deadline["end"]) == ("2026-11-27", "2027-03-01")
    assert "ABROAD" in {review["code"] for review in deadline["review"]}
    other = await send(api, alice, "one")
    assert (other.status_code, other.json()["type"]) == (422, URN + "idempotency-key-reused")


async def test_schriftform_without_a_qualified_signature_is_refused_at_dispatch(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    refused = await send(api, alice, "one", circumstances={"written_form": True})
    assert (refused.status_code, refused.json()["type"]) == (422, URN + "written-form")
    [event] = await replay.rows(tables.Event, type="submission-rejected")
    assert json.loads(event.body)["facts"]["code"] == "written-form"
    signed = {"written_form": True, "qualified_signature": True}
    assert (await send(api, alice, "two", circumstances=signed)).status_code == 201
