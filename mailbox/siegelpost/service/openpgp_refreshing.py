"""Looks again for citizens' OpenPGP keys in their directories, a few each hour."""

from __future__ import annotations

import asyncio

import structlog

from siegelpost.citizens.openpgp import Fetcher, OpenPgpUnavailable
from siegelpost.citizens.openpgp_refresh import refresh_keys
from siegelpost.openpgp import OpenPgp
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

#: Pause between two steps, in seconds.
STEP_SECONDS = 3600.0

_log = structlog.get_logger("siegelpost.openpgp")


async def keep_openpgp_keys_fresh(
    context: Context, engine: OpenPgp, fetch: Fetcher, *, seconds: float = STEP_SECONDS
) -> None:
    """Run until cancelled; what cannot be done now waits for the next step."""
    while True:
        try:
            done = await refresh_keys(context, engine, fetch)
            if done.seen:
                _log.info("openpgp keys looked at", **vars(done))
        except (OpenPgpUnavailable, StoreError) as error:
            _log.warning("openpgp keys not looked at", error=type(error).__name__)
        await asyncio.sleep(seconds)
