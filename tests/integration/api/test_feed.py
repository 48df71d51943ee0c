"""The feed over HTTP: every event once, in the order of the log; nothing of another agency."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from siegelpost.api.openapi_feed import FEED_EXAMPLE
from siegelpost.evidence.events import EventType
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.feed import FEED
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


async def page(api: ApiClient, query: str = "") -> Any:
    answer = await api.get(f"/v1/events{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_event_comes_once_in_the_order_of_the_log(
    replay: Replay, api: ApiClient
) -> None:
    notices = [await replay.provide() for _ in range(3)]
    await replay.settle()
    seen: list[Any] = []
    cursor, more = 0, True
    while more:
        part = await page(api, f"?limit=2&cursor={cursor}")
        assert len(part["events"]) <= 2
        seen += part["events"]
        cursor, more = part["next"], part["more"]
    assert {event["notice"] for event in seen} == set(notices)
    assert len(seen) == 9, "each notice: accepted, provided, alert sent"
    leaves = [event["leaf_index"] for event in seen]
    assert leaves == sorted(set(leaves))
    assert (await page(api, f"?cursor={cursor}"))["events"] == []

    await replay.alert(EventType.ALERT_FAILED, notices[1])
    assert (await page(api, f"?cursor={cursor}"))["events"] == [], "recorded, but not logged yet"
    await replay.settle()
    [late] = (await page(api, f"?cursor={cursor}"))["events"]
    assert (late["type"], late["notice"]) == ("alert-failed", notices[1])


async def test_items_carry_the_clock_of_now_with_its_reasons(
    replay: Replay, api: ApiClient
) -> None:
    notice = await replay.provide()
    await replay.pass_days(5)
    first = (await page(api))["events"][0]
    assert first["type"] == "submission-accepted"
    assert (first["deadline"]["state"], first["deadline"]["deemed"]) == ("served", "2026-11-27")
    whole = (await api.get(f"/v1/notices/{notice}/deadline")).json()
    assert first["deadline"]["reasons"] == whole["reasons"]
    assert first["deadline"]["legal_basis"]
    assert first["enrolment"] == replay.citizen.enrolment_id


async def test_what_commits_late_is_not_skipped(replay: Replay, api: ApiClient) -> None:
    # An event that was recorded earlier than others but logged after them still comes.
    first, second = await replay.provide(alert=False), await replay.provide(alert=False)
    later = len(await replay.rows(tables.Event))
    hidden = tables.core(tables.Event)

    def hide(connection: Connection) -> None:
        connection.execute(
            hidden.update().where(hidden.c.notice_id == first).values(seq=hidden.c.seq + 10 * later)
        )

    await replay.context.store.write(hide)
    await replay.settle()
    events = (await page(api))["events"]
    assert [event["notice"] for event in events] == [second, second, first, first]


async def test_charlie_gets_nothing_of_the_agencys_notices(
    replay: Replay, api: ApiClient, charlies_agency: Agency
) -> None:
    await replay.provide()
    await replay.settle()
    assert (await page(api.as_agency(charlies_agency)))["events"] == []


async def test_feed_needs_its_scope_and_a_sound_cursor(replay: Replay, api: ApiClient) -> None:
    assert (await api.http.get("/v1/events")).status_code == 401
    assert (await api.get("/v1/events", scope="notices:read")).status_code == 403
    for wrong in ("cursor=-1", "cursor=x", "limit=0", "limit=201", "cursor=9007199254740992"):
        answer = await api.get(f"/v1/events?{wrong}")
        assert answer.status_code == 422, wrong
        assert wrong.partition("=")[0] in answer.text


async def test_feed_seeks_by_its_index_and_sorts_nothing(replay: Replay) -> None:
    await replay.provide()
    await replay.settle()
    if replay.context.store.database.dialect != "sqlite":
        pytest.skip("the planner of PostgreSQL scans tables as small as these")

    def explain(connection: Connection) -> str:
        compiled = FEED.compile(dialect=sqlite.dialect(paramstyle="named"))
        statement = re.sub(r":[a-z_0-9]+", "1", str(compiled))
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        return "\n".join(str(row) for row in rows)

    plan = await replay.context.store.read(explain)
    assert "ix_event_agency_id_leaf_index_feed" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


async def test_example_of_the_description_has_the_shape_of_an_answer(
    replay: Replay, api: ApiClient
) -> None:
    await replay.provide()
    await replay.settle()
    real = await page(api, "?limit=1")
    assert set(FEED_EXAMPLE) == set(real)
    assert set(FEED_EXAMPLE["events"][0]) == set(real["events"][0])
    assert set(FEED_EXAMPLE["events"][0]["deadline"]) == set(real["events"][0]["deadline"])
    described = (await api.http.get("/openapi.json")).json()
    assert (
        "example"
        in described["paths"]["/v1/events"]["get"]["responses"]["200"]["content"][
            "application/json"
        ]
    )
