"""Calls of the dispatch API for tests: notice JSON, multipart bodies, an in-process client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx2

from siegelpost.api.app import create_api
from siegelpost.api.settings import ApiSettings
from siegelpost.store.context import Context
from tests.support.agencies import ALL_SCOPES, Agency
from tests.support.pdfs import make_pdf

BASE_URL = "https://post.example.org"
BOUNDARY = "siegelpost-test-boundary"


def notice_json(enrolment_id: str, **changes: Any) -> dict[str, Any]:
    """A valid notice; ``changes`` replace fields, None removes them."""
    whole = {
        "enrolment": enrolment_id,
        "cover": {
            "title": "Bewilligung von Bürgergeld",
            "kind": "grant",
            "what_is_this": "Sie bekommen Geld.",
            "what_to_do": "Prüfen Sie den Bescheid.",
            "who_helps": "Jobcenter Musterland, 01234 567-0",
            "due_on": "2026-12-28",
        },
        "remedy": "given",
        "issued_at": "2026-11-23T09:00:00+01:00",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def part(
    name: str, content: bytes, content_type: str | None, *, filename: str | None = None
) -> bytes:
    """One part of a multipart body, without the boundary before it."""
    disposition = f'form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = f"Content-Disposition: {disposition}\r\n"
    if content_type is not None:
        head += f"Content-Type: {content_type}\r\n"
    return head.encode() + b"\r\n" + content


def body_of(parts: Sequence[bytes], *, boundary: str = BOUNDARY) -> bytes:
    """The whole multipart body."""
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + one + b"\r\n" for one in parts) + mark + b"--\r\n"


def dispatch_body(notice: Any, documents: Sequence[bytes] = (make_pdf(),)) -> bytes:
    """A usual dispatch; ``notice`` is JSON or bytes to be sent as they are."""
    text = notice if isinstance(notice, bytes) else json.dumps(notice).encode()
    return body_of(
        [
            part("notice", text, "application/json"),
            *(
                part("document", data, "application/pdf", filename=f"Bescheid {n}.pdf")
                for n, data in enumerate(documents, 1)
            ),
        ]
    )


class ApiClient:
    """Calls the API in this process as one agency's client."""

    def __init__(self, context: Context, agency: Agency, settings: ApiSettings | None = None):
        """Build a fresh API over ``context``."""
        self.context = context
        self.agency = agency
        self.settings = settings or ApiSettings(base_url=BASE_URL)
        self.app = create_api(context, self.settings)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url=BASE_URL
        )

    def as_agency(self, agency: Agency) -> ApiClient:
        """The same API, called by another agency."""
        other = object.__new__(ApiClient)
        other.__dict__ = {**self.__dict__, "agency": agency}
        return other

    async def ask_token(self, *, scope: str = ALL_SCOPES, **claims: Any) -> httpx2.Response:
        """Ask for a token with a fresh assertion."""
        return await self.send_assertion(
            self.agency.assertion(
                self.context.now().timestamp(),
                **{"audience": f"{BASE_URL}/oauth/token", **claims},
            ),
            scope=scope,
        )

    async def send_assertion(self, assertion: str, **form: str) -> httpx2.Response:
        """Ask for a token with ``assertion``."""
        return await self.http.post(
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion,
                **form,
            },
        )

    async def headers(self, *, scope: str = ALL_SCOPES) -> dict[str, str]:
        """An authorization header with a fresh token."""
        answer = await self.ask_token(scope=scope)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def dispatch(
        self, body: bytes, *, key: str | None = "key-1", scope: str = ALL_SCOPES, **headers: str
    ) -> httpx2.Response:
        """Post a dispatch."""
        whole = {
            **await self.headers(scope=scope),
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            **({"Idempotency-Key": key} if key is not None else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.http.post("/v1/notices", content=body, headers=whole)

    async def get(self, path: str, *, scope: str = ALL_SCOPES) -> httpx2.Response:
        """Get with a fresh token."""
        return await self.http.get(path, headers=await self.headers(scope=scope))
