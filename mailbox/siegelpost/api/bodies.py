"""Reading request bodies: bounded in size and time, in memory only (DESIGN section 4, step 2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

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
    now = asyncio.get_running_loop().time
    end = now() + settings.body_seconds
    received = 0
    try:
        async with asyncio.timeout(settings.idle_seconds) as pause:
            async for chunk in request.stream():
                received += len(chunk)
                if received > limit:
                    raise ApiProblem("body-too-large", f"at most {limit} bytes", headers=_CLOSE)
                if chunk:
                    yield chunk
                pause.reschedule(min(now() + settings.idle_seconds, end))
    except TimeoutError:
        raise ApiProblem("request-timeout", headers=_CLOSE) from None


async def read_small(request: Request, settings: ApiSettings) -> bytes:
    """Return a small body whole; errors as of ``chunks``."""
    body = bytearray()
    async for chunk in chunks(request, settings, limit=settings.small_body_bytes):
        body += chunk
    return bytes(body)


# What is still under way of the body must not be taken for the next request.
_CLOSE = {"Connection": "close"}
