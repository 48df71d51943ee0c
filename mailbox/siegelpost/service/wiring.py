"""Builds the running parts out of the settings (DESIGN section 11).

One HTTP port serves the agencies' API, the public log, the citizens' portal and the console of
staff; beside it run the sequencer, the mail side, and the askers of witnesses and timestamp
authorities, in one event loop.
"""

from __future__ import annotations

import asyncio
import ctypes
import resource
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import structlog

from siegelpost.api.app import create_api
from siegelpost.api.sandbox import SandboxClock
from siegelpost.api.settings import ApiSettings
from siegelpost.citizens.paths import templates_folder
from siegelpost.console.app import create_console, is_console
from siegelpost.notices.clockwork import Clockwork
from siegelpost.openpgp import OpenPgp
from siegelpost.portal.app import create_portal
from siegelpost.portal.settings import PortalSettings
from siegelpost.portal.world import MailKeys
from siegelpost.service.administration import open_keyring
from siegelpost.service.court_sealing import manifest_sealer
from siegelpost.service.housekeeping import keep_house
from siegelpost.service.key_watch import keep_keys_fresh
from siegelpost.service.mailing import Mailing, Worker
from siegelpost.service.object_storage import (
    check_reachable_blobs,
    keep_objects_swept,
    open_objects,
)
from siegelpost.service.outsiders import (
    timestamp_authorities,
    whole_trust_file,
    witness_policy,
)
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.service.publishing import publish_assets
from siegelpost.service.sandbox.mode import claim_database
from siegelpost.service.sandbox.running import clock_settings, running_sandbox
from siegelpost.service.sequencing import keep_sequencing
from siegelpost.service.settings import Settings
from siegelpost.service.single_sign_on import oidc_settings
from siegelpost.service.timestamping import keep_timestamping
from siegelpost.service.witnessing import keep_witnessing
from siegelpost.service.wkd_fetcher import PublicFetcher
from siegelpost.store.clock import Clock, SystemClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.entropy import PooledEntropy
from siegelpost.store.migrate import check_schema
from siegelpost.store.store import Store

#: An ASGI application.
Application = Callable[..., Coroutine[Any, Any, None]]

