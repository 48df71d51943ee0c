"""The portal as one ASGI application: its routes, and how errors are answered.

Refusals and failures leave a log line with route, code and, for failures, the number that the
person sees; never with what was typed, an id or an address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jinja2
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from siegelpost.citizens.errors import CitizenError, SessionOver
from siegelpost.keyring.errors import KeyringError
from siegelpost.notices.errors import NoticeError
from siegelpost.oidc.errors import OidcError
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.portal import (
    account,
    activation,
    address,
    consent,
    delegates,
    helping,
    inbox,
    keys,
    login,
    notices,
    oidc,
    openpgp,
    pages,
    passkeys,
    replies,
    second_factor,
    sessions,
    texts,
)
from siegelpost.portal.assets import Assets
from siegelpost.portal.problems import Problem, new_reference, problem_json, problem_of
from siegelpost.portal.security import Security
from siegelpost.portal.settings import PortalSettings
from siegelpost.portal.world import MailKeys, RequestRefused, World
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

Handler = Callable[[World, Request], Awaitable[Response]]

log = structlog.get_logger("siegelpost.portal")

#: Method, path and handler of everything but static files.
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", pages.start),
    ("GET", "/activate", pages.activate),
    ("POST", "/activate/code", activation.code),
    ("POST", "/activate/address", activation.address),
    ("POST", "/activate/address/confirm", activation.confirm),
    ("POST", "/activate/finish", activation.end),
    ("GET", "/login", pages.login),
    ("POST", "/login/prepare", login.prepare),
    ("POST", "/login", login.login),
    ("GET", "/recover", pages.recover),
    ("GET", "/lost", pages.lost),
    ("POST", "/login/recovery/prepare", login.prepare_recovery),
    ("POST", "/login/recovery", login.recover),
    ("POST", "/login/code", login.code),
    ("POST", "/login/code/again", login.code_again),
    ("POST", "/login/oidc/begin", oidc.begin),
    ("GET", "/login/oidc/back", oidc.back),
    ("POST", "/login/oidc", oidc.finish),
    ("POST", "/login/passkey/prepare", passkeys.prepare_login),
    ("POST", "/login/passkey", passkeys.login),
    ("POST", "/logout", login.logout),
    ("GET", "/session", sessions.time_left),
    ("POST", "/session/extend", sessions.extend),
    ("GET", "/barrierefreiheit", pages.accessibility),
    ("GET", "/account", pages.account),
    ("GET", "/account/consent", consent.show),
    ("POST", "/account/consent/give", consent.give),
    ("POST", "/account/consent/revoke", consent.revoke),
    ("POST", "/account/consent/paper", consent.paper),
    ("GET", "/account/delegates", delegates.show),
    ("POST", "/account/delegates/end", delegates.end),
    ("POST", "/account/delegates/invite", delegates.invite),
    ("POST", "/account/delegates/{mandate}/give", delegates.give),
    ("GET", "/account/delegates/{mandate}/headers", delegates.waiting),
    ("POST", "/account/delegates/{mandate}/headers", delegates.headers),
    ("GET", "/invitation", delegates.invitation),
    ("POST", "/invitation/offer", delegates.offer),
    ("POST", "/invitation/begin", delegates.begin),
    ("POST", "/invitation/accept", delegates.accept),
    ("GET", "/helping/{mandate}", helping.titles),
    ("GET", "/helping/{mandate}/notices", helping.notices),
    ("GET", "/helping/{mandate}/notices/{id}", helping.notice),
    ("GET", "/helping/{mandate}/notices/{id}/facts", helping.facts),
    ("POST", "/helping/{mandate}/notices/{id}/retrieve", helping.package),
    ("GET", "/helping/{mandate}/notices/{id}/reply", replies.form),
    ("GET", "/helping/{mandate}/notices/{id}/reply/facts", replies.facts),
    ("POST", "/helping/{mandate}/notices/{id}/replies", replies.send),
    ("GET", "/helping/{mandate}/notices/{id}/replies", replies.sent),
    ("GET", "/helping/{mandate}/replies/{reply}", replies.sealed),
    ("GET", "/account/address", address.show),
    ("POST", "/account/address", address.ask),
    ("POST", "/account/address/confirm", address.confirm),
    ("POST", "/account/address/keep", address.keep),
    ("POST", "/account/address/settings", address.settings),
    ("GET", "/account/openpgp", openpgp.show),
    ("POST", "/account/openpgp/upload", openpgp.upload),
    ("POST", "/account/openpgp/find", openpgp.find),
    ("POST", "/account/openpgp/confirm", openpgp.confirm),
    ("POST", "/account/openpgp/refuse", openpgp.refuse),
    ("POST", "/account/openpgp/remove", openpgp.remove),
    ("GET", "/account/overview", account.overview),
    ("GET", "/account/keys", account.keys),
    ("POST", "/account/prove", account.prove),
    ("POST", "/account/prove/passkey/prepare", passkeys.prepare_proof),
    ("POST", "/account/prove/passkey", passkeys.prove),
    ("POST", "/account/passkeys/prepare", passkeys.prepare),
    ("POST", "/account/passkeys", passkeys.add),
    ("POST", "/account/passkeys/remove", passkeys.remove),
    ("POST", "/account/secrets", account.secrets),
    ("POST", "/account/sessions/end", account.end),
    ("POST", "/account/app/prepare", second_factor.prepare),
    ("POST", "/account/app", second_factor.confirm),
    ("POST", "/account/app/remove", second_factor.remove),
    ("POST", "/account/oidc/begin", oidc.begin_link),
    ("POST", "/account/oidc/remove", oidc.unlink),
    ("POST", "/account/passkeys/copies", keys.refresh),
    ("GET", "/account/key", pages.key),
    ("POST", "/account/key/prepare", keys.prepare),
    ("POST", "/account/key", keys.rotate),
    ("POST", "/account/key/open", keys.open_kept),
    ("GET", "/account/rewrap", keys.to_rewrap),
    ("POST", "/account/rewrap", keys.rewrapped),
    ("GET", "/inbox", pages.inbox),
    ("GET", "/inbox/notices", inbox.notices),
    ("POST", "/inbox/covers", inbox.covers),
    ("GET", "/notices/{id}", pages.notice),
    ("GET", "/notices/{id}/facts", notices.facts),
    ("POST", "/notices/{id}/retrieve", notices.package),
    ("POST", "/notices/{id}/acknowledge", notices.acknowledgement),
    ("POST", "/notices/{id}/archive", notices.archived),
    ("GET", "/notices/{id}/receipt", notices.receipt),
    ("GET", "/notices/{id}/receipt.pdf", notices.pdf_receipt),
    ("GET", "/notices/{id}/deadline.ics", notices.calendar),
    ("GET", "/notices/{id}/reply", replies.form),
    ("GET", "/notices/{id}/reply/facts", replies.facts),
    ("POST", "/notices/{id}/replies", replies.send),
    ("GET", "/notices/{id}/replies", replies.sent),
    ("GET", "/replies/{reply}", replies.sealed),
)

#: Who is there, what they may do or what they sent was not accepted.
_REFUSED = frozenset({401, 403, 413, 422, 429})
_STATUS_CODES = {404: "not-found", 405: "method", 413: "too-large"}


def create_portal(
    context: Context,
    templates: jinja2.Environment,
    settings: PortalSettings,
    *,
    mail_keys: MailKeys | None = None,
) -> ASGIApp:
    """The citizens' pages and their protocol; ``templates`` finds ``pages/`` and ``partials/``."""
    texts.prepare(templates)
    world = World(
        context=context,
        settings=settings,
        templates=templates,
        assets=Assets(Path(__file__).parent / "static"),
        oidc=None if settings.oidc is None else RelyingParty(context, settings.oidc),
        mail_keys=mail_keys,
    )
    routes = [
        Route(path, _bound(world, path, handler), methods=[method])
        for method, path, handler in ROUTES
    ]
    routes.append(Route("/static/{name:path}", world.assets.serve, methods=["GET"]))

    async def failed(request: Request, error: Exception) -> Response:
        return _answer(world, request, error)

    application = Starlette(
        routes=routes,
        exception_handlers={
            CitizenError: failed,
            NoticeError: failed,
            OidcError: failed,
            RequestRefused: failed,
            StoreError: failed,
            KeyringError: failed,
            HTTPException: failed,
            Exception: failed,
        },
    )
    application.router.redirect_slashes = False
    return Security(application, settings)


