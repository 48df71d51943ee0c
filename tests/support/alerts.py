"""For tests of alerts: an agency with a citizen and notices, settings for fake servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import FileSystemLoader
from sqlalchemy import Connection, insert, select

from siegelpost.alerts.compose import Composer
from siegelpost.alerts.dkim import DkimSigner
from siegelpost.alerts.settings import AlertSettings, SmtpSettings, TlsPolicy
from siegelpost.alerts.worker import AlertWorker
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, AlertId, MailboxId, NoticeId, new_id
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.outbox import AlertKind, AlertState, ClaimedAlert, queue_alert
from siegelpost.store.store import Store

TEMPLATES = Path(__file__).parents[2] / "templates"
DOMAIN = "post.example.org"
AGENCY_NAME = "Jobcenter Kreis Musterland"
CODE = "40718293"
RETURN_SECRET = b"return addresses are signed by it"[:32]


async def until(happened: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait until `happened` is true; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - watched from outside, nobody would set an event
            await asyncio.sleep(0.02)


class NoKeys:
    """A keyring that nobody may ask: alerts sign nothing."""

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse."""
        raise AssertionError(f"alerts asked the keyring for {name}")


def settings(
    port: int, *, tls: TlsPolicy = TlsPolicy.NONE, ca_file: Path | None = None, **others: Any
) -> AlertSettings:
    """Return settings for a server on this machine, with short times."""
    smtp: dict[str, Any] = {"command_seconds": 2.0, "final_seconds": 2.0, "connections": 4}
    smtp |= others.pop("smtp", {})
    return AlertSettings(
        domain=DOMAIN,
        smtp=SmtpSettings(host="127.0.0.1", port=port, tls=tls, ca_file=ca_file, **smtp),
        **others,
    )


def composer(
    alert_settings: AlertSettings,
    secret: bytes = RETURN_SECRET,
    *,
    dkim: Callable[[], DkimSigner | None] = lambda: None,
) -> Composer:
    """Return a composer over the real templates; return addresses are signed by `secret`."""
    return Composer(
        FileSystemLoader(TEMPLATES),
        alert_settings,
        address_code=lambda _alert: CODE,
        return_secret=lambda: secret,
        dkim=dkim,
    )


def claimed(**changes: Any) -> ClaimedAlert:
    """Return a claimed alert as the outbox would give it, for tests without a database."""
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": AlertId("01a20000-0000-7000-8000-000000000001"),
        "kind": AlertKind.NOTICE,
        "found": AlertState.QUEUED,
        "attempt": 1,
        "holder": "worker-1",
        "lease_until": now + timedelta(minutes=15),
        "created_at": now,
        "give_up_at": now + timedelta(hours=48),
        "agency": "agency-1",
        "agency_name": AGENCY_NAME,
        "agency_phone": "02351 555 0100",
        "agency_sender": "jobcenter@kreis.example",
        "notice": "notice-1",
        "provided_at": now,
        "mailbox": "mailbox-1",
        "salutation": "Frau Beispiel",
        "language": "de",
        "address_id": "address-1",
        "email": "alice@example.org",
        "address_failed_at": None,
    }
    return ClaimedAlert(**(values | changes))


