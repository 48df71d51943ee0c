"""Reading request bodies: bounded in size and time, in memory only (DESIGN section 4, step 2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from siegelpost.api.problems import ApiProblem
from siegelpost.api.settings import ApiSettings


async def chunks(request: Request, settings: ApiSettings, *, limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises ApiProblem ``body-too-large`` as soon as the stated or the real size exceeds ``limit``
    bytes, ``request-timeout`` if the client pauses or takes too long; ClientDisconnect if it went.
    """
    stated = request.headers.get("content-length")
    if stated is not None and stated.isdecimal() and int(stated) > limit:
        raise ApiProblem("body-too-large", f"at most {limit} bytes", headers=_CLOSE)
    received = 0
    patience = _Patience(idle_seconds=settings.idle_seconds, body_seconds=settings.body_seconds)
    try:
        async with patience:
            async for chunk in request.stream():
                received += len(chunk)
                if received > limit:
                    raise ApiProblem("body-too-large", f"at most {limit} bytes", headers=_CLOSE)
                if chunk:
                    yield chunk
                patience.heard()
    except TimeoutError:
        raise ApiProblem("request-timeout", headers=_CLOSE) from None


async def read_small(request: Request, settings: ApiSettings) -> bytes:
    """Return a small body whole; errors as of ``chunks``."""
    body = bytearray()
    async for chunk in chunks(request, settings, limit=settings.small_body_bytes):
        body += chunk
    return bytes(body)


class _Patience:
    """A timeout that moves on with every chunk, for the price of one timer.

    `asyncio.timeout` sets a new timer at every turn; here the one that is set looks, when it goes
    off, whether anything came meanwhile, and sets the next.
    """

    def __init__(self, *, idle_seconds: float, body_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._end = self._heard_at + body_seconds
        self._timeout = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """Something came: the pause begins anew."""
        self._heard_at = self._loop.time()

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._look()

    async def __aexit__(self, *error: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Turns its own cancellation into TimeoutError, and swallows nothing.
        await self._timeout.__aexit__(*error)

    def _look(self) -> None:
        until = min(self._heard_at + self._idle_seconds, self._end)
        if self._loop.time() >= until:
            self._timer = None
            self._timeout.reschedule(until)
        else:
            self._timer = self._loop.call_at(until, self._look)


# What is still under way of the body must not be taken for the next request.
_CLOSE = {"Connection": "close"}
