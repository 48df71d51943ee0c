"""The API's manners: problems for everything, bounded bodies, health, log, description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import OperationalError

from siegelpost.api.schemas import NoticeIn, parse
from siegelpost.api.sealed import SealedNoticeIn
from siegelpost.api.settings import ApiSettings
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import BASE_URL, BOUNDARY, ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_text_pdf

pytestmark = pytest.mark.anyio

URN = "urn:siegelpost:problem:"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/v1/notices/", 404, "not-found"),
        ("GET", "/v1/notices", 405, "method-not-allowed"),
        ("DELETE", "/v1/notices/x", 405, "method-not-allowed"),
        ("GET", "/oauth/token", 405, "method-not-allowed"),
        ("GET", "/log/checkpoint", 404, "not-found"),
        ("GET", "/log/tile/0/000", 404, "not-found"),
        ("GET", "/log/tile/../../etc/passwd", 404, "not-found"),
        ("GET", "/log/tile/0/x000/000", 404, "not-found"),
    ],
)
async def test_unknown_addresses_and_methods_are_problems(
    api: ApiClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await api.http.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (status, URN + code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("notice_id", ["..", "%00", "a b", "x" * 101, "ä", "-"])
async def test_malformed_notice_id_is_not_found(api: ApiClient, notice_id: str) -> None:
    assert (await api.get(f"/v1/notices/{notice_id}")).status_code == 404


def _slow(body: bytes, pause: float) -> AsyncIterator[bytes]:
    async def send() -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await asyncio.sleep(pause)
        yield body[len(body) // 2 :]

    return send()


async def test_client_that_hangs_is_told_so_and_nothing_is_delivered(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    settings = ApiSettings(base_url=BASE_URL, idle_seconds=0.2)
    api = ApiClient(context, agency, settings)
    body = dispatch_body(notice_json(alice.enrolment_id))
    answer = await api.http.post(
        "/v1/notices",
        content=_slow(body, 5),
        headers={
            **await api.headers(),
            "Idempotency-Key": "k",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )
    assert (answer.status_code, answer.json()["type"]) == (408, URN + "request-timeout")
    assert answer.headers["connection"] == "close"
    assert await _count(context, tables.Notice) == 0


async def test_slow_but_steady_client_is_bounded_by_the_whole_time(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    settings = ApiSettings(base_url=BASE_URL, idle_seconds=0.3, body_seconds=0.6)
    api = ApiClient(context, agency, settings)

    async def drip() -> AsyncIterator[bytes]:
        for byte in dispatch_body(notice_json(alice.enrolment_id)):
            yield bytes([byte])
            await asyncio.sleep(0.05)

    answer = await api.http.post(
        "/v1/notices",
        content=drip(),
        headers={
            **await api.headers(),
            "Idempotency-Key": "k",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )
    assert answer.status_code == 408


async def test_body_without_length_is_cut_off_at_the_limit(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    api = ApiClient(context, agency)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data; name=document\r\n"
        yield b"Content-Type: application/pdf\r\n\r\n"
        while sent < 200 << 20:
            sent += 1 << 20
            yield bytes(1 << 20)

    answer = await api.http.post(
        "/v1/notices",
        content=endless(),
        headers={
            **await api.headers(),
            "Idempotency-Key": "k",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )
    assert answer.status_code == 413


async def test_client_that_disconnects_half_way_leaves_nothing(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    messages = [
        {"type": "http.request", "body": body[: len(body) // 2], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []
    headers = {
        **await api.headers(),
        "idempotency-key": "k",
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
    }

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await api.app(
        {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": "/v1/notices",
            "raw_path": b"/v1/notices",
            "root_path": "",
            "query_string": b"",
            "server": ("post.example.org", 443),
            "client": ("127.0.0.1", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        },
        receive,
        send,
    )
    assert sent == []
    assert await _count(context, tables.Notice) == 0


async def test_database_that_goes_away_in_the_middle_leaves_nothing_half_written(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    # Brief work is written on a connection of its own, by the event loop itself.
    database = context.store.database
    engines = {database.writing, database.writing_at_once}

    def fail(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "INTO alert" in statement:
            raise OperationalError(statement, {}, RuntimeError("disk full"))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", fail)
    try:
        answer = await api.dispatch(body)
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", fail)
    assert (answer.status_code, answer.json()["type"]) == (503, URN + "unavailable")
    assert answer.headers["retry-after"]
    for table in (tables.Notice, tables.Blob, tables.Event, tables.Alert):
        assert await _count(context, table) == 0
    # The same call again, with the same key, is delivered once.
    assert (await api.dispatch(body)).status_code == 201
    assert await _count(context, tables.Notice) == 1


async def test_defect_is_a_problem_without_its_words(
    api: ApiClient, alice: Citizen, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError("Frau Beispiel bekommt 563 Euro")

    monkeypatch.setattr("siegelpost.notices.dispatch.prepare", fail)
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    assert (answer.status_code, answer.json()["type"]) == (500, URN + "internal-error")
    assert "Beispiel" not in answer.text
    assert "563" not in capsys.readouterr().out


async def test_health_and_metrics(context: Context, api: ApiClient, alice: Citizen) -> None:
    assert (await api.http.get("/livez")).status_code == 200
    assert (await api.http.get("/readyz")).status_code == 200
    await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    text = (await api.http.get("/metrics")).text
    assert 'route="/v1/notices",status="201"} 1.0' in text
    assert str(alice.enrolment_id) not in text


async def test_not_ready_without_a_database(
    context: Context, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from siegelpost.store.errors import StoreUnavailable

    async def gone(work: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(context.store, "read", gone)
    assert (await api.http.get("/readyz")).status_code == 503
    assert (await api.http.get("/livez")).status_code == 200
    counted = await api.http.get("/metrics")
    assert 'route="/readyz",status="503"} 1.0' in counted.text
    assert "waiting" not in counted.text  # who knows


async def test_log_is_served_as_tiles_say(
    context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen
) -> None:
    await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    sequencer = Sequencer(log_origin(context.origin), keyring.signer(KeyPurpose.LOG))
    await context.store.write(lambda connection: sequencer(connection, context.now()))
    head = await api.http.get("/log/checkpoint")
    assert head.text.startswith(f"{context.origin}/log\n2\n")
    assert head.headers["cache-control"] == "no-cache"
    tile = await api.http.get("/log/tile/0/000.p/2")
    assert (tile.status_code, len(tile.content)) == (200, 64)
    entries = await api.http.get("/log/tile/entries/000.p/2")
    assert len(entries.content) == 2 * 34
    for missing in ("0/000", "0/000.p/3", "1/000.p/1", "entries/001.p/1"):
        assert (await api.http.get(f"/log/tile/{missing}")).status_code == 404


async def test_enrolment_answers_code_and_letter_once(
    context: Context, api: ApiClient, agency: Agency
) -> None:
    asked = {
        "reference": "BG-7",
        "salutation": "Frau Beispiel",
        "birth_date": "1984-02-29",
        "address": {
            "name": "Alice Beispiel",
            "street": "Musterweg 1",
            "postal_code": "01234",
            "city": "Musterstadt",
        },
    }
    headers = await api.headers()
    first = await api.http.post("/v1/enrolments", json=asked, headers=headers)
    assert first.status_code == 201, first.text
    made = first.json()
    assert made["letter_pdf"].startswith("JVBERi")
    again = (await api.http.post("/v1/enrolments", json=asked, headers=headers)).json()
    assert again["id"] == made["id"]
    assert again["activation_code"] != made["activation_code"]
    enrolment = tables.core(tables.Enrolment)
    await context.store.write(
        lambda connection: connection.execute(enrolment.update().values(state="active"))
    )
    active = await api.http.post("/v1/enrolments", json=asked, headers=headers)
    assert (active.status_code, active.json()["type"]) == (409, URN + "enrolment-active")
    for change in ({"birth_date": "32.13.1984"}, {"unknown": 1}, {"reference": ""}):
        wrong = await api.http.post("/v1/enrolments", json={**asked, **change}, headers=headers)
        assert (wrong.status_code, wrong.json()["type"]) == (422, URN + "request-invalid")
    text = await api.http.post("/v1/enrolments", content=json.dumps(asked), headers=headers)
    assert text.json()["type"] == URN + "media-type"


async def test_description_is_openapi_with_examples(api: ApiClient) -> None:
    described = (await api.http.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) >= {
        "/oauth/token",
        "/v1/enrolments",
        "/v1/notices",
        "/v1/notices/{notice_id}",
        "/v1/notices/{notice_id}/receipt",
    }
    text = json.dumps(described)
    for name in [part.split('"')[0] for part in text.split("#/components/schemas/")[1:]]:
        assert name in described["components"]["schemas"], name
    dispatch = described["paths"]["/v1/notices"]["post"]
    examples = dispatch["requestBody"]["content"]["multipart/form-data"]["examples"]
    parse(NoticeIn, json.dumps(examples["ordinary"]["value"]["notice"]).encode())
    parse(SealedNoticeIn, json.dumps(examples["again-sealed"]["value"]["notice"]).encode())
    assert "consent-missing" in text
    for path in ("/docs", "/redoc"):
        assert (await api.http.get(path)).status_code == 404


async def test_large_notice_is_stored_in_parts(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    answer = await api.dispatch(
        dispatch_body(notice_json(alice.enrolment_id), [make_text_pdf(3_000_000)])
    )
    assert answer.status_code == 201
    assert await _count(context, tables.Blob) == 4


async def _count(context: Context, table: type[tables.Table]) -> int:
    def work(connection: Connection) -> int:
        return connection.scalar(select(func.count()).select_from(tables.core(table))) or 0

    return await context.store.read(work)
