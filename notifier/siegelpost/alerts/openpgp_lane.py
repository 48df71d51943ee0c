"""The OpenPGP lane: which alerts take it, and how their mails are written in its one thread.

DESIGN section 5: gpg costs a process per operation, so these alerts have a worker of their own
and never slow the plain ones. Everything waits in the same outbox, in the same order.
Codes that confirm an address stay plain: they are waited for, and there is no key yet.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from siegelpost.alerts.compose import Composer, Mail, Protected
from siegelpost.alerts.openpgp import Protector, RecipientKey
from siegelpost.alerts.settings import AlertSettings
from siegelpost.alerts.worker import AlertWorker
from siegelpost.keyring.errors import KeyMissingError, KeyringError
from siegelpost.keyring.protocol import KeyPurpose, Keyring
from siegelpost.openpgp import AgencyKey, OpenPgp, OpenPgpError
from siegelpost.store.context import Context
from siegelpost.store.openpgp_keys import key_of_alert
from siegelpost.store.outbox import CODE_KINDS, ClaimedAlert, Lane

#: Alerts in work at once: one at gpg, the others on the wire.
CONCURRENCY = 4


class OpenPgpLane:
    """Writes the mails of the lane. `close` it, or an agent stays behind."""

    def __init__(self, context: Context, composer: Composer, engine: OpenPgp) -> None:
        """Use `engine` from one thread; it is opened at first need."""
        self._context = context
        self._composer = composer
        self._engine = engine
        self._protector = Protector(engine)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="siegelpost-openpgp")

    def takes(self, alert: ClaimedAlert) -> bool:
        """Whether `alert` is to be encrypted or signed."""
        if alert.kind in CODE_KINDS:
            return False
        return alert.openpgp_key_id is not None or has_key(self._context.keyring, alert.agency)

    async def write(self, alert: ClaimedAlert, now: datetime) -> Mail:
        """Write the mail of `alert`; raises what `Composer.compose` raises, and nothing of gpg."""
        recipient = await self._recipient(alert.openpgp_key_id)
        key = agency_key(self._context.keyring, alert.agency)

        def protect(entity: bytes) -> Protected:
            return self._protector.protect(entity, recipient=recipient, agency_key=key, now=now)

        def compose() -> Mail:
            wanted = recipient is not None or key is not None
            return self._composer.compose(alert, now=now, protect=protect if wanted else None)

        return await asyncio.get_running_loop().run_in_executor(self._thread, compose)

    def worker(self, settings: AlertSettings, *, holder: str) -> AlertWorker:
        """Return the worker of this lane."""
        few = min(CONCURRENCY, settings.concurrency)
        return AlertWorker(
            self._context,
            replace(settings, concurrency=few),
            self._composer,
            holder=f"{holder}:openpgp",
            lanes=(Lane.OPENPGP,),
            write=self.write,
        )

    def close(self) -> None:
        """End thread, agents and home."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._engine.close()

    async def _recipient(self, key: str | None) -> RecipientKey | None:
        if key is None:
            return None
        stored = await self._context.store.read(lambda connection: key_of_alert(connection, key))
        if stored is None:
            return None
        return RecipientKey(
            fingerprint=stored.fingerprint,
            armored=stored.public_key,
            expires_at=stored.expires_at,
        )


def has_key(keyring: Keyring, agency: str | None) -> bool:
    """Whether an agency signs its alerts."""
    if agency is None:
        return False
    try:
        keyring.private_key(KeyPurpose.OPENPGP, agency)
    except KeyMissingError:
        return False
    return True


def agency_key(keyring: Keyring, agency: str | None) -> AgencyKey | None:
    """Return the key that an agency signs with, if it has one that can be read."""
    if agency is None:
        return None
    try:
        return _decoded(keyring.private_key(KeyPurpose.OPENPGP, agency))
    except (KeyringError, OpenPgpError):
        return None


@lru_cache(maxsize=256)
def _decoded(data: bytes) -> AgencyKey:
    return AgencyKey.decode(data)
