"""A console in process beside the town's portal, and members of staff who play its protocol."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2

from siegelpost.console.app import create_console
from siegelpost.evidence.ids import AgencyId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.portal.settings import PortalSettings
from siegelpost.service.administration import trust_file
from siegelpost.staff.members import Invited, invite
from siegelpost.staff.roles import Role
from siegelpost.store.context import Context
from tests.support.authenticators import SoftPasskey
from tests.support.pages import TEMPLATES
from tests.support.portal import ADDRESS, AGENCY
from tests.support.remembered import template_environment

#: One for all consoles of a process: what it has loaded stays loaded.
_environment = cache(template_environment)

_TOKEN = re.compile(r'name="form-token" content="([^"]*)"')


@dataclass(kw_only=True)
class Desk:
    """Somebody of staff with a browser and a passkey."""

    http: httpx2.AsyncClient
    passkey: SoftPasskey
    #: the member's id, once invited
    id: str = ""
    token: str = ""

    async def get(self, path: str) -> httpx2.Response:
        """Open a page, and keep its form token."""
        answer = await self.http.get(path, headers={"Accept": "text/html"})
        found = _TOKEN.search(answer.text)
        if found and found[1]:
            self.token = html.unescape(found[1])
        return answer

    async def post(self, path: str, **fields: str | list[str]) -> httpx2.Response:
        """Send a form, as a browser does."""
        return await self.http.post(
            path,
            data={"form_token": self.token, **fields},
            headers={"Accept": "text/html", "Origin": ADDRESS},
        )

    async def post_json(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Send what a script sends."""
        answer = await self.http.post(
            path, json=dict(body), headers={"X-Siegelpost-Form": self.token, "Origin": ADDRESS}
        )
        self.token = answer.json().get("form_token", self.token)
        return answer

    async def register(self, code: str) -> httpx2.Response:
        """Use an invitation."""
        await self.get("/console/invitation")
        asked = await self.post_json("/console/invitation/prepare", {"code": code})
        if asked.status_code != 200:
            return asked
        body = self.passkey.attest(asked.json()["challenge"])
        return await self.post_json("/console/invitation", {"code": code, **body})

    async def log_in(self) -> httpx2.Response:
        """Log in with the passkey, in a fresh browser."""
        self.http.cookies.clear()
        await self.get("/console/login")
        asked = await self.post_json("/console/login/passkey/prepare", {})
        body = self.passkey.sign(asked.json()["challenge"])
        return await self.post_json("/console/login/passkey", body)


@dataclass(kw_only=True)
class Office:
    """The console over one context, and how people get desks in it."""

    context: Context
    app: Any
    desks: list[Desk] = field(default_factory=list)

    def stranger(self) -> Desk:
        """Somebody who is not invited, with a fresh browser."""
        transport = httpx2.ASGITransport(app=self.app)
        client = httpx2.AsyncClient(transport=transport, base_url=ADDRESS)
        number = len(self.desks)
        desk = Desk(http=client, passkey=SoftPasskey(credential=b"desk-%d" % number))
        self.desks.append(desk)
        return desk

    async def invited(
        self, *roles: Role, agency: AgencyId = AGENCY, name: str = "Erika Muster"
    ) -> Invited:
        """An invitation, as the operator makes it."""
        return await invite(self.context, agency, name=name, roles=roles)

    async def desk(
        self, *roles: Role, agency: AgencyId = AGENCY, name: str = "Erika Muster"
    ) -> Desk:
        """Somebody of staff who is logged in."""
        invited = await self.invited(*roles, agency=agency, name=name)
        desk = self.stranger()
        answer = await desk.register(invited.code)
        assert answer.status_code == 200, answer.text
        desk.id = invited.id
        await desk.get("/console/")
        return desk

    async def close(self) -> None:
        """Close all browsers."""
        for desk in self.desks:
            await desk.http.aclose()


def office(context: Context, settings: PortalSettings | None = None) -> Office:
    """A console over `context`."""
    keyring = context.keyring
    assert isinstance(keyring, FileKeyring)
    environment = _environment(TEMPLATES)
    app = create_console(
        context,
        environment,
        settings or PortalSettings(public_url=ADDRESS),
        trust=lambda: trust_file(keyring),
    )
    return Office(context=context, app=app)
