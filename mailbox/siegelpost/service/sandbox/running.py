"""The running sandbox: the real parts over a virtual clock, with the simulated mail exchanger."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import jinja2
import structlog
from sqlalchemy import Connection, select

from siegelpost.alerts.compose import Composer
from siegelpost.alerts.follow_up import FollowUp
from siegelpost.alerts.settings import AlertSettings, SmtpSettings
from siegelpost.alerts.worker import AlertWorker
from siegelpost.bounces.server import BounceServer
from siegelpost.bounces.settings import BounceSettings
from siegelpost.citizens.paths import templates_folder
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.clockwork import ClockSettings, Clockwork
from siegelpost.service.court_sealing import manifest_sealer
from siegelpost.service.mailing import follow_up_settings
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.service.sandbox.conductor import Conductor
from siegelpost.service.sandbox.exchanger import Exchanger
from siegelpost.service.sandbox.mode import stored_time
from siegelpost.service.settings import Settings
from siegelpost.store import tables
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.log import log_origin
from siegelpost.store.outbox import CODE_KINDS, AlertKind
from siegelpost.store.sequencer import Sequencer
from siegelpost.store.store import Store

_alert = tables.core(tables.Alert)
_log = structlog.get_logger("siegelpost.sandbox")


@asynccontextmanager
async def running_sandbox(
    settings: Settings, database: Database, keyring: FileKeyring
) -> AsyncIterator[tuple[Context, Conductor]]:
    """Run the sandbox of `settings` for the length of the block; closes the database."""
    store = Store(
        database, readers=settings.database.readers, group_limit=settings.database.group_limit
    )
    clock = VirtualClock(_begin(store, settings.origin))
    context = Context(
        store=store,
        clock=clock,
        keyring=keyring,
        entropy=os.urandom,
        origin=settings.origin,
        pdf_seal=pdf_sealer(keyring, (), settings.seal.pin_file),
        manifest_seal=manifest_sealer(keyring, settings.seal.pin_file),
    )
    exchanger = Exchanger(mails_port=settings.sandbox.mails_port)
    bounces = BounceServer(
        context, BounceSettings(domain=settings.mail.domain, host="127.0.0.1", port=0)
    )
    await asyncio.to_thread(exchanger.start)
    await bounces.start()
    serving = asyncio.create_task(bounces.run())
    conductor, worker = _conductor(settings, context, clock, exchanger, bounces.port)
    conducting = asyncio.create_task(conductor.run())
    _log.info("sandbox", mails=exchanger.url, time=clock.now().isoformat())
    try:
        yield context, conductor
    finally:
        conducting.cancel()
        with suppress(asyncio.CancelledError):
            await conducting
        await worker.close()
        bounces.stop()
        await asyncio.gather(serving, return_exceptions=True)
        await asyncio.to_thread(exchanger.stop)
        store.close()


def clock_settings(settings: Settings) -> ClockSettings:
    """Translate the settings file's part about the legal clock."""
    return ClockSettings(remind_days_before_end=settings.clock.remind_days_before_end)


def _begin(store: Store, origin: str) -> datetime:
    # Never behind real time, by which keys are made; never behind what was shown before.
    kept = store.read_now(lambda connection: stored_time(connection, origin))
    return max(filter(None, (kept, datetime.now(UTC))))


def _conductor(
    settings: Settings,
    context: Context,
    clock: VirtualClock,
    exchanger: Exchanger,
    bounce_port: int,
) -> tuple[Conductor, AlertWorker]:
    keyring = context.keyring
    mail = AlertSettings(
        domain=settings.mail.domain,
        # Its server is this process: what is not taken at once is tried at the next due moment.
        smtp=SmtpSettings(
            host=exchanger.host, port=exchanger.smtp_port, ca_file=exchanger.certificate
        ),
    )
    composer = Composer(
        jinja2.FileSystemLoader(templates_folder()),
        mail,
        address_code=lambda alert_id: address_code_for(keyring, alert_id),
        return_secret=lambda: keyring.secret(KeyPurpose.RETURN_ADDRESS),
    )
    worker = AlertWorker(context, mail, composer, holder=f"sandbox:{os.getpid()}")
    sequencer = Sequencer(log_origin(context.origin), keyring.signer(KeyPurpose.LOG))
    clockwork = Clockwork(context, clock_settings(settings))
    follow_ups = FollowUp(context, follow_up_settings(settings))

    async def sequence() -> int:
        now = context.now()
        # Not `store.write`: its signal would wake the conductor for its own commit.
        return await context.store.writer.run(lambda connection: sequencer(connection, now))

    async def exchange() -> int:
        arrived = await context.store.read(
            lambda connection: exchanger.decide(
                context.now(), is_reported=lambda name: _is_alert(connection, name)
            )
        )
        return arrived + await exchanger.report(context.now(), port=bounce_port)

    work = (worker.run_once, exchange, follow_ups.run_once, sequence, clockwork.run_once)
    return Conductor(context, clock, exchanger, work), worker


def _is_alert(connection: Connection, message_id: str) -> bool:
    alert = message_id.strip("<> ").partition("@")[0]
    kind = connection.execute(select(_alert.c.kind).where(_alert.c.id == alert)).scalar()
    return kind is not None and AlertKind(kind) not in CODE_KINDS
