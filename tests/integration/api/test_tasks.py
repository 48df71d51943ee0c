"""Tasks over HTTP: read on by number, closed once, never another agency's."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from siegelpost.evidence.events import parse_event
from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.retrieve import retrieve
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.events import events_of
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import ApiClient, dispatch_body, notice_json

pytestmark = pytest.mark.anyio

URN = "urn:siegelpost:problem:"


async def dispatched(api: ApiClient, alice: Citizen, key: str = "key-1") -> NoticeId:
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)), key=key)
    assert answer.status_code == 201
    return NoticeId(answer.json()["id"])


def opened(context: Context, agency: Agency, notice: NoticeId, *kinds: TaskKind) -> None:
    def work(connection: Connection) -> None:
        drafts = [
            TaskDraft(kind=kind, agency=agency.id, notice=notice, facts={"reason": "unknown-user"})
            for kind in kinds
        ]
        open_tasks(connection, drafts, now=context.now(), entropy=os.urandom)

    with context.store.database.write() as connection:
        work(connection)


async def listed(api: ApiClient, query: str = "") -> Any:
    answer = await api.get(f"/v1/tasks{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def close(api: ApiClient, task: str, **body: Any) -> Any:
    return await api.http.post(
        f"/v1/tasks/{task}/close",
        content=json.dumps(body),
        headers={**await api.headers(), "content-type": "application/json"},
    )


def types(context: Context, notice: NoticeId) -> list[str]:
    return [
        row.type
        for row in context.store.read_now(
            lambda connection: events_of(connection, f"notice:{notice}")
        )
    ]


async def test_tasks_are_listed_with_what_a_clerk_needs_and_no_name(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, TaskKind.ALERT_FAILED)
    [task] = (await listed(api))["tasks"]
    assert task["notice"] == notice
    assert task["enrolment"] == alice.enrolment_id
    assert (task["number"], task["kind"], task["state"]) == (1, "alert-failed", "open")
    assert task["facts"] == {"reason": "unknown-user"}
    assert "@" not in json.dumps(task)


async def test_one_task_of_a_kind_for_each_notice(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    for _ in range(3):
        opened(context, agency, notice, TaskKind.ALERT_FAILED, TaskKind.NOT_RETRIEVED)
    assert len((await listed(api))["tasks"]) == 2


async def test_lists_go_on_where_they_ended(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    for number in range(5):
        notice = await dispatched(api, alice, f"key-{number}")
        opened(context, agency, notice, TaskKind.ALERT_FAILED)
    seen, after, more = [], 0, True
    while more:
        page = await listed(api, f"?limit=2&after={after}")
        seen += [task["number"] for task in page["tasks"]]
        after, more = page["next"], page["more"]
    assert seen == [1, 2, 3, 4, 5]
    assert (await listed(api, f"?after={after}")) == {"tasks": [], "next": 5, "more": False}
    opened(context, agency, await dispatched(api, alice, "key-9"), TaskKind.NOT_RETRIEVED)
    assert [task["number"] for task in (await listed(api, f"?after={after}"))["tasks"]] == [6]


async def test_paper_sent_is_evidence_and_settles_the_notices_other_tasks(
    context: Context, clock: VirtualClock, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, TaskKind.ALERT_FAILED, TaskKind.NOT_RETRIEVED)
    task = (await listed(api))["tasks"][0]["id"]
    clock.advance(timedelta(hours=3))
    answer = await close(api, task, outcome="paper-sent", at="2026-11-23T11:00:00+01:00")
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "paper-sent"
    assert answer.json()["closed_by"] == f"client:{agency.client_id}"
    assert types(context, notice)[-1] == "paper-sent"
    body = context.store.read_now(
        lambda connection: events_of(connection, f"notice:{notice}")[-1].body
    )
    assert parse_event(body.encode()).facts["posted_at"] == "2026-11-23T10:00:00.000000Z"
    assert (await listed(api))["tasks"] == []
    assert len((await listed(api, "?state=closed"))["tasks"]) == 2
    assert len((await listed(api, "?state=all"))["tasks"]) == 2


async def test_closing_again_is_harmless_and_another_outcome_is_not_taken(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, TaskKind.ALERT_FAILED)
    task = (await listed(api))["tasks"][0]["id"]
    posted = {"outcome": "paper-sent", "at": "2026-11-23T08:00:00Z"}
    first, second = await close(api, task, **posted), await close(api, task, **posted)
    assert first.json() == second.json()
    assert types(context, notice).count("paper-sent") == 1
    other = await close(api, task, outcome="not-needed")
    assert (other.status_code, other.json()["type"]) == (409, URN + "task-closed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "forgotten"},
        {"outcome": "paper-sent"},
        {"outcome": "settled", "at": "2026-11-23T08:00:00Z"},
        {"outcome": "paper-sent", "at": "2026-11-23T08:00:00"},
        {"outcome": "paper-sent", "at": "2026-12-23T08:00:00Z"},
        {"outcome": "settled", "note": "?"},
    ],
)
async def test_malformed_closing_is_explained(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen, body: dict[str, Any]
) -> None:
    opened(context, agency, await dispatched(api, alice), TaskKind.ALERT_FAILED)
    task = (await listed(api))["tasks"][0]["id"]
    answer = await close(api, task, **body)
    assert (answer.status_code, answer.json()["type"]) == (422, URN + "request-invalid")
    assert answer.json()["errors"]


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?limit=0", "?limit=501", "?state=x"])
async def test_malformed_listing_is_explained(api: ApiClient, query: str) -> None:
    answer = await api.get(f"/v1/tasks{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, URN + "request-invalid")


async def test_charlies_agency_sees_and_closes_nothing_of_ours(
    context: Context, api: ApiClient, agency: Agency, charlies_agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, TaskKind.ALERT_FAILED)
    task = (await listed(api))["tasks"][0]["id"]
    charlies = ApiClient(context, charlies_agency)
    assert (await listed(charlies, "?state=all"))["tasks"] == []
    foreign = await close(charlies, task, outcome="settled")
    unknown = await close(charlies, "no-such-task", outcome="settled")
    assert foreign.status_code == unknown.status_code == 404
    assert (await listed(api))["tasks"][0]["state"] == "open"


async def test_scopes_are_asked_for(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    assert (await api.get("/v1/tasks", scope="notices:read")).status_code == 403
    headers = await api.headers(scope="tasks:read")
    answer = await api.http.post(
        "/v1/tasks/x/close",
        content='{"outcome":"settled"}',
        headers={**headers, "content-type": "application/json"},
    )
    assert answer.status_code == 403


async def test_retrieval_settles_questions_and_keeps_failures(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, *TaskKind)
    await retrieve(context, alice.reader, notice)
    left = {task["kind"] for task in (await listed(api))["tasks"]}
    answered = {TaskKind.NOT_RETRIEVED, TaskKind.ALERT_UNCONFIRMED, TaskKind.CONSENT_REVOKED}
    assert left == {*TaskKind} - answered


async def test_agency_may_close_what_the_service_settled(
    context: Context, api: ApiClient, agency: Agency, alice: Citizen
) -> None:
    notice = await dispatched(api, alice)
    opened(context, agency, notice, TaskKind.NOT_RETRIEVED)
    await retrieve(context, alice.reader, notice)
    [task] = (await listed(api, "?state=closed"))["tasks"]
    assert task["closed_by"] == "service"
    answer = await close(api, task["id"], outcome="paper-sent", at="2026-11-23T08:00:00Z")
    assert answer.json()["outcome"] == "paper-sent"
    assert types(context, notice)[-1] == "paper-sent"


async def test_task_is_in_the_description(api: ApiClient) -> None:
    described = (await api.http.get("/openapi.json")).json()
    assert {"/v1/tasks", "/v1/tasks/{task_id}/close"} <= set(described["paths"])


async def test_numbers_of_one_agency_have_no_gaps(
    context: Context, api: ApiClient, agency: Agency, charlies_agency: Agency, alice: Citizen
) -> None:
    for number in range(3):
        notice = await dispatched(api, alice, f"key-{number}")
        opened(context, agency, notice, TaskKind.ALERT_FAILED)
        await listed(ApiClient(context, charlies_agency))
        await listed(api)
    table = tables.core(tables.Task)
    numbers = context.store.read_now(
        lambda connection: connection.execute(select(table.c.number)).scalars().all()
    )
    assert sorted(number for number in numbers if number) == [1, 2, 3]
