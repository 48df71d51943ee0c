"""Login by passkey, registration by invitation, logout.

Another way in (the agency's own single sign-on) ends like these: with `opened`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from siegelpost.citizens.challenges import CHALLENGE_LIFETIME, new_challenge
from siegelpost.citizens.devices import device_of
from siegelpost.citizens.webauthn_checks import Attestation
from siegelpost.console.forms import read_form
from siegelpost.console.pages import page
from siegelpost.console.world import CONSOLE, ConsoleWorld, member_if_any
from siegelpost.portal import cookies
from siegelpost.portal.forms import Base64, Body, Text, form_token, in_base64, read_json
from siegelpost.portal.passkeys import AssertionBody
from siegelpost.portal.world import RequestRefused
from siegelpost.staff.passkeys import (
    LOGIN,
    REGISTER,
    accept_invitation,
    invited_name,
    log_in_by_passkey,
)
from siegelpost.staff.sessions import end_session


class NothingBody(Body):
    """An empty object."""


class InvitationBody(Body):
    """An invitation's code, as typed."""

    code: Text


class RegistrationBody(Body):
    """A new passkey with the invitation that it is for."""

    code: Text
    credential: Base64
    client_data: Base64
    attestation_object: Base64


async def login_page(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/login``; whoever is logged in goes on."""
    if await member_if_any(world, request) is not None:
        return RedirectResponse("/console/", 303)
    return await page(world, request, "login")


async def prepare_login(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/login/passkey/prepare``: a challenge; names nobody."""
    await read_json(world, request, NothingBody)
    return _challenge(world, request, LOGIN)


async def login(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/login/passkey``: open a session, and end the one before."""
    body = await read_json(world, request, AssertionBody)
    cookie = await log_in_by_passkey(
        world.context,
        world.party,
        body.as_assertion(),
        holder=_holder(request),
        old_cookie=cookies.read(request, CONSOLE),
    )
    return opened(world, cookie)


async def invitation_page(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/invitation``: where a new member of staff begins."""
    return await page(world, request, "invitation")


async def prepare_registration(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/invitation/prepare``: a challenge, for whoever holds the code."""
    body = await read_json(world, request, InvitationBody)
    id_, name = await invited_name(world.context, body.code)
    return _challenge(world, request, REGISTER, member=id_, name=name)


async def register(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/invitation``: register the passkey and open a session."""
    body = await read_json(world, request, RegistrationBody)
    cookie = await accept_invitation(
        world.context,
        world.party,
        Attestation(
            credential=body.credential,
            client_data=body.client_data,
            attestation_object=body.attestation_object,
        ),
        code=body.code,
        holder=_holder(request),
        device=device_of(request.headers.get("user-agent", "")),
    )
    return opened(world, cookie)


async def logout(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/logout``: end the session."""
    await read_form(world, request)
    cookie = cookies.read(request, CONSOLE)
    if cookie is not None:
        await end_session(world.context, cookie)
    response = RedirectResponse("/console/login", 303)
    cookies.drop(response, CONSOLE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def opened(world: ConsoleWorld, cookie: str) -> Response:
    """The answer to a login: sets the cookie."""
    response = JSONResponse({"form_token": form_token(world.context, cookie)})
    cookies.put(response, CONSOLE, cookie)
    return response


def _challenge(world: ConsoleWorld, request: Request, purpose: str, **more: str) -> Response:
    challenge = new_challenge(world.context, purpose, _holder(request))
    return JSONResponse(
        {
            "challenge": in_base64(challenge),
            "rp_id": world.settings.passkey_host,
            "timeout_ms": int(CHALLENGE_LIFETIME.total_seconds() * 1000),
            **more,
        }
    )


def _holder(request: Request) -> str:
    """The cookie that a challenge is bound to."""
    holder = cookies.read(request, CONSOLE) or cookies.read(request, cookies.VISIT)
    if holder is None:
        raise RequestRefused("form-refused")
    return holder
