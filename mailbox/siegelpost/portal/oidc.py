"""Login with an account elsewhere, and linking one (DESIGN section 6): it never unlocks.

The browser comes back by GET with the provider's answer in the address. That page changes nothing:
its script posts the answer here, with form token and `SameSite=Strict` cookies, which a request
that began at another site would lack.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.oidc_links import link_account, log_in_by_account, unlink_accounts
from siegelpost.oidc.errors import AnswerRefused
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.portal import cookies
from siegelpost.portal.forms import Body, NothingBody, Text, read_json
from siegelpost.portal.login import device, opened
from siegelpost.portal.pages import page, safe_next
from siegelpost.portal.world import RequestRefused, World, recently_authenticated

_LOGIN, _LINK = "login ", "link "


class BeginBody(Body):
    """Where the login leads."""

    next: Text | None = None


class AnswerBody(Body):
    """The provider's answer, as the browser brought it."""

    state: Text
    code: Text | None = None
    iss: Text | None = None
    error: Text | None = None


async def begin(world: World, request: Request) -> Response:
    """``POST /login/oidc/begin``: where to log in."""
    body = await read_json(world, request, BeginBody)
    target = safe_next(body.next) or "/inbox"
    # A longer path is forgotten, not refused.
    note = _LOGIN + (target if len(target) <= 50 else "/inbox")
    return await _begin(world, note)


async def begin_link(world: World, request: Request) -> Response:
    """``POST /account/oidc/begin``: likewise, to link the account afterwards."""
    await read_json(world, request, NothingBody)
    session = await recently_authenticated(world, request)
    return await _begin(world, _LINK + session.digest[:16].hex())


async def back(world: World, request: Request) -> Response:
    """``GET /login/oidc/back``: the page that posts the answer."""
    _party(world)
    return await page(world, request, "oidc")


async def finish(world: World, request: Request) -> Response:
    """``POST /login/oidc``: log in, or link; tells where to go on."""
    body = await read_json(world, request, AnswerBody)
    answer = {name: value for name, value in body.model_dump().items() if value is not None}
    done = await _party(world).finish(cookie=cookies.read(request, cookies.OIDC), answer=answer)
    identity = done.identity
    if done.note.startswith(_LINK):
        session = await recently_authenticated(world, request)
        if done.note != _LINK + session.digest[:16].hex():
            raise AnswerRefused("linking was begun in another session")
        await link_account(world.context, session, issuer=identity.issuer, subject=identity.subject)
        response: Response = JSONResponse({"next": "/account#oidc-title"})
    else:
        logged_in = await log_in_by_account(
            world.context,
            issuer=identity.issuer,
            subject=identity.subject,
            device=device(request),
            old_cookie=cookies.read(request, cookies.SESSION),
        )
        target = safe_next(done.note.removeprefix(_LOGIN)) or "/inbox"
        response = await opened(world, request, logged_in, next=target)
    cookies.drop(response, cookies.OIDC)
    return response


async def unlink(world: World, request: Request) -> Response:
    """``POST /account/oidc/remove``: no account elsewhere logs in any more."""
    await read_json(world, request, NothingBody)
    session = await recently_authenticated(world, request)
    await unlink_accounts(world.context, session)
    return JSONResponse({})


async def _begin(world: World, note: str) -> Response:
    begun = await _party(world).begin(note=note)
    response = JSONResponse({"location": begun.location})
    cookies.put(response, cookies.OIDC, begun.cookie)
    return response


def _party(world: World) -> RelyingParty:
    if world.oidc is None:
        raise RequestRefused("not-found")
    return world.oidc
