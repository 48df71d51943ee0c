"""A browser without pages: cookies, form token and problem answers of the portal's protocol.

Not here: what a citizen does with it (`citizen`). Scripts are not run, and HTML is read only for
the form token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2

_TOKEN = re.compile(r'<meta name="form-token" content="([^"]+)">')
_COOKIE = re.compile(r"([^=;]+)=([^;]*)")


class PortalRefused(Exception):
    """The portal answered with a problem."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """Keep status and problem JSON."""
        self.status = status
        #: stable name of the refusal
        self.code = str(problem.get("code", f"http-{status}"))
        #: the whole answer
        self.problem = dict(problem)
        super().__init__(f"{status} {self.code}")


@dataclass(kw_only=True)
class Browser:
    """One person's cookies against one portal."""

    #: has the portal's address as base_url
    client: httpx2.AsyncClient
    #: cookies by name; kept here because http libraries don't send `Secure` ones to localhost
    cookies: dict[str, str] = field(default_factory=dict)
    #: token of the last page
    form_token: str = ""

    async def load(self, page: str) -> str:
        """Open a page as a browser would; keeps its cookies and form token."""
        answer = await self.send("GET", page, accept="text/html")
        if found := _TOKEN.search(answer.text):
            self.form_token = found[1]
        return answer.text

    async def get(self, path: str) -> dict[str, Any]:
        """The JSON at ``path``; PortalRefused."""
        answer: dict[str, Any] = (await self.send("GET", path)).json()
        return answer

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send JSON and return the answer's JSON; PortalRefused."""
        answer: dict[str, Any] = (await self.send("POST", path, body or {})).json()
        return answer

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        accept: str = "application/json",
    ) -> httpx2.Response:
        """One request with cookies and form token; PortalRefused for every problem."""
        content = None if body is None else json.dumps(body).encode("utf-8")
        headers = {"Accept": accept}
        if content is not None:
            headers["Content-Type"] = "application/json"
        return await self._request(method, path, headers, content)

    async def upload(self, path: str, data: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        """Send a file; ``headers`` say what it is. PortalRefused."""
        return await self._request("POST", path, {"Accept": "application/json", **headers}, data)

    async def submit(self, path: str, fields: Mapping[str, str]) -> httpx2.Response:
        """Send a form as a page without scripts does; PortalRefused."""
        headers = {
            "Accept": "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({**fields, "form_token": self.form_token}).encode("ascii")
        return await self._request("POST", path, headers, body)

    async def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx2.Response:
        headers = {
            **headers,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        if method == "POST":
            base = self.client.base_url
            headers["Origin"] = f"{base.scheme}://{base.netloc.decode('ascii')}"
            headers["Sec-Fetch-Site"] = "same-origin"
            headers["X-Siegelpost-Form"] = self.form_token
        answer = await self.client.request(method, path, headers=headers, content=content)
        self.client.cookies.clear()  # the client may be shared by several citizens
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line)
        if answer.status_code >= 400:
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise PortalRefused(answer.status_code, problem)
        return answer

    def _keep(self, line: str) -> None:
        found = _COOKIE.match(line)
        if found is None:
            return
        name, value = found[1].strip(), found[2].strip('"')
        if value and "max-age=0" not in line.lower():
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)