_API_PATHS = (
    *("/v1/", "/oauth/", "/log/", "/openapi.json", "/livez", "/readyz", "/metrics"),
    "/.well-known/openpgpkey/",
)
_log = structlog.get_logger("siegelpost.service")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a running service consists of."""

    #: use cases' world
    context: Context
    #: serves everything over HTTP
    application: Application


@asynccontextmanager
async def running_parts(
    settings: Settings,
    *,
    clock: Clock | None = None,
    workers: bool = True,
    alerts: bool = True,
) -> AsyncIterator[Parts]:
    """Open the store and run the workers for the length of the block.

    Without ``workers`` for a process that only takes requests: another one does the rest.
    Raises SchemaOutdated, KeyringError, StoreUnavailable, or OSError for a port that is taken,
    before anything has started.
    """
    database = Database(settings.database.url)
    check_schema(database)
    claim_database(database, settings.origin, now=datetime.now(UTC))
    check_reachable_blobs(database, settings.blobs)
    keyring = open_keyring(settings)
    keyring.ready()  # a token that is missing, or refuses its PIN, is better known now
    objects = open_objects(settings.blobs)
    templates = templates_folder()
    if settings.sandbox.enabled:
        async with running_sandbox(settings, database, keyring) as (context, conductor):
            served = application(context, settings, templates, sandbox=conductor)
            await publish_assets(context)
            yield Parts(context=context, application=served)
        return
    store = Store(
        database, readers=settings.database.readers, group_limit=settings.database.group_limit
    )
    context = Context(
        store=store,
        clock=clock or SystemClock(),
        keyring=keyring,
        entropy=PooledEntropy(),
        origin=settings.origin,
        policy=witness_policy(settings),
        pdf_seal=pdf_sealer(keyring, timestamp_authorities(settings), settings.seal.pin_file),
        manifest_seal=manifest_sealer(keyring, settings.seal.pin_file),
        trust_file=lambda: whole_trust_file(settings, keyring),
        objects=objects,
    )
    mailing: Mailing | None = None
    # Keys change while the service runs, in every process.
    runs: list[Worker] = [("keys", lambda: keep_keys_fresh(keyring))]
    if workers:
        mailing = Mailing(context, settings, templates, alerts=alerts)
        runs += [*_evidence_workers(context, settings), *await mailing.start()]
        runs.append(("housekeeping", lambda: keep_house(context)))
        if objects is not None and (hours := settings.blobs.sweep_after_hours):
            runs.append(("objects", lambda: keep_objects_swept(store, objects, hours=hours)))
        runs.append(("clock", Clockwork(context, clock_settings(settings)).run))
    tasks = [asyncio.create_task(_kept_alive(name, run)) for name, run in runs]
    try:
        await publish_assets(context)
        yield Parts(context=context, application=application(context, settings, templates))
    finally:
        if mailing is not None:
            mailing.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if mailing is not None:
            await asyncio.to_thread(mailing.close)
        store.close()


def _evidence_workers(context: Context, settings: Settings) -> list[Worker]:
    found: list[Worker] = [("sequencer", lambda: keep_sequencing(context))]
    if any(witness.url for witness in context.policy.witnesses):
        found.append(("witnesses", lambda: keep_witnessing(context)))
    authorities = timestamp_authorities(settings)
    if authorities:
        interval = settings.timestamps.interval_seconds
        found.append(("timestamps", lambda: keep_timestamping(context, authorities, interval)))
    return found


def application(
    context: Context,
    settings: Settings,
    templates: Path,
    *,
    sandbox: SandboxClock | None = None,
) -> Application:
    """Return the one ASGI application: API and console have their paths, all others the portal."""
    api = create_api(
        context,
        ApiSettings(
            base_url=settings.http.public_url.rstrip("/"),
            portal_url=settings.http.public_url,
            managed_mailboxes=settings.portal.managed_mailboxes,
        ),
        sandbox=sandbox,
    )
    pages = PortalSettings(
        public_url=settings.http.public_url,
        service_name=settings.portal.service_name,
        official_header=settings.portal.official_header,
        managed_mailboxes=settings.portal.managed_mailboxes,
        imprint_url=settings.portal.imprint_url,
        accessibility_email=settings.portal.accessibility_email,
        accessibility_phone=settings.portal.accessibility_phone,
        arbitration_name=settings.portal.arbitration_name,
        arbitration_url=settings.portal.arbitration_url,
        privacy_url=settings.portal.privacy_url,
        oidc=oidc_settings(
            settings.citizens_oidc,
            name="portal",
            redirect_uri=settings.http.public_url.rstrip("/") + "/login/oidc/back",
        ),
        oidc_label=settings.citizens_oidc.label,
    )
    portal = create_portal(context, _environment(templates), pages, mail_keys=_mail_keys(settings))
    console = create_console(
        context,
        _environment(templates),
        replace(
            pages,
            oidc=oidc_settings(
                settings.staff_oidc,
                name="console",
                redirect_uri=settings.http.public_url.rstrip("/") + "/console/login/oidc/back",
            ),
            oidc_label=settings.staff_oidc.label,
        ),
        trust=lambda: whole_trust_file(settings, context.keyring),
    )

    async def route(scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        door = portal
        if path.startswith(_API_PATHS):
            door = api
        elif is_console(path):
            door = console
        await door(scope, receive, send)

    return route


def _mail_keys(settings: Settings) -> MailKeys | None:
    """What citizens' OpenPGP keys are read with; never opened, so that there is nothing to end."""
    if not settings.mail.openpgp:
        return None
    return MailKeys(engine=OpenPgp(settings.mail.openpgp_runtime), fetch=PublicFetcher())


def _environment(templates: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        # Else each page would look at its files; new ones come with a restart.
        auto_reload=False,
        undefined=jinja2.StrictUndefined,
    )


async def _kept_alive(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a worker for ever: one that fails is logged and started again after a moment."""
    while True:
        try:
            await run()
            return
        except Exception:
            _log.exception("worker failed", worker=name)
            await asyncio.sleep(1)


def forbid_core_dumps() -> None:
    """Keep plaintext in memory from reaching a disk by a crash or another process's debugger."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        pr_set_dumpable = 4
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_dumpable, 0, 0, 0, 0)
