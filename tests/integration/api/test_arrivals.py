"""A dispute asks the agency to act; an arrival answers it; a faulty instruction gives a year."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.times import format_time
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.store import tables
from siegelpost.store.context import Context
from tests.support.agencies import Agency, Citizen
from tests.support.clocks import Replay
from tests.support.dispatches import ApiClient

pytestmark = pytest.mark.anyio


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


async def post(api: ApiClient, path: str, body: Any) -> httpx2.Response:
    return await api.http.post(path, json=body, headers=await api.headers())


def shown(replay: Replay, **changes: Any) -> dict[str, Any]:
    now = format_time(replay.context.now())
    return {"shown_by": "agency", "means": "reply", "received_at": now, **changes}


async def test_dispute_opens_one_task_that_an_arrival_settles(
    replay: Replay, api: ApiClient
) -> None:
    notice = await replay.provide()
    proof = shown(replay)
    await replay.pass_days(6)
    await post(api, f"/v1/notices/{notice}/disputes", {"claim": "not-received"})
    [task] = (await api.get("/v1/tasks")).json()["tasks"]
    assert (task["kind"], task["notice"]) == ("alert-disputed", notice)
    assert task["facts"] == {"claim": "not-received", "advice": ["prove-receipt", "send-paper"]}

    answer = await post(api, f"/v1/notices/{notice}/arrivals", proof)
    assert answer.status_code == 201, answer.text
    deadline = answer.json()["deadline"]
    assert (deadline["rule"], deadline["deemed"]) == ("sgb10-37-2a/A7", "2026-11-27")
    assert answer.json()["event"] in deadline["events"]
    assert (await api.get("/v1/tasks")).json()["tasks"] == []

    again = await post(api, f"/v1/notices/{notice}/arrivals", proof)
    assert (again.status_code, again.json()["event"]) == (200, answer.json()["event"])


async def test_dispute_after_a_conceded_arrival_is_news(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    came = shown(replay, shown_by="citizen", means="spoken")
    await replay.pass_days(6)
    paths = [f"/v1/notices/{notice}/{name}" for name in ("disputes", "arrivals")]
    rules = []
    for path, body in (
        (paths[0], {"claim": "not-received"}),
        (paths[1], came),
        (paths[0], {"claim": "not-received"}),
        (paths[1], came),
    ):
        answer = await post(api, path, body)
        assert answer.status_code == 201, answer.text
        rules.append(answer.json()["deadline"]["rule"][-2:])
    assert rules == ["A5", "A7", "A5", "A7"]


async def test_arrival_that_cannot_be_is_refused(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    for changes in (
        {"received_at": "2027-11-24T08:15:00Z"},
        {"received_at": "2026-11-01T08:15:00Z"},
        {"received_at": "2026-11-24T08:15:00"},
        {"alert": notice},
        {"shown_by": "service"},
        {"means": "guess"},
    ):
        answer = await post(api, f"/v1/notices/{notice}/arrivals", shown(replay, **changes))
        assert answer.status_code == 422, changes
    assert await replay.rows(tables.Event, type="alert-received") == []


async def test_faulty_instruction_gives_a_year_and_stands_in_the_receipt(
    replay: Replay, api: ApiClient, context: Context, agency: Agency
) -> None:
    notice = await replay.provide()
    await replay.pass_days(40)
    deadline = (await api.get(f"/v1/notices/{notice}/deadline")).json()
    assert (deadline["end"], deadline["provisional"]) == ("2026-12-28", False)
    path = f"/v1/notices/{notice}/remedy-faults"
    answer = await post(api, path, {"fault": "wrong"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["deadline"]["end"] == "2027-11-29"
    assert (await post(api, path, {"fault": "missing"})).status_code == 200
    assert (await post(api, path, {"fault": "given"})).status_code == 422
    await replay.settle()
    assert str((await replay.results(notice))[-1].ends_on) == "2027-11-29"
    receipt = parse_receipt(await receipt_for_agency(context, agency.id, notice))
    assert receipt.deadline is not None
    assert receipt.deadline["end"] == "2027-11-29"
    assert b'"type":"remedy-faulty"' in receipt.events[-1].body


async def test_charlie_adds_nothing(
    replay: Replay, api: ApiClient, charlies_agency: Agency
) -> None:
    notice = await replay.provide()
    before = len(await replay.rows(tables.Event))
    charlie = api.as_agency(charlies_agency)
    for name, body in (("arrivals", shown(replay)), ("remedy-faults", {"fault": "wrong"})):
        answer = await post(charlie, f"/v1/notices/{notice}/{name}", body)
        assert answer.status_code == 404, name
    assert len(await replay.rows(tables.Event)) == before
