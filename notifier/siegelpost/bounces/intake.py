"""Taking in what comes to return addresses: plain functions over bytes, without any SMTP.

DESIGN section 4.6: check the address, read the message, seal it, record what follows, and say yes
only once all of it is durable. While that cannot be done the answer is "later" (451), so that the
sender's queue keeps the message.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass

from siegelpost.alerts.errors import OddTransition
from siegelpost.bounces.dsn import parse_dsn
from siegelpost.bounces.errors import BounceError
from siegelpost.bounces.recording import Effect, ReportRecorder
from siegelpost.bounces.report_events import Message, Origin
from siegelpost.bounces.settings import BounceSettings
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.sealing.errors import SealingError
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict, StoreError
from siegelpost.store.return_addresses import (
    ReturnAddress,
    ReturnAddressError,
    check_return_address,
)

_log = logging.getLogger(__name__)

#: Messages from this size on are read in another thread.
_LARGE = 64 * 1024
#: Tries when other events of the same notice were faster.
_TRIES = 8


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer in the terms of SMTP."""

    #: 2xx, 4xx or 5xx
    code: int
    #: enhanced status code and words, ASCII
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


BUSY = Reply(code=451, text="4.3.0 cannot be recorded now, try again later")
TAKEN = Reply(code=250, text="2.0.0 recorded")


class Intake:
    """Takes messages for one service."""

    def __init__(self, context: Context, settings: BounceSettings) -> None:
        """Use the keys, the clock and the store of `context`."""
        self._context = context
        self._settings = settings
        self._recorder = ReportRecorder(
            context.keyring,
            entropy=context.entropy,
            most=settings.reports_per_alert,
            trusted=settings.trusts,
        )

    def check(self, address: str) -> ReturnAddress | Reply:
        """Return what a recipient's address says, or the refusal; asks no database."""
        try:
            return check_return_address(
                address,
                self._context.keyring.secrets(KeyPurpose.RETURN_ADDRESS),
                domain=self._settings.domain,
                now=self._context.now(),
            )
        except ReturnAddressError as error:
            return Reply(code=550, text=f"5.1.1 {error}")
        except KeyringError as error:
            _log.error("no return address can be checked", extra={"error": type(error).__name__})
            return BUSY

    async def take(self, raw: bytes, to: ReturnAddress, origin: Origin) -> Reply:
        """Take one message to an address that `check` found right; returns once it is durable."""
        try:
            effect = await self._record(raw, to, origin)
        except BounceError as error:
            return Reply(code=550, text=f"5.7.1 {error}")
        except (StoreError, OddTransition, KeyringError, SealingError) as error:
            # OddTransition: a worker is about to record this alert's attempt; the news comes again.
            _log.warning("report not recorded", extra={"error": type(error).__name__})
            return BUSY
        _log.info("report recorded", extra={"effect": effect.value, "alert": to.alert})
        return TAKEN

    async def _record(self, raw: bytes, to: ReturnAddress, origin: Origin) -> Effect:
        store, now = self._context.store, self._context.now()
        parsing = asyncio.to_thread(parse_dsn, raw) if len(raw) > _LARGE else None
        report = parse_dsn(raw) if parsing is None else await parsing
        message = Message(
            id=new_id(now, self._context.entropy(ID_RANDOM)),
            alert=to.alert,
            report=report,
            raw=raw,
            digest=hashlib.sha256(raw).digest(),
            origin=origin,
            received_at=now,
            envelope_id=to.token,
        )
        record, brief = self._recorder.record, len(raw) <= _LARGE
        for _ in range(_TRIES - 1):
            try:
                return await store.write_bulk(record, message, brief=brief)
            except Conflict:
                await asyncio.sleep(0.01)
        return await store.write_bulk(record, message, brief=brief)
