"""What every handler of the portal is handed, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass

import jinja2
from starlette.requests import Request

from siegelpost.citizens.errors import SessionOver
from siegelpost.citizens.sessions import CitizenSession, session_of
from siegelpost.notices.readers import Reader
from siegelpost.portal import cookies
from siegelpost.portal.assets import Assets
from siegelpost.portal.settings import PortalSettings
from siegelpost.store.context import Context


@dataclass(frozen=True, kw_only=True)
class World:
    """The injected parts of one running portal."""

    #: store, clock, keys and dice
    context: Context
    #: how it presents itself
    settings: PortalSettings
    #: renders pages
    templates: jinja2.Environment
    #: static files
    assets: Assets
    #: cookies of which form tokens are made
    holders: tuple[str, ...] = (cookies.SESSION, cookies.VISIT)


class RequestRefused(Exception):
    """A request is refused before any use case; ``code`` is one of ``problems.KINDS``."""

    def __init__(self, code: str) -> None:
        """Name the code."""
        super().__init__(code)
        #: key of ``problems.KINDS``
        self.code = code


async def session_if_any(world: World, request: Request) -> CitizenSession | None:
    """Who is logged in, or None."""
    try:
        return await logged_in(world, request)
    except SessionOver:
        return None


async def logged_in(world: World, request: Request) -> CitizenSession:
    """Who is logged in; SessionOver if nobody."""
    cookie = cookies.read(request, cookies.SESSION)
    if cookie is None:
        raise SessionOver("no session cookie")
    return await session_of(world.context, cookie)


async def reader(world: World, request: Request) -> Reader:
    """The reader of notices that the session stands for; SessionOver if nobody is logged in."""
    session = await logged_in(world, request)
    return Reader(mailbox_id=session.mailbox)
