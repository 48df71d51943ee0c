"""Keeps house: every hour deletes sessions, activations and counted tries whose time is over."""

from __future__ import annotations

import asyncio

import structlog

from siegelpost.citizens.housekeeping import sweep
from siegelpost.staff.housekeeping import sweep as sweep_staff
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

#: Time between two sweeps, in seconds.
SWEEP_SECONDS = 3600.0

_log = structlog.get_logger("siegelpost.housekeeping")


async def keep_house(context: Context, *, seconds: float = SWEEP_SECONDS) -> None:
    """Sweep at once and then every ``seconds`` until cancelled; a failure waits for the next."""
    while True:
        try:
            _log.debug("swept", rows=await sweep(context) + await sweep_staff(context))
        except StoreError as error:
            _log.warning("sweeping failed", error=type(error).__name__)
        await asyncio.sleep(seconds)
