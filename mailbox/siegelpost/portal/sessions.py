"""How long the session still lasts, and staying logged in (WCAG 2.2, 2.2.1)."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.errors import SessionOver
from siegelpost.citizens.sessions import CitizenSession, extend_session, session_of
from siegelpost.portal import cookies
from siegelpost.portal.forms import NothingBody, read_json
from siegelpost.portal.world import World, logged_in


async def time_left(world: World, request: Request) -> Response:
    """``GET /session``: the seconds that are left; asking does not extend them."""
    cookie = cookies.read(request, cookies.SESSION)
    if cookie is None:
        raise SessionOver("no session cookie")
    session = await session_of(world.context, cookie, touch=False)
    ends_at = min(session.idle_ends_at, session.expires_at)
    return JSONResponse(_left(session, ends_at, world.context.now()))


async def extend(world: World, request: Request) -> Response:
    """``POST /session/extend``: somebody is still there."""
    await read_json(world, request, NothingBody)
    session = await logged_in(world, request)
    ends_at = await extend_session(world.context, session)
    return JSONResponse(_left(session, ends_at, world.context.now()))


def _left(session: CitizenSession, ends_at: datetime, now: datetime) -> dict[str, int]:
    return {
        "seconds": max(0, int((ends_at - now).total_seconds())),
        "seconds_at_most": max(0, int((session.expires_at - now).total_seconds())),
    }