@dataclass(frozen=True, kw_only=True)
class World:
    """A store with one agency and Alice's mailbox, at a virtual time."""

    context: Context
    clock: VirtualClock

    @classmethod
    def make(cls, store: Store, clock: VirtualClock, keyring: Any = None) -> World:
        """Fill an empty store; without a keyring nobody may ask for keys."""
        keyring = keyring or NoKeys()
        context = Context(
            store=store, clock=clock, keyring=keyring, entropy=os.urandom, origin=DOMAIN
        )
        world = cls(context=context, clock=clock)
        with store.database.write() as connection:
            world._fill(connection)
        return world

    def worker(self, alert_settings: AlertSettings, holder: str = "worker-1") -> AlertWorker:
        """Return a worker whose jitter is the middle of its range."""
        keyring: Any = self.context.keyring
        secret = RETURN_SECRET
        if not isinstance(keyring, NoKeys):
            secret = keyring.secret(KeyPurpose.RETURN_ADDRESS)
        return AlertWorker(
            self.context,
            alert_settings,
            composer(alert_settings, secret),
            holder=holder,
            chance=lambda: 0.5,
        )

    def queue_notice(self, *, email: str = "alice@example.org") -> tuple[AlertId, NoticeId]:
        """Provide a notice and queue its alert in one transaction, as dispatch does."""
        return self.queue_notices([email])[0]

    def queue_notices(self, emails: Sequence[str]) -> list[tuple[AlertId, NoticeId]]:
        """The same for many at once, one for each address."""
        with self.context.store.database.write() as connection:
            return [self._queue(connection, email) for email in emails]

    def _queue(self, connection: Connection, email: str) -> tuple[AlertId, NoticeId]:
        now = self.clock.now()
        notice = NoticeId(new_id(now, os.urandom(10)))
        address = self._address(connection, email)
        connection.execute(insert(tables.core(tables.Notice)), [self._notice(notice, now)])
        alert = queue_alert(
            connection,
            kind=AlertKind.NOTICE,
            address_id=address,
            now=now,
            entropy=os.urandom,
            agency_id="agency-1",
            notice_id=notice,
            mailbox_id="mailbox-1",
        )
        draft = EventDraft(
            type=EventType.PROVIDED,
            at=now,
            agency=AgencyId("agency-1"),
            notice=notice,
            mailbox=MailboxId("mailbox-1"),
            actor="service",
        )
        append_events(connection, [draft], entropy=os.urandom)
        return alert, notice

    def queue_code(self, *, email: str = "alice@example.org") -> AlertId:
        """Queue the mail that confirms an address during an activation."""
        with self.context.store.database.write() as connection:
            return queue_alert(
                connection,
                kind=AlertKind.ADDRESS_CODE,
                address_id=self._address(connection, email),
                now=self.clock.now(),
                entropy=os.urandom,
                agency_id="agency-1",
                language="en",
            )

    def rows(self, model: type[tables.Table]) -> Sequence[Any]:
        """Return all rows of a table."""
        with self.context.store.database.read() as connection:
            return connection.execute(select(tables.core(model))).all()

    def alert(self, alert: AlertId) -> Any:
        """Return the row of one alert."""
        return next(row for row in self.rows(tables.Alert) if row.id == alert)

    def event_types(self, notice: NoticeId) -> list[str]:
        """Return the types of one notice's events in order."""
        found = [row for row in self.rows(tables.Event) if row.subject == f"notice:{notice}"]
        return [row.type for row in sorted(found, key=lambda row: row.number)]

    def _fill(self, connection: Connection) -> None:
        now = self.clock.now()
        rows: dict[type[tables.Table], dict[str, Any]] = {
            tables.Agency: {
                "id": "agency-1",
                "name": AGENCY_NAME,
                "place": "DE-NW",
                "phone": "02351 555 0100",
                "sender": "jobcenter@kreis.example",
                "created_at": now,
            },
            tables.ApiClient: {
                "id": "client-1",
                "agency_id": "agency-1",
                "name": "Fachverfahren",
                "jwk": {},
                "scopes": "",
                "created_at": now,
            },
            tables.Mailbox: {
                "id": "mailbox-1",
                "state": "active",
                "login_name": "alice@example.org",
                "login_salt": bytes(16),
                "login_proof": bytes(32),
                "language": "de",
                "salutation_allowed": True,
                "created_at": now,
            },
            tables.MailboxKey: {
                "id": "key-1",
                "mailbox_id": "mailbox-1",
                "recipient": bytes(1216),
                "acknowledgement_key": bytes(32),
                "created_at": now,
            },
            tables.Enrolment: {
                "id": "enrolment-1",
                "agency_id": "agency-1",
                "reference": "BG-0001",
                "mailbox_id": "mailbox-1",
                "state": "active",
                "salutation": "Frau Beispiel",
                "language": "de",
                "birth_date_digest": bytes(32),
                "code_failures": 0,
                "created_at": now,
            },
        }
        for model, row in rows.items():
            connection.execute(insert(tables.core(model)), [row])

    def _address(self, connection: Connection, email: str) -> str:
        address = tables.core(tables.Address)
        known = connection.execute(select(address.c.id).where(address.c.email == email)).scalar()
        if known is not None:
            return str(known)
        identifier = new_id(self.clock.now(), os.urandom(10))
        connection.execute(
            insert(address),
            [
                {
                    "id": identifier,
                    "mailbox_id": "mailbox-1",
                    "email": email,
                    "created_at": self.clock.now(),
                    "confirmed_at": self.clock.now(),
                    "code_failures": 0,
                }
            ],
        )
        return identifier

    def _notice(self, notice: NoticeId, now: datetime) -> dict[str, Any]:
        return {
            "id": notice,
            "agency_id": "agency-1",
            "client_id": "client-1",
            "enrolment_id": "enrolment-1",
            "mailbox_id": "mailbox-1",
            "key_id": "key-1",
            "state": "provided",
            "regime": "sgb10-37-2a",
            "remedy": "given",
            "idempotency_key": notice,
            "request_digest": bytes(32),
            "package_id": f"package-{notice}",
            "package_size": 1,
            "package_digest": bytes(32),
            "cover_id": f"cover-{notice}",
            "cover_digest": bytes(32),
            "documents": [],
            "acceptance": "",
            "provided_at": now,
        }
