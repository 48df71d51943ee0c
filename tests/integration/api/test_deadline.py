"""The legal clock over HTTP: deadline, disputes, paper, withdrawal; nothing for Charlie."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.times import format_time
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.notices.retrieve import retrieve
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks
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


async def post(api: ApiClient, path: str, body: Any = None) -> httpx2.Response:
    return await api.http.post(
        path, json=body if body is not None else {}, headers=await api.headers()
    )


async def test_deadline_has_days_reasons_events_and_history(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    await replay.pass_days(5)
    answer = await api.get(f"/v1/notices/{notice}/deadline")
    assert answer.status_code == 200, answer.text
    deadline = answer.json()
    assert (deadline["state"], deadline["deemed"]) == ("served", "2026-11-27")
    assert (deadline["end"], deadline["rule"]) == ("2026-12-28", "sgb10-37-2a/A7")
    assert "unverbindliche Auskunft" in deadline["disclaimer_de"]
    assert deadline["legal_basis"]
    known = {row.id for row in await replay.rows(tables.Event)}
    assert deadline["events"]
    assert set(deadline["events"]) <= known
    assert [change["de"] for change in deadline["what_if"]]
    assert [(one["number"], one["state"]) for one in deadline["earlier"]] == [
        (0, "expected"),
        (1, "served"),
    ]
    status = (await api.get(f"/v1/notices/{notice}")).json()
    assert status["deadline"]["reasons"] == deadline["reasons"]


async def test_deadline_is_never_older_than_the_events(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    await replay.settle()
    await replay.alert(EventType.ALERT_FAILED, notice)  # the worker has not looked yet
    deadline = (await api.get(f"/v1/notices/{notice}/deadline")).json()
    assert deadline["rule"] == "sgb10-37-2a/A4"
    assert [one["rule"] for one in deadline["earlier"]] == ["sgb10-37-2a/A7"]


async def test_dispute_is_recorded_once_and_reopens_the_clock(
    replay: Replay, api: ApiClient
) -> None:
    notice = await replay.provide()
    await replay.pass_days(6)
    path = f"/v1/notices/{notice}/disputes"
    first = await post(api, path, {"claim": "not-received"})
    assert first.status_code == 201, first.text
    assert first.json()["deadline"]["rule"] == "sgb10-37-2a/A5"
    again = await post(api, path, {"claim": "not-received"})
    assert (again.status_code, again.json()["event"]) == (200, first.json()["event"])
    (event,) = await replay.rows(tables.Event, type="alert-disputed")
    assert f'"actor":"client:{replay.agency.client_id}"' in event.body


async def test_late_alert_counts_by_the_day_it_came(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    came = replay.context.now()
    await replay.pass_days(8)
    path = f"/v1/notices/{notice}/disputes"
    for received_at, reason in (
        (None, "belongs to"),
        ("2026-12-24T00:00:00Z", "future"),
        ("2026-11-01T00:00:00Z", "before the alert"),
    ):
        refused = await post(api, path, {"claim": "received-late", "received_at": received_at})
        assert refused.status_code == 422, refused.text
        assert reason in refused.text
    late = came.replace(day=29)
    answer = await post(api, path, {"claim": "received-late", "received_at": format_time(late)})
    assert answer.json()["deadline"]["rule"] == "sgb10-37-2a/A6"


async def test_unknown_alert_is_refused(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    body = {"claim": "not-received", "alert": notice}
    assert (await post(api, f"/v1/notices/{notice}/disputes", body)).status_code == 422


async def test_paper_is_recorded_and_closes_the_tasks(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    await replay.alert(EventType.ALERT_FAILED, notice)
    draft = TaskDraft(kind=TaskKind.ALERT_FAILED, agency=replay.agency.id, notice=notice)
    now, entropy = replay.context.now(), replay.context.entropy
    await replay.context.store.write(lambda c: open_tasks(c, [draft], now=now, entropy=entropy))
    answer = await post(api, f"/v1/notices/{notice}/paper")
    assert answer.status_code == 201, answer.text
    advice = [one["code"] for one in answer.json()["deadline"]["advice"]]
    assert advice == ["prove-receipt", "paper-counts"]
    (task,) = await replay.rows(tables.Task, notice_id=notice)
    assert (task.outcome, task.closed_by) == ("paper-sent", f"client:{replay.agency.client_id}")
    assert (await post(api, f"/v1/notices/{notice}/paper")).status_code == 200
    future = await post(api, f"/v1/notices/{notice}/paper", {"at": "2027-01-01T00:00:00Z"})
    assert future.status_code == 422


async def test_unread_notice_is_withdrawn_before_its_day(
    replay: Replay, api: ApiClient, alice: Citizen
) -> None:
    notice = await replay.provide()
    await replay.pass_days(2)
    answer = await post(api, f"/v1/notices/{notice}/withdraw")
    assert answer.status_code == 200, answer.text
    assert answer.json()["deadline"]["rule"] == "notice/withdrawn"
    await replay.pass_days(1)
    again = await post(api, f"/v1/notices/{notice}/withdraw")
    assert again.json()["withdrawn_at"] == answer.json()["withdrawn_at"]
    assert len(await replay.rows(tables.Event, type="withdrawn")) == 1
    await replay.settle()
    assert (await replay.results(notice))[-1].rule == "notice/withdrawn"


async def test_served_or_opened_notice_cannot_be_withdrawn(
    replay: Replay, api: ApiClient, context: Context, alice: Citizen
) -> None:
    served, opened = await replay.provide(), await replay.provide()
    await retrieve(context, alice.reader, opened)
    assert (await post(api, f"/v1/notices/{opened}/withdraw")).status_code == 409
    await replay.pass_days(5)
    refused = await post(api, f"/v1/notices/{served}/withdraw")
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("step-refused")


async def test_charlie_sees_and_adds_nothing(
    replay: Replay, api: ApiClient, charlies_agency: Agency
) -> None:
    notice = await replay.provide()
    charlie = api.as_agency(charlies_agency)
    before = len(await replay.rows(tables.Event))
    assert (await charlie.get(f"/v1/notices/{notice}/deadline")).status_code == 404
    for name, body in (
        ("disputes", {"claim": "not-received"}),
        ("paper", {}),
        ("withdraw", {}),
    ):
        answer = await post(charlie, f"/v1/notices/{notice}/{name}", body)
        assert answer.status_code == 404, name
    assert len(await replay.rows(tables.Event)) == before


async def test_live_service_has_no_sandbox_clock(api: ApiClient) -> None:
    assert (await api.get("/v1/sandbox/clock")).status_code == 404
    moved = await post(api, "/v1/sandbox/clock", {"advance": "P1D"})
    assert (moved.status_code, moved.json()["type"]) == (404, "urn:siegelpost:problem:not-found")


async def test_reading_scope_adds_nothing(replay: Replay, api: ApiClient) -> None:
    notice = await replay.provide()
    headers = await api.headers(scope="notices:read")
    answer = await api.http.post(f"/v1/notices/{notice}/withdraw", headers=headers)
    assert answer.status_code == 403


async def test_receipt_holds_the_result_of_its_making(
    replay: Replay, context: Context, agency: Agency
) -> None:
    notice = await replay.provide()
    await replay.pass_days(5)
    receipt = parse_receipt(await receipt_for_agency(context, agency.id, NoticeId(notice)))
    assert receipt.deadline is not None
    assert receipt.deadline["state"] == "served"
    assert receipt.deadline["computed_at"] == format_time(receipt.made_at)
    assert receipt.deadline["provisional"] is True
    held = b"".join(event.body for event in (*receipt.events, *receipt.mailbox_events)).decode()
    events = receipt.deadline["events"]
    assert isinstance(events, list)
    for event in events:
        assert f'"id":"{event}"' in held
