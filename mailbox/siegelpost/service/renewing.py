"""``siegelpost renew``: re-timestamps tokens before their authority's certificate or hash ages.

Many old tokens are renewed by one new one (``siegelpost.evidence.renewal``), a batch a
transaction: whenever it is stopped, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import httpx2

from siegelpost.service.timestamping import ReachableAuthority, fetch_token
from siegelpost.store.context import Context
from siegelpost.store.timestamps import due_renewals, keep_renewal

#: Tokens under one renewal; its leaves are 64 bytes each.
BATCH = 4096


class RenewalTooShort(Exception):
    """The authority's own certificate ends before the day that the renewal is for."""


async def renew(
    context: Context,
    authorities: Sequence[ReachableAuthority],
    *,
    ending_before: datetime,
    old_hashes: Sequence[str] = (),
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Renew whatever ends before that moment or rests on ``old_hashes``; return how many.

    Raises NoAuthority, RenewalTooShort and StoreError; batches that are done stay done.
    """
    started_at, done = context.now(), 0
    async with httpx2.AsyncClient(timeout=30) as http:
        while True:
            due = await context.store.read(
                lambda connection: due_renewals(
                    connection,
                    ending_before=ending_before,
                    old_hashes=old_hashes,
                    started_at=started_at,
                    limit=batch,
                )
            )
            if due is None:
                return done
            token, verified = await fetch_token(http, authorities, due.root, context)
            if verified.expires_at < ending_before:
                raise RenewalTooShort(
                    f"the certificate of {verified.authority} ends"
                    f" {verified.expires_at.date()}: name another authority first"
                )

            keep = partial(
                keep_renewal,
                due=due,
                token=token,
                verified=verified,
                now=context.now(),
                entropy=context.entropy,
            )
            await context.store.writer.run(keep)
            done += len(due.ids)
            progress(done)
