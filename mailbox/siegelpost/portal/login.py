"""Login by passphrase or recovery code, and logout (DESIGN section 6)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from siegelpost.citizens.devices import device_of
from siegelpost.citizens.errors import LoginStepOver
from siegelpost.citizens.known_browsers import is_browser, remember_browser
from siegelpost.citizens.login import (
    PASSPHRASE,
    RECOVERY_CODE,
    Knowledge,
    LoggedIn,
    complete_login,
    log_in,
    prepare_login,
)
from siegelpost.citizens.second_factor import StepLeft, mail_again
from siegelpost.citizens.sessions import end_session, new_cookie
from siegelpost.portal import cookies
from siegelpost.portal.forms import (
    Base64,
    Body,
    NothingBody,
    Text,
    check_form,
    form_token,
    in_base64,
    read_json,
)
from siegelpost.portal.world import World

#: Where a logout leads: a page that says so.
SIGNED_OUT = "/?signed-out=1"


class PrepareBody(Body):
    """A login name, as typed."""

    login_name: Text


class LoginBody(Body):
    """A login name with the login half of its passphrase."""

    login_name: Text
    login_proof: Base64


class CodeBody(Body):
    """The second factor's code, as typed."""

    code: Text


class RecoveryBody(Body):
    """A login name with the login half of its recovery code."""

    login_name: Text
    recovery_proof: Base64


async def prepare(world: World, request: Request) -> Response:
    """``POST /login/prepare``: the salt; unknown names have one, too."""
    body = await read_json(world, request, PrepareBody)
    salt = await prepare_login(world.context, body.login_name)
    return JSONResponse({"login_salt": in_base64(salt)})


async def login(world: World, request: Request) -> Response:
    """``POST /login``: check the passphrase; names the second factor that is missing."""
    body = await read_json(world, request, LoginBody)
    return await _log_in(world, request, PASSPHRASE, body.login_name, body.login_proof)


async def code(world: World, request: Request) -> Response:
    """``POST /login/code``: the second factor's code; opens the session."""
    body = await read_json(world, request, CodeBody)
    cookie = cookies.read(request, cookies.LOGIN)
    if cookie is None:
        raise LoginStepOver("no login cookie")
    done = await complete_login(
        world.context,
        cookie=cookie,
        code=body.code,
        device=device(request),
        old_cookie=cookies.read(request, cookies.SESSION),
        browser=cookies.read(request, cookies.KNOWN),
    )
    response = await opened(world, request, done)
    cookies.drop(response, cookies.LOGIN)
    return response


async def code_again(world: World, request: Request) -> Response:
    """``POST /login/code/again``: another mail; only the newest code works."""
    await read_json(world, request, NothingBody)
    cookie = cookies.read(request, cookies.LOGIN)
    if cookie is None:
        raise LoginStepOver("no login cookie")
    await mail_again(world.context, cookie=cookie)
    return JSONResponse({})


async def prepare_recovery(world: World, request: Request) -> Response:
    """``POST /login/recovery/prepare``: the recovery code's salt; unknown names have one, too."""
    body = await read_json(world, request, PrepareBody)
    salt = await prepare_login(world.context, body.login_name, RECOVERY_CODE)
    return JSONResponse({"recovery_salt": in_base64(salt)})


async def recover(world: World, request: Request) -> Response:
    """``POST /login/recovery``: like `login`, by the recovery code."""
    body = await read_json(world, request, RecoveryBody)
    return await _log_in(world, request, RECOVERY_CODE, body.login_name, body.recovery_proof)


async def logout(world: World, request: Request) -> Response:
    """``POST /logout``: end the session, here and in the browser; works without JavaScript."""
    await check_form(world, request)
    cookie = cookies.read(request, cookies.SESSION)
    if cookie is not None:
        await end_session(world.context, cookie)
    plain = "application/json" not in request.headers.get("accept", "")
    response = RedirectResponse(SIGNED_OUT, 303) if plain else JSONResponse({})
    for name in (cookies.SESSION, cookies.ACTIVATION, cookies.VISIT, cookies.LOGIN, cookies.OIDC):
        cookies.drop(response, name)
    # Cached pages and stored seeds of this origin go, too, also where our script did not run.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def device(request: Request) -> str:
    """The family of browser and system that a request comes from."""
    return device_of(request.headers.get("user-agent", ""))


async def opened(world: World, request: Request, done: LoggedIn, **more: str) -> Response:
    """The answer to a login: sets the cookie; holds the form token that goes with it.

    The browser is known from now on.
    """
    browser = cookies.read(request, cookies.KNOWN)
    if browser is None or not is_browser(browser):
        browser = new_cookie(world.context.entropy)
    await remember_browser(world.context, done.mailbox, browser)
    response = JSONResponse(
        {"mailbox": done.mailbox, "form_token": form_token(world.context, done.cookie), **more}
    )
    cookies.put(response, cookies.SESSION, done.cookie)
    cookies.put(response, cookies.KNOWN, browser)
    return response


async def _log_in(
    world: World, request: Request, knowledge: Knowledge, name: str, proof: bytes
) -> Response:
    done = await log_in(
        world.context,
        login_name=name,
        login_proof=proof,
        knowledge=knowledge,
        device=device(request),
        old_cookie=cookies.read(request, cookies.SESSION),
        browser=cookies.read(request, cookies.KNOWN),
    )
    if isinstance(done, StepLeft):
        response: Response = JSONResponse({"second_factor": done.factor.value})
        cookies.put(response, cookies.LOGIN, done.cookie)
        return response
    return await opened(world, request, done)
