"""A portal in process, an agency with letters, and citizens who play the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import httpx2
from sqlalchemy import select

from siegelpost.citizens.enrol import Enrolled, enrol
from siegelpost.citizens.letters import PostalAddress
from siegelpost.citizens.paths import templates_folder
from siegelpost.citizens.text import normal_login_name
from siegelpost.evidence.ids import AgencyId, EnrolmentId, NoticeId
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.dispatch import dispatch
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.limits import Limits
from siegelpost.notices.request import DispatchRequest
from siegelpost.openpgp import OpenPgp
from siegelpost.portal.app import create_portal
from siegelpost.portal.settings import PortalSettings
from siegelpost.portal.world import MailKeys
from siegelpost.sealing.covers import Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.service.administration import trust_file
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.openpgp import Directory
from tests.support.remembered import entropy, template_environment

ADDRESS = "https://post.example.org"
PASSPHRASE = "sieben grüne Stühle am See"
BIRTH_DATE = "1988-04-17"
AGENCY = AgencyId("jobcenter-musterland")
OTHER_AGENCY = AgencyId("stadt-musterstadt")
CLIENT = "client-1"

#: One for all portals of a process: what it has loaded stays loaded.
_environment = cache(template_environment)

#: The smallest PDF that readers accept, made by hand.
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\n"
    b"xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n"
    b"0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n162\n%%EOF\n"
)


@dataclass(kw_only=True)
class Town:
    """Everything around one portal."""

    context: Context
    client: httpx2.AsyncClient
    app: object
    letters: int = field(default=0)
    #: where the portal looks for OpenPGP keys
    directory: Directory = field(default_factory=Directory)

    def citizen(self) -> Citizen:
        """Somebody with an empty browser."""
        return Citizen(client=self.client, read_login_code=self.login_code, entropy=entropy)

    def trust(self) -> bytes:
        """The trust file by which receipts verify."""
        keyring = self.context.keyring
        assert isinstance(keyring, FileKeyring)
        return trust_file(keyring)

    async def letter(
        self, reference: str | None = None, *, agency: AgencyId = AGENCY, born: str = BIRTH_DATE
    ) -> Enrolled:
        """Enrol somebody; the letter's code is in the answer."""
        self.letters += 1
        return await enrol(
            self.context,
            agency_id=agency,
            client_id=CLIENT,
            reference=reference or f"BG-{self.letters}",
            salutation="Frau Beispiel",
            birth_date=born,
            language="de",
            address=PostalAddress(
                name="Alice Beispiel",
                street="Beispielweg 7",
                postal_code="59999",
                city="Musterstadt",
            ),
        )

    async def mailed_code(self, email: str) -> str:
        """The eight digits of the newest mail to ``email``, as the alert worker derives them."""
        alert, address = tables.core(tables.Alert), tables.core(tables.Address)
        newest = await self.context.store.read(
            lambda c: c.scalar(
                select(alert.c.id)
                .join(address, address.c.id == alert.c.address_id)
                .where(
                    address.c.email == email,
                    address.c.removed_at.is_(None),
                    address.c.mailbox_id.is_(None),
                )
                .order_by(alert.c.created_at.desc())
            )
        )
        assert newest is not None
        return address_code_for(self.context.keyring, newest)

    async def login_code(self, login_name: str) -> str:
        """The eight digits of the newest mail for a login, as the alert worker derives them."""
        alert, mailbox = tables.core(tables.Alert), tables.core(tables.Mailbox)
        newest = await self.context.store.read(
            lambda c: c.scalar(
                select(alert.c.id)
                .join(mailbox, mailbox.c.id == alert.c.mailbox_id)
                .where(
                    mailbox.c.login_name == normal_login_name(login_name),
                    alert.c.kind == "login-code",
                )
                .order_by(alert.c.id.desc())
            )
        )
        assert newest is not None
        return address_code_for(self.context.keyring, newest)

    async def active(self, email: str, *, enrolled: Enrolled | None = None) -> Citizen:
        """Somebody with an active mailbox, logged in."""
        enrolled = enrolled or await self.letter()
        citizen = self.citizen()
        await citizen.activate(
            code=enrolled.activation_code,
            birth_date=BIRTH_DATE,
            email=email,
            read_code=lambda: self.mailed_code(email),
            passphrase=PASSPHRASE,
        )
        return citizen

    async def dispatch(self, enrolled: Enrolled, key: str = "key-1") -> NoticeId:
        """Deliver a small notice and sequence the log."""
        done = await dispatch(
            self.context,
            Limits(),
            Sender(client_id=CLIENT, agency_id=AGENCY),
            DispatchRequest(
                idempotency_key=key,
                enrolment_id=EnrolmentId(enrolled.enrolment_id),
                cover=Cover(
                    title="Bewilligung von Bürgergeld",
                    kind="bewilligung",
                    what_is_this="Sie bekommen Geld.",
                    what_to_do="Bitte prüfen.",
                    due_on=None,
                    who_helps="Ihr Jobcenter",
                    language="de",
                ),
                regime="sgb10-37-2a",
                remedy=Remedy.GIVEN,
                issued_at=datetime(2026, 11, 20, tzinfo=UTC),
                reference=None,
                documents=[
                    Document(name="Bescheid.pdf", media_type="application/pdf", content=PDF)
                ],
            ),
        )
        await self.sequence()
        return done.id

    async def sequence(self) -> None:
        """Give every event its place in the log, under a signed checkpoint."""
        context = self.context
        sequencer = Sequencer(log_origin(context.origin), context.keyring.signer(KeyPurpose.LOG))
        now = context.now()
        while await context.store.write(lambda c: sequencer(c, now)):
            pass


@asynccontextmanager
async def running_town(
    context: Context, settings: PortalSettings | None = None, *, openpgp: bool = True
) -> AsyncIterator[Town]:
    """A portal with two agencies, for the length of a block; then its log is complete.

    So that `context`, at its end, checks the whole.
    """
    keyring = context.keyring
    assert isinstance(keyring, FileKeyring)
    agency, client = tables.core(tables.Agency), tables.core(tables.ApiClient)
    now = context.now()
    with context.store.database.write() as connection:
        for agency_id, name in ((AGENCY, "Jobcenter Kreis Musterland"), (OTHER_AGENCY, "Stadt")):
            keyring.add_key(KeyPurpose.MANIFEST, agency_id, now=now)
            connection.execute(
                agency.insert().values(
                    id=agency_id,
                    name=name,
                    place="DE-NW",
                    phone="02999 555-0",
                    sender="jobcenter@musterland.example",
                    created_at=now,
                )
            )
        connection.execute(
            client.insert().values(
                id=CLIENT,
                agency_id=AGENCY,
                name="Fachverfahren",
                jwk={},
                scopes="notices enrolments",
                created_at=now,
            )
        )
    templates = _environment(templates_folder())
    directory = Directory()
    app = create_portal(
        context,
        templates,
        settings or PortalSettings(public_url=ADDRESS),
        mail_keys=MailKeys(engine=OpenPgp(), fetch=directory) if openpgp else None,
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as http:
        town = Town(context=context, client=http, app=app, directory=directory)
        yield town
    await town.sequence()
