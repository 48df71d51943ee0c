"""Every bad dispatch gets its own problem, delivers nothing, and is an event of the agency."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pikepdf
import pytest
from sqlalchemy import Connection, func, select

from siegelpost.api.settings import ApiSettings
from siegelpost.notices.limits import Limits
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.events import events_of
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import (
    BASE_URL,
    BOUNDARY,
    ApiClient,
    body_of,
    dispatch_body,
    notice_json,
    part,
)
from tests.support.pdfs import make_pdf, make_text_pdf, save_variant

pytestmark = pytest.mark.anyio

URN = "urn:siegelpost:problem:"


def check(answer: httpx2.Response, code: str, status: int) -> dict[str, Any]:
    """The answer is the problem ``code``, complete and in both languages."""
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == URN + code, problem
    assert problem["detail"]
    assert problem["detail_de"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return problem


async def nothing_delivered(context: Context) -> None:
    """No notice, blob or alert came into being."""
    for table in (tables.Notice, tables.Blob, tables.Alert):
        query = select(func.count()).select_from(tables.core(table))

        def work(connection: Connection, query: Any = query) -> Any:
            return connection.scalar(query)

        assert await context.store.read(work) == 0, table


async def rejections(context: Context, agency: Agency) -> list[str]:
    """Codes of the refusals recorded for the agency."""
    rows = await context.store.read(lambda connection: events_of(connection, f"agency:{agency.id}"))
    assert all(row.type == "submission-rejected" for row in rows)
    return [json.loads(row.body)["facts"]["code"] for row in rows]


async def change(context: Context, table: type[tables.Table], **values: Any) -> None:
    """Set columns of every row of a table."""
    core = tables.core(table)
    await context.store.write(lambda connection: connection.execute(core.update().values(**values)))


async def test_foreign_enrolment_looks_like_an_unknown_one(
    context: Context, api: ApiClient, alice: Citizen, charlies_agency: Agency
) -> None:
    charlie = api.as_agency(charlies_agency)
    foreign = await charlie.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    unknown = await charlie.dispatch(dispatch_body(notice_json("no-such-enrolment")), key="key-2")
    first = check(foreign, "enrolment-unknown", 404)
    second = check(unknown, "enrolment-unknown", 404)
    assert {**first, "request_id": ""} == {**second, "request_id": ""}
    assert await rejections(context, charlies_agency) == ["enrolment-unknown"] * 2
    await nothing_delivered(context)


@pytest.mark.parametrize(
    ("table", "values", "code"),
    [
        (tables.Enrolment, {"state": "issued"}, "mailbox-inactive"),
        (tables.Mailbox, {"state": "closed"}, "mailbox-inactive"),
        (tables.Consent, {"kind": "send"}, "consent-missing"),
        (tables.Consent, {"revoked_at": "now"}, "consent-missing"),
        (tables.Address, {"confirmed_at": None}, "address-missing"),
        (tables.Address, {"removed_at": "now"}, "address-missing"),
        (tables.Address, {"failed_at": "now"}, "address-failed"),
        (tables.MailboxKey, {"retired_at": "now"}, "key-missing"),
    ],
)
async def test_citizen_who_cannot_be_reached_gets_post_instead(
    context: Context,
    api: ApiClient,
    agency: Agency,
    alice: Citizen,
    table: type[tables.Table],
    values: dict[str, Any],
    code: str,
) -> None:
    now = context.now()
    await change(context, table, **{k: now if v == "now" else v for k, v in values.items()})
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id)))
    problem = check(answer, code, 409)
    assert "post" in problem["detail"]
    assert "Post" in problem["detail_de"]
    assert await rejections(context, agency) == [code]
    await nothing_delivered(context)


async def test_disabled_client_is_refused_though_its_token_still_lives(
    context: Context, api: ApiClient, alice: Citizen
) -> None:
    headers = await api.headers()
    await change(context, tables.ApiClient, disabled_at=context.now())
    answer = await api.http.post(
        "/v1/notices",
        content=dispatch_body(notice_json(alice.enrolment_id)),
        headers={
            **headers,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Idempotency-Key": "k",
        },
    )
    check(answer, "unknown-client", 403)


@pytest.mark.parametrize(
    ("document", "code", "status"),
    [
        (b"Hello", "document-not-pdf", 422),
        (b"", "document-empty", 422),
        (make_text_pdf(5000)[:3000], "document-damaged", 422),
        (make_pdf(catalogue=b"/OpenAction << /S /JavaScript /JS (x) >>"),
         "document-active-content", 422),
        (save_variant(make_pdf(), encryption=pikepdf.Encryption(owner="a", user="b")),
         "document-encrypted", 422),
        (make_text_pdf(30_000), "document-too-large", 413),
    ],
)  # fmt: skip
async def test_document_that_cannot_be_delivered_is_named(
    context: Context, agency: Agency, alice: Citizen, document: bytes, code: str, status: int
) -> None:
    settings = ApiSettings(base_url=BASE_URL, limits=Limits(document_bytes=20_000))
    api = ApiClient(context, agency, settings)
    answer = await api.dispatch(
        dispatch_body(notice_json(alice.enrolment_id), [make_pdf(), document])
    )
    assert check(answer, code, status)["document"] == 1
    assert await rejections(context, agency) == [code]
    await nothing_delivered(context)


async def test_too_many_or_too_large_documents_are_refused(
    context: Context, agency: Agency, alice: Citizen
) -> None:
    settings = ApiSettings(
        base_url=BASE_URL, limits=Limits(documents=2, documents_bytes=10_000, document_bytes=9_000)
    )
    api = ApiClient(context, agency, settings)
    three = dispatch_body(notice_json(alice.enrolment_id), [make_pdf()] * 3)
    check(await api.dispatch(three), "too-many-documents", 422)
    large = dispatch_body(notice_json(alice.enrolment_id), [make_text_pdf(7000)] * 2)
    check(await api.dispatch(large), "notice-too-large", 413)
    # Sealed parts may be larger than their documents, so the whole request may be, too.
    enough = settings.limits.request_bytes
    enormous = dispatch_body(notice_json(alice.enrolment_id), [make_text_pdf(enough)])
    check(await api.dispatch(enormous), "body-too-large", 413)
    await nothing_delivered(context)


def with_cover(enrolment: str, **changes: Any) -> dict[str, Any]:
    notice = notice_json(enrolment)
    notice["cover"] = {**notice["cover"], **changes}
    return notice


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"enrolment": 7}, "/enrolment"),
        ({"enrolment": "a\nb"}, "/enrolment"),
        ({"remedy": None}, "/remedy"),
        ({"remedy": "maybe"}, "/remedy"),
        ({"regime": "invented"}, "/regime"),
        ({"issued_at": "2026-11-23T09:00:00"}, "/issued_at"),
        ({"issued_at": 1700000000}, "/issued_at"),
        ({"reference": ""}, "/reference"),
        ({"cover": "text"}, "/cover"),
        ({"cover.title": ""}, "/cover/title"),
        ({"cover.title": "two\nlines"}, "/cover/title"),
        ({"cover.title": "x" * 201}, "/cover/title"),
        ({"cover.kind": "surprise"}, "/cover/kind"),
        ({"cover.due_on": "28.12.2026"}, "/cover/due_on"),
        ({"cover.what_to_do": "x" * 2001}, "/cover/what_to_do"),
        ({"cover.extra": True}, "/cover/extra"),
    ],
)
async def test_wrong_field_is_named_without_its_value(
    context: Context, api: ApiClient, alice: Citizen, changes: dict[str, Any], at: str
) -> None:
    [(name, value)] = changes.items()
    notice = (
        with_cover(alice.enrolment_id, **{name.removeprefix("cover."): value})
        if name.startswith("cover.")
        else notice_json(alice.enrolment_id, **changes)
    )
    problem = check(await api.dispatch(dispatch_body(notice)), "request-invalid", 422)
    assert at in [error["at"] for error in problem["errors"]]
    assert "invented" not in json.dumps(problem["errors"])
    await nothing_delivered(context)


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff\xfe", b'{"enrolment": "a"} trailing', b"nul"])
async def test_notice_that_is_no_json_object_is_refused(
    api: ApiClient, alice: Citizen, text: bytes
) -> None:
    check(await api.dispatch(dispatch_body(text)), "request-invalid", 422)


def _parts(enrolment: str) -> dict[str, bytes]:
    notice = json.dumps(notice_json(enrolment)).encode()
    return {
        "notice": part("notice", notice, "application/json"),
        "document": part("document", make_pdf(), "application/pdf", filename="a.pdf"),
        "other": part("attachment", b"x", "text/plain"),
        "text-document": part("document", make_pdf(), "text/plain", filename="a.pdf"),
        "untyped-document": part("document", make_pdf(), None, filename="a.pdf"),
        "text-notice": part("notice", notice, "text/plain"),
        "empty-notice": part("notice", b"", "application/json"),
        "long-notice": part("notice", b" " * 70_000, "application/json"),
        "lying-length": part("document", make_pdf(), "application/pdf\r\nContent-Length: 5"),
        "longer-length": part("document", make_pdf(), "application/pdf\r\nContent-Length: 99999"),
    }


@pytest.mark.parametrize(
    ("names", "code", "status"),
    [
        (["document"], "part-missing", 422),
        (["notice"], "part-missing", 422),
        (["empty-notice", "document"], "part-missing", 422),
        (["notice", "notice", "document"], "part-unexpected", 422),
        (["notice", "document", "other"], "part-unexpected", 422),
        (["notice", "text-document"], "part-media-type", 415),
        (["notice", "untyped-document"], "part-media-type", 415),
        (["text-notice", "document"], "part-media-type", 415),
        (["long-notice", "document"], "body-too-large", 413),
        (["notice", "lying-length"], "multipart-malformed", 400),
        (["notice", "longer-length"], "multipart-malformed", 400),
    ],
)
async def test_broken_parts_have_their_own_problems(
    context: Context, api: ApiClient, alice: Citizen, names: list[str], code: str, status: int
) -> None:
    parts = _parts(alice.enrolment_id)
    answer = await api.dispatch(body_of([parts[name] for name in names]))
    check(answer, code, status)
    await nothing_delivered(context)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all" * 100,
        dispatch_body({"a": 1})[:-30],
        b"--" + BOUNDARY.encode() + b"--\r\n",
        b"--" + BOUNDARY.encode() + b"\r\nX\r\n\r\n",
        b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n",
        b"--" + BOUNDARY.encode() + b"\r\n" + b"A: b\r\n" * 50 + b"\r\nx\r\n",
        b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data; name=\xff\r\n\r\nx\r\n",
    ],
)
async def test_broken_multipart_is_refused(api: ApiClient, alice: Citizen, body: bytes) -> None:
    answer = await api.dispatch(body)
    assert answer.json()["type"] in (URN + "multipart-malformed", URN + "part-missing")
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", "", "nonsense"],
)
async def test_other_content_types_are_not_taken(
    api: ApiClient, alice: Citizen, content_type: str
) -> None:
    answer = await api.dispatch(
        dispatch_body(notice_json(alice.enrolment_id)), **{"Content-Type": content_type}
    )
    check(answer, "media-type", 415)


@pytest.mark.parametrize("key", [None, "", "a b", "ä", "x" * 101])
async def test_idempotency_key_is_required(api: ApiClient, alice: Citizen, key: str | None) -> None:
    body = dispatch_body(notice_json(alice.enrolment_id))
    headers = {} if key is None else {"Idempotency-Key": key.encode()}
    answer = await api.http.post(
        "/v1/notices",
        content=body,
        headers={  # type: ignore[arg-type]  # bytes values are needed to send bad ones
            **await api.headers(),
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            **headers,
        },
    )
    check(answer, "idempotency-key-missing", 400)


async def test_refusals_beyond_the_rate_are_counted_not_recorded(
    context: Context, clock: VirtualClock, agency: Agency
) -> None:
    settings = ApiSettings(base_url=BASE_URL, limits=Limits(refusals_per_minute=3))
    api = ApiClient(context, agency, settings)
    for number in range(5):
        await api.dispatch(dispatch_body(notice_json("unknown")), key=f"k{number}")
    assert len(await rejections(context, agency)) == 3
    clock.advance(timedelta(minutes=1))
    await api.dispatch(dispatch_body(notice_json("unknown")), key="k9")
    rows = await context.store.read(lambda connection: events_of(connection, f"agency:{agency.id}"))
    assert json.loads(rows[-1].body)["facts"] == {
        "code": "enrolment-unknown",
        "enrolment": "unknown",
        "suppressed": 2,
    }
