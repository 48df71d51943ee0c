"""What no request gets past: foreign pages, missing tokens, wrong sizes and types."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from siegelpost.portal.app import ROUTES
from siegelpost.portal.settings import PortalSettings
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreUnavailable
from tests.support.portal import ADDRESS, Town, running_town

POSTS = [path.replace("{id}", "x") for method, path, _ in ROUTES if method == "POST"]
PAGES = [path.replace("{id}", "x") for method, path, _ in ROUTES if method == "GET"]


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """What is refused here never reaches a database: one kind is enough."""
    shutil.copyfile(migrated_sqlite, tmp_path / "siegelpost.db")
    return f"sqlite:///{tmp_path / 'siegelpost.db'}"


def headers_of(citizen: Citizen, **changes: str | None) -> dict[str, str]:
    """Headers of an honest script, changed; None leaves one out."""
    headers = {
        "Content-Type": "application/json",
        "Cookie": "; ".join(f"{name}={value}" for name, value in citizen.cookies.items()),
        "Origin": ADDRESS,
        "Sec-Fetch-Site": "same-origin",
        "X-Siegelpost-Form": citizen.form_token,
    }
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return headers


async def asked(town: Town, path: str, headers: dict[str, str], body: bytes = b"{}") -> str:
    answer = await town.client.post(path, headers=headers, content=body)
    town.client.cookies.clear()
    return f"{answer.status_code} {answer.json().get('code')}"


async def test_every_post_refuses_forged_requests(town: Town) -> None:
    alice, other = town.citizen(), town.citizen()
    await alice.load("/")
    await other.load("/")
    forged: tuple[dict[str, str | None], ...] = (
        {"X_Siegelpost_Form": None},
        {"X_Siegelpost_Form": ""},
        {"X_Siegelpost_Form": "A" * 43},
        {"X_Siegelpost_Form": other.form_token},
        {"Cookie": None},
        {"Cookie": "__Host-visit="},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ADDRESS + ".evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": None, "Sec_Fetch_Site": None},
    )
    for path in POSTS:
        for changes in forged:
            headers = headers_of(alice, **changes)
            assert await asked(town, path, headers) == "403 form-refused", (path, changes)


async def test_token_of_a_session_is_refused_after_its_logout(town: Town) -> None:
    alice = await town.active("alice@beispiel.example")
    await alice.load("/inbox")
    token = alice.form_token
    await alice.log_out()
    await alice.load("/")
    headers = headers_of(alice, X_Siegelpost_Form=token)
    assert await asked(town, "/login/prepare", headers) == "403 form-refused"


async def test_bodies_are_measured_before_they_are_parsed(town: Town) -> None:
    citizen = town.citizen()
    await citizen.load("/login")
    headers = headers_of(citizen)
    path = "/login/prepare"
    for body, outcome in (
        (b"", "422 input-invalid"),
        (b"[]", "422 input-invalid"),
        (b"{", "422 input-invalid"),
        (b'{"login_name":1}', "422 input-invalid"),
        (b'{"login_name":null}', "422 input-invalid"),
        (b'{"login_name":"alice","more":1}', "422 input-invalid"),
        (b'{"login_name":"\\ud800abc"}', "422 input-invalid"),
        (b'{"login_name":"a\\u0000bc"}', "422 input-invalid"),
        (b"\xff\xfe", "422 input-invalid"),
        (b"[" * 60_000, "422 input-invalid"),
        (b"x" * (64 * 1024 + 1), "413 too-large"),
    ):
        assert await asked(town, path, headers, body) == outcome, body[:40]
    text = headers_of(citizen, Content_Type="text/plain")
    assert await asked(town, path, text, b'{"login_name":"alice"}') == "415 not-json"
    form = headers_of(citizen, Content_Type="application/x-www-form-urlencoded")
    assert await asked(town, path, form, b"login_name=alice") == "415 not-json"


async def test_body_that_never_ends_is_cut_off(town: Town) -> None:
    citizen = town.citizen()
    await citizen.load("/login")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 4096

    answer = await town.client.post(
        "/login/prepare", headers=headers_of(citizen), content=endless()
    )
    assert answer.status_code == 413


async def test_client_that_hangs_is_let_go(context: Context) -> None:
    settings = PortalSettings(public_url=ADDRESS, body_seconds=0.05)
    async with running_town(context, settings) as town:
        citizen = town.citizen()
        await citizen.load("/login")

        async def hanging() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)

        answer = await town.client.post(
            "/login/prepare", headers=headers_of(citizen), content=hanging()
        )
        assert (answer.status_code, answer.json()["code"]) == (408, "too-slow")


async def test_answers_never_repeat_what_was_typed(town: Town) -> None:
    citizen = town.citizen()
    await citizen.load("/login")
    for path in ("/login/prepare", "/activate/code", "/activate/address", "/activate/finish"):
        body = json.dumps({"login_name": ["geheim-4711"], "code": "geheim-4711"}).encode()
        answer = await town.client.post(path, headers=headers_of(citizen), content=body)
        assert "geheim" not in answer.text


async def test_every_answer_is_guarded(town: Town) -> None:
    for path in [*PAGES, "/nowhere", "/static/app.css", "/static/../app.py"]:
        town.client.cookies.clear()
        answer = await town.client.get(path, headers={"Accept": "text/html"})
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["strict-transport-security"].startswith("max-age="), path
        assert "server" not in headers, path
        assert "x-powered-by" not in headers, path
        if not path.startswith("/static"):
            assert headers["cache-control"] == "no-store", path
        for line in headers.get_list("set-cookie"):
            assert line.startswith("__Host-"), path
            for attribute in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
                assert attribute in line, path
            assert "Domain" not in line, path


async def test_other_sites_may_link_and_load_nothing(town: Town) -> None:
    async def get(path: str, site: str, mode: str, dest: str) -> int:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        return (await town.client.get(path, headers=headers)).status_code

    assert await get("/", "cross-site", "navigate", "document") == 200
    assert await get("/", "cross-site", "navigate", "iframe") == 403
    assert await get("/inbox/notices", "cross-site", "no-cors", "image") == 403
    assert await get("/static/api.js", "cross-site", "no-cors", "script") == 403
    assert await get("/static/api.js", "same-origin", "cors", "script") == 200


async def test_unknown_host_is_not_answered(town: Town) -> None:
    answer = await town.client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("asked_for", "target"),
    [
        ("/inbox", "/inbox"),
        ("/notices/abc", "/notices/abc"),
        ("//evil.example", "/inbox"),
        ("https://evil.example", "/inbox"),
        ("/\\evil.example", "/inbox"),
        ("/notices/../logout", "/inbox"),
        ("/inbox\r\nSet-Cookie: a=b", "/inbox"),
    ],
)
async def test_login_leads_only_to_our_own_pages(town: Town, asked_for: str, target: str) -> None:
    alice = await town.active("alice@beispiel.example")
    answer = await town.client.get(
        "/login", params={"next": asked_for}, headers={"Cookie": headers_of(alice)["Cookie"]}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, target)


async def test_language_is_asked_for_then_remembered(town: Town) -> None:
    citizen = town.citizen()
    assert '<html lang="de" dir="ltr">' in await citizen.load("/")
    assert '<html lang="en" dir="ltr">' in await citizen.load("/?lang=en")
    assert '<html lang="en" dir="ltr">' in await citizen.load("/login")
    assert '<html lang="de" dir="ltr">' in await citizen.load("/?lang=de&x=<script>")
    assert '<html lang="de" dir="ltr">' in await citizen.load("/?lang=xx")


async def test_static_files_are_named_by_digest_and_never_guessed(town: Town) -> None:
    first = await town.client.get("/static/api.js")
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    again = await town.client.get("/static/api.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    digest = tag.removeprefix('W/"').strip('"')
    pinned = await town.client.get(f"/static/api.js?v={digest}")
    assert "immutable" in pinned.headers["cache-control"]
    assert pinned.headers["content-type"].startswith("text/javascript")
    for path in ("%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", "", "texts/__init__.py"):
        assert (await town.client.get(f"/static/{path}")).status_code == 404


async def test_only_the_worker_may_compile_webassembly(town: Town) -> None:
    worker = await town.client.get("/static/argon2-worker.js")
    assert "'wasm-unsafe-eval'" in worker.headers["content-security-policy"]


async def test_people_get_pages_and_scripts_get_problems(town: Town) -> None:
    page = await town.client.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    problem = await town.client.get("/nowhere", headers={"Accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "not-found"
    assert problem.headers["content-disposition"].startswith("attachment;")
    wrong = await town.client.put("/login", headers={"Origin": ADDRESS})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method")


async def test_database_that_is_away_is_said_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    alice = await town.active("alice@beispiel.example")
    monkeypatch.setattr(town.context.store, "read", away)
    headers = {"Cookie": headers_of(alice)["Cookie"]}
    problem = await town.client.get("/inbox/notices", headers=headers)
    assert (problem.status_code, problem.json()["code"]) == (503, "unavailable")
    page = await town.client.get("/inbox", headers=headers | {"Accept": "text/html"})
    assert page.status_code == 503
    assert "gone" not in page.text


async def test_failure_of_ours_is_answered_without_details(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    alice = await town.active("alice@beispiel.example")
    monkeypatch.setattr(town.context.store, "read", broken)
    transport = httpx2.ASGITransport(app=town.app, raise_app_exceptions=False)  # type: ignore[arg-type]  # any ASGI application
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        with capture_logs() as lines:
            answer = await client.get("/inbox/notices", headers=headers_of(alice))
            page = await client.get("/inbox", headers=headers_of(alice) | {"Accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text + page.text
    # The number on the page finds the line in the log, which says no more than the answer.
    failures = [line for line in lines if line["event"] == "failed"]
    assert [line["route"] for line in failures] == ["/inbox/notices", "/inbox"]
    assert failures[0]["reference"] == answer.json()["reference"]
    assert failures[1]["reference"] in page.text
    assert "secret" not in str(lines)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
