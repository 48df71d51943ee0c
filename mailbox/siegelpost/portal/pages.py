"""Pages: rendered on the server in the reader's language, with nothing secret in them.

What is sealed is unsealed by scripts; the pages that need that say so without JavaScript.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from siegelpost.citizens.mandate_lists import gave_any, helping_now, only_helps
from siegelpost.citizens.sessions import CitizenSession, new_cookie
from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.show import show
from siegelpost.portal import cookies
from siegelpost.portal.compression import compress
from siegelpost.portal.forms import form_token
from siegelpost.portal.problems import Problem
from siegelpost.portal.scripts import Scripts
from siegelpost.portal.security import INTEGRITY_POLICY, page_policy
from siegelpost.portal.texts import LANGUAGES, pick_language, spoken_day
from siegelpost.portal.world import World, logged_in, reader, session_if_any

#: Where a login may lead; anything else would be an open redirect.
_NEXT = re.compile(
    r"/(inbox|invitation|account(/(key|consent|address|openpgp|delegates))?"
    r"|(helping/[A-Za-z0-9][A-Za-z0-9._-]{0,99}/)?notices/[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/reply)?"
    r"|helping/[A-Za-z0-9][A-Za-z0-9._-]{0,99})",
    re.ASCII,
)

#: Addresses that a page may link to itself by; "//elsewhere.example" would lead away.
_PATH = re.compile(r"/|(/[A-Za-z0-9._-]{1,100}){1,8}", re.ASCII)
#: When somebody last compared the statement of accessibility with the pages.
_STATEMENT_WRITTEN = date(2026, 11, 22)


async def start(world: World, request: Request) -> Response:
    """``GET /``: what this is, log in, activate."""
    return await page(world, request, "start", signed_out="signed-out" in request.query_params)


async def activate(world: World, request: Request) -> Response:
    """``GET /activate``: the whole wizard."""
    return await page(world, request, "activate")


async def login(world: World, request: Request) -> Response:
    """``GET /login``; whoever is logged in goes on."""
    target = safe_next(request.query_params.get("next"))
    if await session_if_any(world, request) is not None:
        return RedirectResponse(target or "/inbox", 303)
    timed_out = "timed-out" in request.query_params
    return await page(world, request, "login", next=target, timed_out=timed_out)


async def recover(world: World, request: Request) -> Response:
    """``GET /recover``: back in with the recovery code."""
    return await page(world, request, "recover")


async def lost(world: World, request: Request) -> Response:
    """``GET /lost``: password and code are gone; what happens then. Needs no script."""
    return await page(world, request, "lost")


async def accessibility(world: World, request: Request) -> Response:
    """``GET /barrierefreiheit``: the statement, and how to report a barrier (BGG § 12b)."""
    language = language_of(request, await session_if_any(world, request))
    return await page(
        world,
        request,
        "accessibility",
        written=spoken_day(_STATEMENT_WRITTEN, language),
        arbitration_name=world.settings.arbitration_name,
        arbitration_url=world.settings.arbitration_url,
    )


async def account(world: World, request: Request) -> Response:
    """``GET /account``: password, emergency code, passkeys, sessions; filled by scripts."""
    return await page(world, request, "account", session=await logged_in(world, request))


async def key(world: World, request: Request) -> Response:
    """``GET /account/key``: exchange the key, step by step; made by scripts."""
    return await page(world, request, "key", session=await logged_in(world, request))


async def inbox(world: World, request: Request) -> Response:
    """``GET /inbox``: the list, filled and unsealed by scripts; for who only helps, whom."""
    session = await logged_in(world, request)
    helping = await helping_now(world.context, session.mailbox)
    if await only_helps(world.context, session.mailbox):
        return await page(world, request, "only_helping", session=session, helping=helping)
    return await page(
        world,
        request,
        "inbox",
        session=session,
        helping=helping,
        given=await gave_any(world.context, session.mailbox),
    )


async def notice(world: World, request: Request) -> Response:
    """``GET /notices/{id}``: foreign and unknown ids get the same 404."""
    notice_id = NoticeId(request.path_params["id"])
    await show(world.context, await reader(world, request), notice_id)
    session = await logged_in(world, request)
    return await page(world, request, "notice", session=session, notice_id=notice_id)


async def page(
    world: World,
    request: Request,
    name: str,
    *,
    status: int = 200,
    session: CitizenSession | None = None,
    **values: Any,
) -> Response:
    """Render ``templates/pages/<name>.html``; sets the cookies that the page needs."""
    session = session or await session_if_any(world, request)
    holder = cookies.read(request, cookies.SESSION) if session else None
    fresh = None
    if holder is None:
        holder = cookies.read(request, cookies.VISIT)
        if holder is None:
            holder = fresh = new_cookie(world.context.entropy)
    chosen = request.query_params.get("lang")
    language = language_of(request, session)
    scripts = Scripts(world.assets)
    response = HTMLResponse(
        world.templates.get_template(f"pages/{name}.html").render(
            {
                **frame(world, request, language),
                "module": scripts.module,
                "form_token": form_token(world.context, holder),
                "signed_in": session is not None,
                "managed": session is not None and session.managed,
                **values,
            }
        ),
        status,
        headers={"Content-Language": language, "Vary": "Accept-Language, Cookie"},
    )
    response.headers["Content-Security-Policy"] = page_policy(scripts.hashes)
    response.headers["Integrity-Policy"] = INTEGRITY_POLICY
    compress(request, response)
    if fresh is not None:
        cookies.put(response, cookies.VISIT, fresh)
    if chosen is not None and chosen in LANGUAGES:
        cookies.put(response, cookies.LANGUAGE, chosen)
    return response


def error_page(world: World, request: Request, problem: Problem) -> Response:
    """The page for people where a script would get problem JSON; asks no database."""
    status = problem.kind.status
    language = language_of(request, None)
    kinds = {404: "not-found", 401: "signed-out", 429: "too-many-requests"}
    return HTMLResponse(
        world.templates.get_template("pages/error.html").render(
            **frame(world, request, language),
            form_token="",  # nothing on this page changes anything
            # Without a look into the database: it may be what is broken.
            signed_in=False,
            kind=kinds.get(status, "broken" if status >= 500 else "refused"),
            code=problem.code,
            status=status,
            reference=problem.reference,
        ),
        status,
        headers={
            **problem.headers,
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",
        },
    )


def safe_next(target: str | None) -> str | None:
    """``target`` if it is one of our own pages behind the login."""
    return target if target is not None and _NEXT.fullmatch(target) else None


def language_of(request: Request, session: CitizenSession | None) -> str:
    """Asked for, else remembered, else the mailbox's, else the browser's."""
    remembered = cookies.read(request, cookies.LANGUAGE) or (session.language if session else None)
    return pick_language(
        request.query_params.get("lang"), remembered, request.headers.get("accept-language")
    )


def _same_page(request: Request) -> str:
    """The query that leads to this page again, without its language and what was just done."""
    target = safe_next(request.query_params.get("next"))
    return "?" + (urlencode({"next": target}) + "&" if target else "")


def frame(world: World, request: Request, language: str) -> dict[str, Any]:
    """What the frame of every page is given, the portal's and the console's."""
    settings = world.settings
    return {
        "language": language,
        "direction": LANGUAGES[language].direction,
        "same_page": _same_page(request),
        "path": path if _PATH.fullmatch(path := request.url.path) else "/",
        "service_name": settings.service_name,
        "operator": settings.operator or settings.service_name,
        "kopfzeile": settings.official_header,
        "imprint_url": settings.imprint_url,
        "privacy_url": settings.privacy_url,
        "accessibility_email": settings.accessibility_email,
        "accessibility_phone": settings.accessibility_phone,
        "openpgp": world.mail_keys is not None,
        "oidc_label": settings.oidc_label if world.oidc is not None else "",
        "asset": world.assets.address,
        "integrity": world.assets.integrity,
    }
