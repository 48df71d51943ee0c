"""Login, logout and the wrapped keys that unlock in the browser (DESIGN section 6)."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from siegelpost.citizens.keys import keys_of
from siegelpost.citizens.login import log_in, prepare_login
from siegelpost.citizens.sessions import end_session
from siegelpost.portal import cookies
from siegelpost.portal.forms import Base64, Body, Text, check_form, read_json
from siegelpost.portal.world import World, logged_in


class PrepareBody(Body):
    """A login name, as typed."""

    login_name: Text


class LoginBody(Body):
    """A login name with the login half of its passphrase."""

    login_name: Text
    login_proof: Base64


async def prepare(world: World, request: Request) -> Response:
    """``POST /login/prepare``: the salt; unknown names have one, too."""
    body = await read_json(world, request, PrepareBody)
    salt = await prepare_login(world.context, body.login_name)
    return JSONResponse({"login_salt": _text(salt)})


async def login(world: World, request: Request) -> Response:
    """``POST /login``: open a session, and end the one before."""
    body = await read_json(world, request, LoginBody)
    done = await log_in(
        world.context,
        login_name=body.login_name,
        login_proof=body.login_proof,
        old_cookie=cookies.read(request, cookies.SESSION),
    )
    response = JSONResponse({"mailbox": done.mailbox})
    cookies.put(response, cookies.SESSION, done.cookie)
    return response


async def logout(world: World, request: Request) -> Response:
    """``POST /logout``: end the session, here and in the browser; works without JavaScript."""
    await check_form(world, request)
    cookie = cookies.read(request, cookies.SESSION)
    if cookie is not None:
        await end_session(world.context, cookie)
    plain = "application/json" not in request.headers.get("accept", "")
    response = RedirectResponse("/", 303) if plain else JSONResponse({})
    for name in (cookies.SESSION, cookies.ACTIVATION, cookies.VISIT):
        cookies.drop(response, name)
    # Cached pages and stored seeds of this origin go, too, also where our script did not run.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def keys(world: World, request: Request) -> Response:
    """``GET /account/keys``: the mailbox's keys, each with its wrapped copies."""
    session = await logged_in(world, request)
    return JSONResponse(
        {
            "mailbox": session.mailbox,
            "keys": [
                {
                    "key": key.key,
                    "recipient": key.recipient,
                    "acknowledgement_key": _text(key.acknowledgement_key),
                    "wrapped": [
                        {
                            "method": copy.method,
                            "parameters": {"salt": _text(copy.salt)},
                            "nonce": _text(copy.nonce),
                            "sealed": _text(copy.sealed),
                        }
                        for copy in key.wrapped
                    ],
                }
                for key in await keys_of(world.context, session.mailbox)
            ],
        }
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
