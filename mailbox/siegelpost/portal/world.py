"""What every handler of the portal is handed, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass

import jinja2
from starlette.requests import Request

from siegelpost.citizens.errors import ProofNeeded, SessionOver
from siegelpost.citizens.openpgp import Fetcher
from siegelpost.citizens.proofs import is_proved
from siegelpost.citizens.sessions import CitizenSession, session_of
from siegelpost.notices.readers import Reader
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.openpgp import OpenPgp
from siegelpost.portal import cookies
from siegelpost.portal.assets import Assets
from siegelpost.portal.settings import PortalSettings
from siegelpost.store.context import Context


@dataclass(frozen=True, kw_only=True)
class MailKeys:
    """What a portal needs to take citizens' OpenPGP keys."""

    #: reads keys; need not be opened
    engine: OpenPgp
    #: asks web key directories
    fetch: Fetcher


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
    #: where citizens may log in elsewhere, if anywhere
    oidc: RelyingParty | None = None
    #: reads citizens' OpenPGP keys, where the site encrypts alerts
    mail_keys: MailKeys | None = None
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


async def recently_authenticated(world: World, request: Request) -> CitizenSession:
    """Who is logged in and proved it again within ten minutes, by passphrase or passkey.

    For steps that change who can get in. SessionOver, or ProofNeeded: then scripts ask (`proof.js`)
    and come again. Use cases that write look again in their transaction
    (`siegelpost.citizens.proofs.need_proof`).
    """
    session = await logged_in(world, request)
    if not is_proved(session, world.context.now()):
        raise ProofNeeded("no proof of the login in the last minutes")
    return session


async def reader(world: World, request: Request) -> Reader:
    """The reader of notices that the session stands for; SessionOver if nobody is logged in."""
    session = await logged_in(world, request)
    return Reader(mailbox_id=session.mailbox)
