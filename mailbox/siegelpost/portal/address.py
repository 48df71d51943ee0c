"""``/account/address``: where alerts go and how they speak; works without JavaScript.

Only the proof that precedes a change of the address needs a script: it derives from the password.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.citizens.address_change import (
    ask_new_address,
    confirm_new_address,
    drop_new_address,
    mail_settings,
    set_mail_settings,
)
from siegelpost.citizens.errors import ProofNeeded
from siegelpost.citizens.proofs import is_proved
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.portal.pages import language_of, page
from siegelpost.portal.plain_forms import field, spoken_day, take
from siegelpost.portal.problems import Problem
from siegelpost.portal.texts import LANGUAGES
from siegelpost.portal.world import World, logged_in

PATH = "/account/address"
_DONE = ("asked", "changed", "kept", "saved")


async def show(world: World, request: Request) -> Response:
    """``GET /account/address``: address, language and salutation of alerts."""
    return await _page(world, request)


async def ask(world: World, request: Request) -> Response:
    """``POST /account/address``: send a code to a new address."""
    return await take(world, request, PATH, _ask, _again)


async def confirm(world: World, request: Request) -> Response:
    """``POST /account/address/confirm``: the code from the mail."""
    return await take(world, request, PATH, _confirm, _again)


async def keep(world: World, request: Request) -> Response:
    """``POST /account/address/keep``: the old address stays."""
    return await take(world, request, PATH, _keep, _again)


async def settings(world: World, request: Request) -> Response:
    """``POST /account/address/settings``: language and salutation."""
    return await take(world, request, PATH, _settings, _again)


async def _ask(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await ask_new_address(world.context, session, email=field(fields, "email"))
    return "asked"


async def _confirm(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await confirm_new_address(world.context, session, code=field(fields, "code"))
    return "changed"


async def _keep(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await drop_new_address(world.context, session)
    return "kept"


async def _settings(world: World, session: CitizenSession, fields: Mapping[str, str]) -> str:
    await set_mail_settings(
        world.context,
        session,
        language=field(fields, "language"),
        salutation_allowed="salutation" in fields,
    )
    return "saved"


async def _again(
    world: World, request: Request, problem: Problem, fields: Mapping[str, str]
) -> Response:
    return await _page(world, request, problem=problem, typed=fields)


async def _page(
    world: World,
    request: Request,
    *,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    session = await logged_in(world, request)
    language = language_of(request, session)
    found = await mail_settings(world.context, session.mailbox)
    done = request.query_params.get("done")
    present = [one for one in found.addresses if one.removed_at is None]
    unproved = problem is not None and problem.code == ProofNeeded.code
    return await page(
        world,
        request,
        "address",
        status=200 if problem is None else problem.kind.status,
        session=session,
        # Where the answer to a form stands, too: languages and the account's pages link from there.
        path=PATH,
        address=present[-1].email if present else None,
        failed=bool(present) and present[-1].failed_at is not None,
        pending=found.pending,
        past=[
            {
                "email": one.email,
                "since": spoken_day(one.confirmed_at, language),
                "until": spoken_day(one.removed_at, language),
            }
            for one in found.addresses
            if one.removed_at is not None
        ],
        proved=is_proved(session, world.context.now()) and not unproved,
        typed=(typed or {}).get("email", ""),
        mail_language=found.language,
        mail_languages={tag: language.name for tag, language in LANGUAGES.items()},
        salutation=found.salutation,
        salutation_allowed=found.salutation_allowed,
        done=done if done in _DONE else None,
        problem=None if problem is None else problem.text(language),
    )
