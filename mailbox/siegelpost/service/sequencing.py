"""Keeps the log moving: sequences whatever was committed, at the latest after a second."""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog

from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import BATCH_LIMIT, Sequencer

#: Least time between two checkpoints, in seconds: gathers events under one signature.
REST_SECONDS = 0.25
#: Longest time between looks, in seconds, for events that other processes record.
POLL_SECONDS = 1.0

_log = structlog.get_logger("siegelpost.sequencer")


async def keep_sequencing(context: Context) -> None:
    """Run until cancelled; a database or token that is away delays the log and breaks nothing."""
    sequencer = Sequencer(log_origin(context.origin), context.keyring.signer(KeyPurpose.LOG))
    while True:
        try:
            if not context.keyring.answers_at_once:
                # Better here than in the transaction, which others would wait for.
                await asyncio.to_thread(context.keyring.ready)
            sequencer.signer = context.keyring.signer(KeyPurpose.LOG)
            count = await sequence_now(context, sequencer)
        except (StoreError, KeyringError) as error:
            # What keyrings say names files and tokens; what databases say may quote rows.
            reason = {"reason": str(error)} if isinstance(error, KeyringError) else {}
            _log.warning("sequencing failed", error=type(error).__name__, **reason)
            count = 0
        await asyncio.sleep(REST_SECONDS)
        if count < BATCH_LIMIT:
            await context.store.events_recorded.wait(POLL_SECONDS)


async def sequence_now(context: Context, sequencer: Sequencer) -> int:
    """Sequence one batch; return how many events it held."""
    started = perf_counter()
    now = context.now()
    # Not `store.write`: its signal would wake this loop for its own commit.
    count = await context.store.writer.run(lambda connection: sequencer(connection, now))
    if count:
        _log.debug("sequenced", events=count, seconds=round(perf_counter() - started, 4))
    return count
