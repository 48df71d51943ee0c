"""A sandbox in this process, as a vendor uses it: its API, its portal, its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from siegelpost.api.settings import ApiSettings
from siegelpost.evidence.ids import AgencyId
from siegelpost.service.administration import (
    NewAgency,
    add_agency,
    add_client,
    open_keyring,
    prepare_database,
    trust_file,
    write_new_installation,
)
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.settings import Settings, read_settings
from siegelpost.service.wiring import Parts, running_parts
from siegelpost.store import tables
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.clock import SystemClock
from tests.support.agencies import Agency, public_jwk
from tests.support.dispatches import BASE_URL, ApiClient, dispatch_body, notice_json

_alert = tables.core(tables.Alert)
_address = tables.core(tables.Address)
_BIRTH_DATE = "1984-02-29"
#: Every citizen's.
PASSPHRASE = "Sieben-Esel-singen-leise-5"


class Sandbox(ApiClient):
    """The vendor's side: the API of a running sandbox, and citizens."""

    def __init__(self, parts: Parts, agency: Agency, settings: Settings, trust: bytes) -> None:
        # Clients sign with real time, whatever the sandbox's clock shows.
        self.context = replace(parts.context, clock=SystemClock())
        self.agency = agency
        self.settings = ApiSettings(base_url=BASE_URL)
        self.installation = settings
        self.trust = trust
        self.application: Any = parts.application
        self.store = parts.context.store
        self.http = self.client()
        self._count = 0

    def client(self) -> httpx2.AsyncClient:
        """A client with cookies of its own."""
        transport = httpx2.ASGITransport(app=self.application)
        return httpx2.AsyncClient(transport=transport, base_url=BASE_URL, timeout=60)

    async def post(self, path: str, body: Any) -> httpx2.Response:
        """Post JSON with a fresh token."""
        return await self.http.post(path, json=body, headers=await self.headers())

    async def now(self) -> str:
        """The sandbox's time."""
        now: str = (await self.get("/v1/sandbox/clock")).json()["now"]
        return now

    async def advance(self, by: str | int) -> str:
        """Move the sandbox's clock; return what it shows then."""
        answer = await self.post("/v1/sandbox/clock", {"advance": by})
        assert answer.status_code == 200, answer.text
        now: str = answer.json()["now"]
        return now

    async def citizen(self, email: str) -> tuple[str, Citizen]:
        """Enrol and activate a citizen whose alerts go to ``email``; return the enrolment, too."""
        self._count += 1
        answer = await self.post(
            "/v1/enrolments",
            {
                "reference": f"BG-{self._count}",
                "salutation": "Frau Beispiel",
                "birth_date": _BIRTH_DATE,
                "address": {
                    "name": "Alice Beispiel",
                    "street": "Musterweg 1",
                    "postal_code": "01234",
                    "city": "Musterstadt",
                },
            },
        )
        assert answer.status_code == 201, answer.text
        citizen = Citizen(
            client=self.client(), read_login_code=lambda name: self._mailed_code(name, "login-code")
        )
        await citizen.activate(
            code=answer.json()["activation_code"],
            birth_date=_BIRTH_DATE,
            email=email,
            read_code=lambda: self._mailed_code(email),
            passphrase=PASSPHRASE,
        )
        enrolment: str = answer.json()["id"]
        return enrolment, citizen

    async def dispatch_to(self, enrolment: str, **changes: Any) -> str:
        """Dispatch a notice and return its id."""
        self._count += 1
        body = dispatch_body(notice_json(enrolment, **changes))
        answer = await self.dispatch(body, key=f"key-{self._count}")
        assert answer.status_code == 201, answer.text
        notice: str = answer.json()["id"]
        return notice

    async def event_types(self, notice: str) -> list[str]:
        """What is on record about a notice, in order."""
        status = (await self.get(f"/v1/notices/{notice}")).json()
        return [event["type"] for event in status["events"]]

    async def _mailed_code(self, email: str, kind: str = "address-code") -> str:
        query = (
            select(_alert.c.id)
            .join(_address, _address.c.id == _alert.c.address_id)
            .where(_alert.c.kind == kind, _address.c.email == email)
            .where(_alert.c.state == "accepted")
            .order_by(_alert.c.id.desc())
        )

        def look(connection: Connection) -> str | None:
            found: str | None = connection.execute(query).scalar()
            return found

        for _ in range(600):
            alert = await self.store.read(look)
            if alert is not None:
                return address_code_for(self.context.keyring, alert)
            await asyncio.sleep(0.05)
        raise AssertionError("the code was never mailed")


def new_sandbox(folder: Path, database: str) -> Settings:
    """Settings and keys of a fresh sandbox."""
    file = write_new_installation(
        folder,
        origin="post.example.org",
        public_url=BASE_URL,
        database=database,
        sandbox=True,
        now=datetime.now(UTC),
    )
    file.write_text(file.read_text().replace("[sandbox]", "[sandbox]\nmails_port = 0"))
    return read_settings(file)


@asynccontextmanager
async def running_sandbox(folder: Path, database: str) -> AsyncIterator[Sandbox]:
    """A sandbox with one agency and its client."""
    settings = new_sandbox(folder, database)
    now, key = datetime.now(UTC), Ed25519PrivateKey.generate()
    opened = prepare_database(settings)
    keyring = open_keyring(settings)
    office = NewAgency(name="Jobcenter Musterland", phone="01234 567-0", sender="jc@example.org")
    agency_id = add_agency(opened, keyring, office, now=now)
    client_id = add_client(
        opened, agency_id=agency_id, name="Fachverfahren", jwk=public_jwk(key), now=now
    )
    opened.close()
    agency = Agency(id=AgencyId(agency_id), client_id=client_id, key=key)
    async with running_parts(settings) as parts:
        yield Sandbox(parts, agency, settings, trust_file(keyring))
