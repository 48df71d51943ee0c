"""Login and invitation by the agency's own single sign-on, where the settings name one.

As in the portal, the browser comes back by GET, and that page's script posts the answer here, with
form token and strict cookies.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.codes import normal_code
from siegelpost.citizens.errors import InputInvalid
from siegelpost.console.login import opened
from siegelpost.console.pages import page
from siegelpost.console.world import CONSOLE, ConsoleWorld
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.portal import cookies
from siegelpost.portal.forms import Body, Text, read_json
from siegelpost.portal.oidc import AnswerBody
from siegelpost.portal.world import RequestRefused
from siegelpost.staff.elsewhere import accept_invitation_elsewhere, log_in_elsewhere
from siegelpost.staff.errors import InvitationRefused

#: What `begin` notes for an invitation; the code follows.
_INVITED = "invited "


class BeginBody(Body):
    """With an invitation's code, or without."""

    code: Text | None = None


async def begin(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/login/oidc/begin``: where to log in."""
    body = await read_json(world, request, BeginBody)
    note = ""
    if body.code is not None:
        try:
            note = _INVITED + normal_code(body.code)
        except InputInvalid:
            raise InvitationRefused("no code") from None
    begun = await _party(world).begin(note=note)
    response = JSONResponse({"location": begun.location})
    cookies.put(response, cookies.OIDC, begun.cookie)
    return response


async def back(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/login/oidc/back``: the page that posts the answer."""
    _party(world)
    return await page(world, request, "oidc")


async def finish(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/login/oidc``: log in, or use up the invitation."""
    body = await read_json(world, request, AnswerBody)
    answer = {name: value for name, value in body.model_dump().items() if value is not None}
    done = await _party(world).finish(cookie=cookies.read(request, cookies.OIDC), answer=answer)
    who = done.identity
    if done.note.startswith(_INVITED):
        cookie = await accept_invitation_elsewhere(
            world.context,
            code=done.note.removeprefix(_INVITED),
            issuer=who.issuer,
            subject=who.subject,
        )
    else:
        cookie = await log_in_elsewhere(
            world.context,
            issuer=who.issuer,
            subject=who.subject,
            old_cookie=cookies.read(request, CONSOLE),
        )
    response = opened(world, cookie)
    cookies.drop(response, cookies.OIDC)
    return response


def _party(world: ConsoleWorld) -> RelyingParty:
    if world.oidc is None:
        raise RequestRefused("not-found")
    return world.oidc
