"""The mail side of a running service: alerts out, reports in, follow-up (DESIGN section 8)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from sqlalchemy import Connection

from siegelpost.alerts.compose import Composer
from siegelpost.alerts.dkim import DkimSigner, signer
from siegelpost.alerts.follow_up import FollowUp, FollowUpSettings
from siegelpost.alerts.openpgp_lane import OpenPgpLane
from siegelpost.alerts.settings import AlertSettings, SmtpSettings, TlsPolicy
from siegelpost.alerts.worker import AlertWorker
from siegelpost.bounces.server import BounceServer
from siegelpost.bounces.settings import BounceSettings
from siegelpost.keyring.errors import KeyMissingError
from siegelpost.keyring.protocol import KeyPurpose, Keyring
from siegelpost.openpgp import OpenPgp
from siegelpost.service.openpgp_refreshing import keep_openpgp_keys_fresh
from siegelpost.service.settings import MailPart, Settings
from siegelpost.service.wkd_fetcher import PublicFetcher
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.outbox import Lane, give_back, holders

#: A worker that runs until it is cancelled or stopped, with its name.
Worker = tuple[str, Callable[[], Coroutine[Any, Any, None]]]


class Mailing:
    """The workers of the mail side in one process."""

    def __init__(
        self, context: Context, settings: Settings, templates: Path, *, alerts: bool = True
    ) -> None:
        """Prepare; `alerts` False leaves out alerts and follow-up, port 0 the bounce server."""
        self._alerts: AlertWorker | None = None
        self._follow_up: FollowUp | None = None
        self._bounces: BounceServer | None = None
        self._lane: OpenPgpLane | None = None
        self._openpgp_alerts: AlertWorker | None = None
        self._refreshing: OpenPgp | None = None
        self._context = context
        if alerts:
            mail, keyring = alert_settings(settings), context.keyring
            composer = Composer(
                jinja2.FileSystemLoader(templates),
                mail,
                address_code=lambda alert_id: address_code_for(keyring, alert_id),
                return_secret=lambda: keyring.secret(KeyPurpose.RETURN_ADDRESS),
                dkim=lambda: dkim_signer(keyring, settings.mail),
            )
            holder = holder_of(os.getpid())
            if settings.mail.openpgp:
                engine = OpenPgp(settings.mail.openpgp_runtime)
                # An engine of its own: the lane's is used from one thread.
                self._refreshing = OpenPgp(settings.mail.openpgp_runtime)
                self._lane = OpenPgpLane(context, composer, engine)
                self._openpgp_alerts = self._lane.worker(mail, holder=holder)
            self._alerts = AlertWorker(
                context,
                mail,
                composer,
                holder=holder,
                lanes=tuple(Lane) if self._lane is None else (Lane.PLAIN,),
                elsewhere=None if self._lane is None else self._lane.takes,
            )
            self._follow_up = FollowUp(context, follow_up_settings(settings))
        if settings.bounces.port:
            self._bounces = BounceServer(context, bounce_settings(settings))

    async def start(self) -> list[Worker]:
        """Open the bounce server's port and return what has to run; raises OSError."""
        workers: list[Worker] = []
        if self._alerts is not None:
            await give_back_leases(self._context)
            workers.append(("alerts", self._alerts.run))
        if self._openpgp_alerts is not None:
            workers.append(("openpgp alerts", self._openpgp_alerts.run))
        if self._refreshing is not None:
            engine = self._refreshing
            refresh = partial(keep_openpgp_keys_fresh, self._context, engine, PublicFetcher())
            workers.append(("openpgp refresh", refresh))
        if self._follow_up is not None:
            workers.append(("follow-up", self._follow_up.run))
        if self._bounces is not None:
            await self._bounces.start()
            workers.append(("bounces", self._bounces.run))
        return workers

    def stop(self) -> None:
        """Begin nothing new; what is under way is recorded before the workers return."""
        if self._alerts is not None:
            self._alerts.stop()
        if self._openpgp_alerts is not None:
            self._openpgp_alerts.stop()
        if self._bounces is not None:
            self._bounces.stop()

    def close(self) -> None:
        """End gpg's agents and remove its home, when the workers have returned."""
        if self._lane is not None:
            self._lane.close()
        if self._refreshing is not None:
            self._refreshing.close()


def holder_of(process: int) -> str:
    """How a process of this host is named in leases."""
    return f"{socket.gethostname()}:{process}"


async def give_back_leases(context: Context) -> None:
    """End the leases of processes of this host that are gone: nobody else waits for them.

    Called before this process holds any: what bears its name is a predecessor's of the same id.
    """
    now = context.now()

    def work(connection: Connection) -> None:
        gone = {holder for holder in holders(connection) if _is_gone(holder)}
        if gone:
            give_back(connection, gone, now=now)

    with suppress(StoreUnavailable):  # they end by themselves later
        await context.store.write(work)


def _is_gone(holder: str) -> bool:
    process = holder.rpartition(":")[2]
    if not process.isdecimal() or holder != holder_of(int(process)):
        return False
    if int(process) == os.getpid():
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def dkim_signer(keyring: Keyring, mail: MailPart) -> DkimSigner | None:
    """Return who signs mails, or None if no domain is set or there are no keys."""
    if not mail.dkim_domains:
        return None
    private: list[bytes] = []
    for purpose in (KeyPurpose.DKIM_ED25519, KeyPurpose.DKIM_RSA):
        with suppress(KeyMissingError):
            private.append(keyring.private_key(purpose))
    if not private:
        return None
    return signer(tuple(private), tuple(mail.dkim_domains), mail.dkim_selector)


def alert_settings(settings: Settings) -> AlertSettings:
    """Translate the settings file's parts about mail."""
    mail = settings.mail
    password = mail.password_file.read_text().strip() if mail.password_file else None
    return AlertSettings(
        domain=mail.domain,
        bounce_domain=settings.bounces.domain,
        confirm_after=settings.follow_up.confirm_after,
        smtp=SmtpSettings(
            host=mail.host,
            port=mail.port,
            tls=TlsPolicy(mail.tls),
            ca_file=mail.ca_file,
            username=mail.username,
            password=password,
            connections=mail.connections,
        ),
    )


def follow_up_settings(settings: Settings) -> FollowUpSettings:
    """Translate the settings file's part about follow-up."""
    return FollowUpSettings(
        reminder_days=tuple(settings.follow_up.reminder_days),
        ask_after_days=settings.follow_up.ask_after_days or None,
    )


def bounce_settings(settings: Settings) -> BounceSettings:
    """Translate the settings file's part about reports."""
    bounces = settings.bounces
    return BounceSettings(
        domain=bounces.domain or settings.mail.domain,
        host=bounces.host,
        port=bounces.port,
        certificate_file=bounces.certificate_file,
        key_file=bounces.key_file,
        trusted_peers=tuple(bounces.trusted_peers),
        max_bytes=bounces.max_bytes,
        connections=bounces.connections,
        connections_per_peer=bounces.connections_per_peer,
        messages_per_minute=bounces.messages_per_minute,
        refusals_per_minute=bounces.refusals_per_minute,
    )