def _bound(world: World, path: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        request.state.route = path
        return await handler(world, request)

    return handle


def _answer(world: World, request: Request, error: Exception) -> Response:
    """Problem JSON for scripts, a page for people."""
    people = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if isinstance(error, SessionOver) and people:
        target = pages.safe_next(request.url.path)
        return RedirectResponse("/login" + (f"?next={target}" if target else ""), 303)
    if isinstance(error, RequestRefused):
        problem = Problem(code=error.code, retry_after=5 if error.code == "unavailable" else None)
    elif isinstance(error, HTTPException):
        problem = Problem(code=_STATUS_CODES.get(error.status_code, "internal"))
    elif isinstance(error, (StoreError, KeyringError)):
        problem = Problem(code="unavailable", retry_after=5)
    else:
        problem = problem_of(error)
    problem = _noted(world, request, error, problem)
    if people:
        # Whatever broke may break the page, too: then the plain answer has to do.
        with suppress(jinja2.TemplateError, LookupError, OSError):
            return pages.error_page(world, request, problem)
    return problem_json(problem)


def _noted(world: World, request: Request, error: Exception, problem: Problem) -> Problem:
    """Log a refusal or a failure; what nobody foresaw gets a number, by which support finds it."""
    known = {
        "method": request.method,
        "route": getattr(request.state, "route", "none"),
        "code": problem.code,
    }
    if problem.code == "internal":
        # Without the error's own words: they may quote what was typed.
        problem = replace(problem, reference=new_reference(world.context.entropy))
        log.error("failed", **known, kind=type(error).__name__, reference=problem.reference)
    elif problem.kind.status >= 500:
        log.error("unavailable", **known, kind=type(error).__name__)
    elif problem.kind.status in _REFUSED or isinstance(error, NoticeError):
        log.info("refused", **known)
    return problem
