"""What every handler of the console is handed, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from siegelpost.citizens.errors import SessionOver
from siegelpost.citizens.webauthn_checks import RelyingParty
from siegelpost.portal import cookies
from siegelpost.portal.world import World
from siegelpost.staff.exports import ExportKind, Maker
from siegelpost.staff.makers import available
from siegelpost.staff.roles import Member
from siegelpost.staff.sessions import member_of

#: Which member of staff is logged in; citizens' sessions have a cookie of their own.
CONSOLE = "__Host-console"


@dataclass(frozen=True, kw_only=True)
class ConsoleWorld(World):
    """The injected parts of one running console."""

    holders: tuple[str, ...] = (CONSOLE, cookies.VISIT)
    #: the trust file by which uploaded receipts are verified
    trust: Callable[[], bytes]

    @property
    def makers(self) -> Mapping[ExportKind, Maker]:
        """What can be exported with addresses."""
        return available(self.context)

    @property
    def party(self) -> RelyingParty:
        """Who we are towards authenticators: the portal's host, as both share one."""
        return RelyingParty(id=self.settings.passkey_host, origins=self.settings.origins)


async def logged_in(world: ConsoleWorld, request: Request) -> Member:
    """Who is logged in; SessionOver if nobody."""
    cookie = cookies.read(request, CONSOLE)
    if cookie is None:
        raise SessionOver("no console cookie")
    return await member_of(world.context, cookie)


async def member_if_any(world: ConsoleWorld, request: Request) -> Member | None:
    """Who is logged in, or None."""
    try:
        return await logged_in(world, request)
    except SessionOver:
        return None
