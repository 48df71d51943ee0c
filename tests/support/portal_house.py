"""A house with a portal: real store, keyring, log and pages behind a real HTTP server on localhost.

Agency and mail are played through the use cases, so that browser tests see only the citizen's side.
It runs in a thread of its own; methods are called from the test's thread.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import typst
import uvicorn
from sqlalchemy import select

from siegelpost.citizens.enrol import enrol
from siegelpost.citizens.letters import PostalAddress
from siegelpost.evidence.ids import AgencyId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import new_seal_key
from siegelpost.notices.dispatch import dispatch
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.limits import Limits
from siegelpost.notices.request import DispatchRequest
from siegelpost.oidc.settings import OidcSettings
from siegelpost.openpgp import OpenPgp
from siegelpost.portal.app import create_portal
from siegelpost.portal.settings import PortalSettings
from siegelpost.portal.world import MailKeys
from siegelpost.sealing.covers import Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.service.administration import NewAgency, add_agency, add_client, trust_file
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.service.sequencing import keep_sequencing
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.clock import SystemClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.migrate import migrate
from siegelpost.store.store import Store
from siegelpost.store.tables import Agency, Alert, core
from tests.support.databases import ORIGIN
from tests.support.oidc_providers import CLIENT_ID, CLIENT_SECRET, MockProvider
from tests.support.openpgp import Directory
from tests.support.pages import TEMPLATES
from tests.support.remembered import template_environment

T = TypeVar("T")
_agency, _alert = core(Agency), core(Alert)

#: Fields of a public key that nobody holds: the API is not part of this house.
_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

#: Of enrolments: citizens of different tests may share a name.
_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a citizen holds in the hand."""

    #: of the agency's reference
    enrolment_id: str
    #: seven groups of four
    code: str
    #: day, month and year, as typed
    born: tuple[str, str, str]


#: Houses by their address, for whoever has only a page of one.
RUNNING: dict[str, PortalHouse] = {}


