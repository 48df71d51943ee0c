"""Whatever is sent to the API, the portal and the console: no fault, no trace, no person's data.

Requests come from the API's own OpenAPI document, from the routes of portal and console, and from
a list of junk, in an order that is the same in every run. `make test SLOW=1` makes more of them
and sends for minutes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cache

import httpx2
import pytest

from siegelpost.console.app import ROUTES as CONSOLE_ROUTES
from siegelpost.portal.app import ROUTES as PORTAL_ROUTES
from siegelpost.service.demo.citizen import Citizen
from siegelpost.staff.roles import Role
from siegelpost.store.context import Context
from tests.support.console import office
from tests.support.generated import MARKER, Route, Sent, by_hand, described, generated
from tests.support.pdfs import make_pdf
from tests.support.portal import ADDRESS, running_town
from tests.support.service import Service

#: Seconds that a test sends for, and generated requests of either kind for each operation.
EFFORTS = pytest.mark.parametrize(
    ("seconds", "each"),
    [
        pytest.param(6, 2, id="brief"),
        pytest.param(240, 40, id="long", marks=pytest.mark.slow),
    ],
)
#: As many are sent in any case.
ENOUGH = 200
#: Would end the session that the rest is sent with.
ENDS = frozenset({"/logout", "/console/logout"})

Send = Callable[[Sent], Awaitable[httpx2.Response]]


def shuffled(requests: Sequence[Sent]) -> list[Sent]:
    """In an order that is the same in every run, so that a short budget meets every route."""
    mixed = list(requests)
    random.Random(1).shuffle(mixed)  # noqa: S311 - no secret
    return mixed


@cache  # the same for everybody who knocks
def of_door(routes: tuple[Route, ...], seconds: float, each: int) -> list[Sent]:
    """Requests of a door that has no OpenAPI document of its own."""
    kept = [route for route in routes if route[1] not in ENDS]
    return shuffled(
        [
            *by_hand(kept),
            *generated(described(kept), each=each, seconds=seconds, wrong=seconds > 60),
        ]
    )


def check(request: Sent, answer: httpx2.Response) -> None:
    """An answer that people and programs can do something with."""
    where = f"{request.method} {request.path[:200]} {dict(request.headers)} {request.body[:200]!r}"
    # 503: no PDF seal here.
    assert answer.status_code < 500 or answer.status_code == 503, f"{answer.status_code}: {where}"
    assert "Traceback" not in answer.text, where
    assert 'File "' not in answer.text, where
    if answer.status_code >= 400:
        kind = answer.headers.get("content-type", "")
        assert kind.startswith(("application/problem+json", "text/html", "application/json")), (
            f"{kind}: {where}"
        )


@EFFORTS
def test_api_answers_whatever_is_generated_from_its_own_description(
    running_service: Service, seconds: float, each: int
) -> None:
    alice = running_service.activate("Alice Beispiel")
    running_service.dispatch(alice.id, make_pdf("Für Alice"))
    document = httpx2.get(f"{running_service.url}/openapi.json").json()
    requests = list(generated(document, each=each, seconds=seconds, wrong=seconds > 60))
    methods = [
        (method.upper(), path, check)
        for path, operations in document["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "delete")
    ]
    requests = shuffled([*by_hand(methods), *requests])
    before = len(running_service.logged())
    end, count = time.monotonic() + seconds, 0
    bearer = running_service.agency.bearer()
    # A connection each: one that is closed in the middle of a body must not fail the next.
    alone = httpx2.Limits(max_keepalive_connections=0)
    with httpx2.Client(base_url=running_service.url, timeout=60, limits=alone) as http:
        for number, request in enumerate(requests):
            if time.monotonic() > end and count > ENOUGH:  # a slow machine takes longer
                break
            headers = dict(request.headers)
            if number % 8:
                headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
                headers["Authorization"] = f"Bearer {bearer}"
            headers.setdefault("Idempotency-Key", f"generated-{number}")
            try:
                answer = http.request(
                    request.method, request.path, headers=headers, content=request.body
                )
            except (httpx2.InvalidURL, httpx2.LocalProtocolError, UnicodeEncodeError, ValueError):
                continue  # what the client itself does not send
            except (httpx2.RemoteProtocolError, httpx2.WriteError, httpx2.ReadError):
                # A body far too long is not waited for.
                assert len(request.body) > 1_000_000, request.path
                continue
            check(request, answer)
            count += 1
    assert count > ENOUGH, count
    assert httpx2.get(f"{running_service.url}/readyz").status_code == 200
    logged = running_service.logged()[before:]
    for word in ("Traceback", MARKER, "Alice", alice.email, "unhandled"):
        assert word not in logged, word


@EFFORTS
@pytest.mark.parametrize("inside", [True, False], ids=["logged in", "logged out"])
async def test_portal_answers_whatever_is_sent_to_its_routes(
    context: Context,
    inside: bool,
    seconds: float,
    each: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with running_town(context) as town:
        citizen = await town.active("alice@beispiel.example") if inside else town.citizen()
        await citizen.load("/inbox" if inside else "/login")
        await play(
            town.client, of_door(PORTAL_ROUTES, seconds, each), lambda: holder(citizen), seconds
        )
        if inside:
            await citizen.load("/inbox")
    silent(capfd)


@EFFORTS
@pytest.mark.parametrize("inside", [True, False], ids=["logged in", "logged out"])
async def test_console_answers_whatever_is_sent_to_its_routes(
    context: Context,
    inside: bool,
    seconds: float,
    each: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with running_town(context) as town:
        house = office(town.context)
        desk = await house.desk(*Role) if inside else house.stranger()
        await desk.get("/console/" if inside else "/console/login")
        await play(
            desk.http,
            of_door(CONSOLE_ROUTES, seconds, each),
            lambda: {"X-Siegelpost-Form": desk.token},
            seconds,
        )
        await house.close()
    silent(capfd)


def holder(citizen: Citizen) -> dict[str, str]:
    """Cookies and form token as headers."""
    cookies = "; ".join(f"{name}={value}" for name, value in citizen.cookies.items())
    return {"Cookie": cookies, "X-Siegelpost-Form": citizen.form_token or ""}


async def play(
    http: httpx2.AsyncClient,
    requests: Sequence[Sent],
    who: Callable[[], dict[str, str]],
    seconds: float,
) -> None:
    """Send as much as the budget allows; what the door raises arrives here and fails."""
    end, count = time.monotonic() + seconds, 0
    for number, request in enumerate(requests):
        if time.monotonic() > end and count > ENOUGH:  # a slow machine takes longer
            break
        headers = {**request.headers, **who(), "Origin": ADDRESS}
        body = request.body
        if number % 2:
            headers["Accept"] = "text/html"
        if headers.get("Content-Type") == "application/x-www-form-urlencoded":
            body += b"&form_token=" + headers["X-Siegelpost-Form"].encode()
        try:
            answer = await http.request(request.method, request.path, headers=headers, content=body)
        except (httpx2.InvalidURL, UnicodeEncodeError):
            continue  # what the client itself does not send
        check(request, answer)
        count += 1
    assert count > ENOUGH, count


def silent(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing of what was sent, or of who was there, was written anywhere."""
    said = "".join(capfd.readouterr())
    for word in ("Traceback", MARKER, "beispiel.example", "Alice"):
        assert word not in said, word
