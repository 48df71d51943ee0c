"""The authenticator app of the account page: set up, confirm, remove (DESIGN section 6)."""

from __future__ import annotations

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.totp_custody import confirm_app, propose_app, remove_app
from siegelpost.portal.forms import Body, NothingBody, Text, read_json
from siegelpost.portal.world import World, recently_authenticated


class CodeBody(Body):
    """The app's six digits, as typed."""

    code: Text


async def prepare(world: World, request: Request) -> Response:
    """``POST /account/app/prepare``: a secret, as text and as a QR code drawn here."""
    await read_json(world, request, NothingBody)
    session = await recently_authenticated(world, request)
    app = await propose_app(world.context, session, service=world.settings.service_name)
    # White behind it also on dark pages: cameras expect it.
    code = segno.make(app.address, error="m").svg_data_uri(scale=5, light="white")
    return JSONResponse({"secret": app.secret, "qr_code": code})


async def confirm(world: World, request: Request) -> Response:
    """``POST /account/app``: the app has shown a right code; from now on it is asked for."""
    body = await read_json(world, request, CodeBody)
    session = await recently_authenticated(world, request)
    await confirm_app(world.context, session, code=body.code)
    return JSONResponse({})


async def remove(world: World, request: Request) -> Response:
    """``POST /account/app/remove``: codes come by mail again."""
    await read_json(world, request, NothingBody)
    session = await recently_authenticated(world, request)
    await remove_app(world.context, session)
    return JSONResponse({})
