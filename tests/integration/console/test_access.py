"""Access: roles by one table, and Charlie of another agency finds nothing by any address."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from siegelpost.console.app import ROUTES
from siegelpost.evidence.ids import NoticeId
from siegelpost.staff.roles import ALLOWED, Action, Role
from siegelpost.store import tables
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks
from tests.support.console import Desk, Office
from tests.support.portal import AGENCY, OTHER_AGENCY, Town

#: Routes for whoever is not logged in.
_OPEN = frozenset(
    path
    for _, path, _ in ROUTES
    if path == "/console"
    or path.startswith(("/console/login", "/console/invitation", "/console/logout"))
)
_INSIDE = [(method, path) for method, path, _ in ROUTES if path not in _OPEN]
#: What the forms of the console hold; unknown fields are of no matter.
_FIELDS: dict[str, str | list[str]] = {
    "query": "BG-35502-0012345",
    "claim": "not-received",
    "outcome": "settled",
    "kind": "receipt-json",
    "purpose": "court",
    "reason": "S 12 AS 345/26",
    "decision": "approve",
    "name": "Neu Muster",
    "roles": ["clerk"],
}


async def send(desk: Desk, method: str, path: str) -> tuple[int, str]:
    """Status and text of the answer, without what differs between any two answers."""
    if path == "/console/verify" and method == "POST":
        answer = await desk.http.post(
            path,
            data={"form_token": desk.token},
            files={"file": ("x.json", b"{}")},
            headers={"Accept": "text/html", "Origin": "https://post.example.org"},
        )
    elif method == "GET":
        answer = await desk.http.get(path, headers={"Accept": "text/html"})
    else:
        answer = await desk.post(path, **_FIELDS)
    return answer.status_code, answer.text


def shown(path: str, ids: dict[str, str]) -> Iterator[str]:
    """Addresses of a route with each of the ids that exist."""
    if "{id}" not in path:
        yield path
        return
    for id_ in ids.values():
        yield path.replace("{id}", id_)


@pytest.fixture
async def ids(town: Town, house: Office, notice: NoticeId) -> dict[str, str]:
    """Everything of the first agency that has an id."""
    legal = await house.desk(Role.LEGAL, Role.CLERK, name="Justine Muster")
    await legal.post(
        f"/console/notices/{notice}/exports", kind="receipt-json", purpose="court", reason="S 1"
    )
    page = await legal.get(f"/console/notices/{notice}")
    enrolment = re.search(r"/console/enrolments/([0-9a-f-]+)", page.text)
    export = re.search(r"/console/exports/([0-9a-f-]+)", page.text)
    assert enrolment is not None
    assert export is not None
    context = town.context
    draft = TaskDraft(kind=TaskKind.ALERT_FAILED, agency=AGENCY, notice=notice)
    await context.store.write(
        lambda c: open_tasks(c, [draft], now=context.now(), entropy=context.entropy)
    )
    table = tables.core(tables.Task)
    task = await context.store.read(lambda c: c.execute(table.select()).one().id)
    return {
        "notice": notice,
        "enrolment": enrolment[1],
        "export": export[1],
        "task": str(task),
        "member": legal.id,
    }


async def rows(town: Town) -> dict[str, int]:
    return await town.context.store.read(
        lambda c: {
            table.name: len(c.execute(table.select()).all())
            for table in tables.metadata.sorted_tables
            if table.name not in ("staff_session", "used_challenge", "throttle")
        }
    )


async def test_charlie_of_another_agency_finds_nothing_by_any_address(
    town: Town, house: Office, ids: dict[str, str]
) -> None:
    charlie = await house.desk(*Role, agency=OTHER_AGENCY, name="Charlie Fremd")
    before = await rows(town)
    for method, path in _INSIDE:
        if path == "/console/staff" and method == "POST":
            continue  # charlie's own agency
        unknown = path.replace("{id}", "01900000-0000-7000-8000-000000000000")
        expected = await send(charlie, method, unknown)
        for address in shown(path, ids):
            status, text = await send(charlie, method, address)
            if "{id}" in path:
                assert (status, text) == expected, (method, address)
                assert status == 404, (method, address)
            for name, id_ in ids.items():
                assert id_ not in text, (method, address, name)
            assert "Justine" not in text
            if address != "/console/search":  # repeats what was typed
                assert "BG-35502" not in text
    assert await rows(town) == before


async def test_nobody_gets_in_without_a_login(house: Office, ids: dict[str, str]) -> None:
    stranger = house.stranger()
    await stranger.get("/console/login")
    for method, path in _INSIDE:
        for address in shown(path, ids):
            answer = await (
                stranger.http.get(address, headers={"Accept": "text/html"})
                if method == "GET"
                else stranger.post(address, **_FIELDS)
            )
            assert answer.status_code in (303, 403), (method, address)
            assert answer.headers.get("location", "/console/login") == "/console/login"


#: What each route needs, as the table of roles names it; each route has to stand here.
_NEEDS: dict[tuple[str, str], frozenset[Action]] = {
    ("GET", "/console/"): frozenset(),
    ("POST", "/console/search"): frozenset({Action.SEE_FILES}),
    ("GET", "/console/enrolments/{id}"): frozenset({Action.SEE_FILES}),
    ("GET", "/console/notices/{id}"): frozenset({Action.SEE_FILES}),
    ("POST", "/console/notices/{id}/paper"): frozenset({Action.ACT}),
    ("POST", "/console/notices/{id}/dispute"): frozenset({Action.ACT}),
    ("POST", "/console/notices/{id}/receipt"): frozenset({Action.SEE_FILES}),
    ("POST", "/console/notices/{id}/court-file"): frozenset({Action.SEE_FILES}),
    ("POST", "/console/notices/{id}/exports"): frozenset({Action.EXPORT}),
    ("GET", "/console/tasks"): frozenset({Action.ACT}),
    ("POST", "/console/tasks/{id}/close"): frozenset({Action.ACT}),
    ("GET", "/console/exports"): frozenset({Action.EXPORT, Action.SEE_ACCESS}),
    ("GET", "/console/exports/{id}"): frozenset({Action.EXPORT, Action.SEE_ACCESS}),
    ("POST", "/console/exports/{id}/decision"): frozenset({Action.EXPORT}),
    ("POST", "/console/exports/{id}/file"): frozenset({Action.EXPORT}),
    ("GET", "/console/verify"): frozenset({Action.VERIFY}),
    ("POST", "/console/verify"): frozenset({Action.VERIFY}),
    ("GET", "/console/statistics"): frozenset({Action.SEE_STATISTICS}),
    ("GET", "/console/access"): frozenset({Action.SEE_ACCESS}),
    ("GET", "/console/staff"): frozenset({Action.MANAGE_STAFF}),
    ("POST", "/console/staff"): frozenset({Action.MANAGE_STAFF}),
    ("POST", "/console/staff/{id}/invitation"): frozenset({Action.MANAGE_STAFF}),
    ("POST", "/console/staff/{id}/disabled"): frozenset({Action.MANAGE_STAFF}),
}


async def test_every_route_asks_for_its_role_before_it_looks_anything_up(
    house: Office, ids: dict[str, str]
) -> None:
    assert set(_NEEDS) == set(_INSIDE)
    desks = {role: await house.desk(role) for role in Role}
    for role, (method, path) in itertools.product(Role, _INSIDE):
        needed = _NEEDS[method, path]
        if not needed or any(role in ALLOWED[action] for action in needed):
            continue
        for address in (*shown(path, ids), path.replace("{id}", "unknown")):
            status, text = await send(desks[role], method, address)
            assert (status, "Ihre Rolle erlaubt das nicht" in text) == (403, True), (role, address)
