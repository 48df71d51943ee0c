"""Fetches RFC 3161 timestamps: one for the newest checkpoint, from the first authority that can.

A token is verified against the authority's configured certificates before it is kept.
Between two tokens at least the configured interval passes: one token dates every event before it,
so a busy log needs no more of them than a quiet one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import structlog
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
from sqlalchemy import Connection

from siegelpost.evidence.timestamps import (
    MAX_TOKEN,
    TimestampAuthority,
    TimestampError,
    VerifiedToken,
    timestamped_message,
    token_of_response,
    verify_token,
)
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError
from siegelpost.store.timestamps import keep_timestamp, undated_head

#: Time to the next attempt after no authority answered, in seconds; doubles up to `MOST_SECONDS`.
RETRY_SECONDS = 5.0
MOST_SECONDS = 600.0
_TIMEOUT_SECONDS = 20.0
#: How far an authority's clock may be from ours before its token is refused.
CLOCK_LIMIT = timedelta(minutes=10)

_log = structlog.get_logger("siegelpost.timestamping")


@dataclass(frozen=True, kw_only=True)
class ReachableAuthority:
    """An authority and where it answers."""

    url: str
    authority: TimestampAuthority


class NoAuthority(Exception):
    """None of the authorities gave a good token; says of each why."""


async def keep_timestamping(
    context: Context, authorities: Sequence[ReachableAuthority], interval_seconds: float
) -> None:
    """Run until cancelled."""
    failures = 0
    async with httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS) as http:
        while True:
            try:
                size = await date_head(context, http, authorities)
                if size is not None:
                    _log.debug("timestamped", size=size)
                failures, pause = 0, interval_seconds
            except (NoAuthority, StoreError) as error:
                failures, pause = failures + 1, min(RETRY_SECONDS * 2**failures, MOST_SECONDS)
                _log.warning("no timestamp", reason=str(error), again_in_seconds=pause)
            await asyncio.sleep(pause)


async def date_head(
    context: Context, http: httpx2.AsyncClient, authorities: Sequence[ReachableAuthority]
) -> int | None:
    """Timestamp the newest checkpoint; return its size, or None if it has one.

    Raises NoAuthority, and StoreError if the database is away.
    """
    head = await context.store.read(undated_head)
    if head is None:
        return None
    token, verified = await fetch_token(http, authorities, timestamped_message(head.note), context)

    def keep(connection: Connection) -> None:
        keep_timestamp(
            connection,
            head.size,
            token,
            verified,
            now=context.now(),
            entropy=context.entropy,
        )

    await context.store.writer.run(keep)
    return int(head.size)


async def fetch_token(
    http: httpx2.AsyncClient,
    authorities: Sequence[ReachableAuthority],
    message: bytes,
    context: Context,
) -> tuple[bytes, VerifiedToken]:
    """Return a verified token over ``message``; raises NoAuthority.

    The first authority that answers well wins: the others are the fall-back.
    """
    reasons = []
    for reachable in authorities:
        try:
            return await _fetch(http, reachable, message, context)
        except (TimestampError, httpx2.HTTPError) as error:
            reason = str(error) or type(error).__name__
            reasons.append(f"{reachable.authority.name}: {reason[:300]}")
    raise NoAuthority("; ".join(reasons) or "none is configured")


async def _fetch(
    http: httpx2.AsyncClient, reachable: ReachableAuthority, message: bytes, context: Context
) -> tuple[bytes, VerifiedToken]:
    builder = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA512)
    response = await http.post(
        reachable.url,
        content=builder.build().as_bytes(),
        headers={"Content-Type": "application/timestamp-query"},
    )
    if response.status_code != 200 or len(response.content) > MAX_TOKEN:
        raise TimestampError(f"status {response.status_code}, {len(response.content)} bytes")
    # The nonce need not be compared: a token of another time is refused just below, and an older
    # one over the same message would be as good.
    token = token_of_response(response.content)
    verified = verify_token(token, message, [reachable.authority])
    if abs(verified.at - context.now()) > CLOCK_LIMIT:
        raise TimestampError(f"its clock says {verified.at.isoformat()}")
    return token, verified