class PortalHouse:
    """The running house; use `portal_house`."""

    def __init__(self, folder: Path, provider: MockProvider | None = None) -> None:
        now = datetime.now(UTC)
        self._database = Database(f"sqlite:///{folder / 'siegelpost.db'}")
        migrate(self._database)
        self._keyring = FileKeyring.create(
            folder / "keyring.json", os.urandom(32), origin=ORIGIN, now=now
        )
        seal = new_seal_key(ORIGIN, now=now)
        self._keyring.add_key(KeyPurpose.SEAL, now=now, private=seal.encode())
        agency = NewAgency(
            name="Jobcenter Kreis Musterland", phone="02345 6789-0", sender="post@jobcenter.example"
        )
        self.agency_id = add_agency(self._database, self._keyring, agency, now=now)
        self._client_id = add_client(
            self._database, agency_id=self.agency_id, name="Fachverfahren", jwk=_JWK, now=now
        )
        self._store = Store(self._database)
        self.context = Context(
            store=self._store,
            clock=SystemClock(),
            keyring=self._keyring,
            entropy=os.urandom,
            origin=ORIGIN,
            pdf_seal=pdf_sealer(self._keyring, (), None),
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        #: where the browser goes
        self.address = f"http://localhost:{self._socket.getsockname()[1]}"
        #: where the portal looks for OpenPGP keys
        self.directory = Directory()
        environment = template_environment(TEMPLATES)
        portal = create_portal(
            self.context,
            environment,
            PortalSettings(
                public_url=self.address,
                operator="Kreis Musterland",
                managed_mailboxes=True,
                oidc=None if provider is None else self._elsewhere(provider),
                oidc_label="Musterkonto",
            ),
            mail_keys=MailKeys(engine=OpenPgp(), fetch=self.directory),
        )
        config = uvicorn.Config(portal, lifespan="off", access_log=False, log_level="error")
        self._server = uvicorn.Server(config)
        RUNNING[self.address] = self
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def trust(self) -> bytes:
        """The trust file by which receipts verify."""
        return trust_file(self._keyring)

    def enrol(self, name: str, *, language: str = "de", managed: bool = False) -> Letter:
        """Have the agency announce a citizen born on 3 May 1984."""
        enrolled = self._await(
            enrol(
                self.context,
                agency_id=self.agency_id,
                client_id=self._client_id,
                reference=f"BG-{next(_numbers)}-{name}",
                salutation=f"Frau {name}",
                birth_date="1984-05-03",
                language=language,
                address=PostalAddress(
                    name=name, street="Beispielweg 1", postal_code="01234", city="Musterstadt"
                ),
                managed_allowed=managed,
            )
        )
        return Letter(
            enrolment_id=enrolled.enrolment_id,
            code=enrolled.activation_code,
            born=("3", "5", "1984"),
        )

    def address_code(self) -> str:
        """The eight digits of the newest confirmation mail."""
        return self._newest_code("address-code")

    def address_change_code(self) -> str:
        """The eight digits of the newest mail to a new address of a mailbox."""
        return self._newest_code("address-change-code")

    def login_code(self) -> str:
        """The eight digits of the newest mail for a login."""
        return self._newest_code("login-code")

    def _newest_code(self, kind: str) -> str:
        query = select(_alert.c.id).where(_alert.c.kind == kind).order_by(_alert.c.id.desc())
        alert_id = self._store.read_now(lambda connection: connection.scalar(query))
        return address_code_for(self._keyring, str(alert_id))

    def send(
        self,
        letter: Letter,
        title: str,
        *documents: Document,
        due: date | None,
        remedy: Remedy = Remedy.GIVEN,
    ) -> str:
        """Have the agency dispatch a notice; return its id."""
        request = DispatchRequest(
            idempotency_key=os.urandom(8).hex(),
            enrolment_id=letter.enrolment_id,
            cover=Cover(
                title=title,
                kind="bewilligung",
                what_is_this="Sie bekommen Bürgergeld für Dezember 2026 bis Mai 2027.",
                what_to_do="Prüfen Sie die Beträge. Sie müssen nichts schicken.",
                due_on=due,
                who_helps="Frau Muster, Zimmer 204, Telefon +49 2345 67890",
                language="de",
            ),
            regime="sgb10-37-2a",
            remedy=remedy,
            issued_at=datetime.now(UTC),
            reference=None,
            documents=documents,
        )
        sender = Sender(client_id=self._client_id, agency_id=AgencyId(self.agency_id))
        return self._await(dispatch(self.context, Limits(), sender, request)).id

    def take_replies(self, recipient: bytes | None) -> None:
        """Have the agency take replies, sealed to this key, or none any more."""
        change = _agency.update().where(_agency.c.id == self.agency_id)
        values = change.values(reply_recipient=recipient)
        self._await(self._store.write(lambda connection: connection.execute(values)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a use case or a worker in the house, and return what it returns."""
        return self._await(work)

    def start(self) -> None:
        """Serve until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End the server, the sequencer and the store."""
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._store.close()
        self._database.close()

    def _elsewhere(self, provider: MockProvider) -> OidcSettings:
        back = f"{self.address}/login/oidc/back"
        provider.redirect_uris.add(back)
        return OidcSettings(
            name="portal",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=back,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        sequencing = asyncio.create_task(keep_sequencing(self.context))
        await self._server.serve(sockets=[self._socket])
        sequencing.cancel()
        await asyncio.gather(sequencing, return_exceptions=True)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)


@contextmanager
def portal_house(folder: Path, provider: MockProvider | None = None) -> Iterator[PortalHouse]:
    """A running house with its files in `folder`; `provider`: where one may log in elsewhere."""
    house = PortalHouse(folder, provider)
    house.start()
    try:
        yield house
    finally:
        house.stop()


def pdf(name: str, text: str) -> Document:
    """A small real PDF."""
    source = f'#set page(paper: "a5")\n#set text(lang: "de")\n= {name}\n\n{text}\n'
    content = typst.compile(source.encode(), format="pdf")
    assert isinstance(content, bytes)
    return Document(name=f"{name}.pdf", media_type="application/pdf", content=content)
