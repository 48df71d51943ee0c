"""The console as one ASGI application: its routes, and how errors are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

import siegelpost.portal.app
from siegelpost.citizens.errors import CitizenError, SessionOver
from siegelpost.console import (
    access,
    exporting,
    files,
    login,
    pages,
    single_sign_on,
    staff,
    start,
    tasks,
    verifying,
)
from siegelpost.console.problems import problem_json
from siegelpost.console.world import ConsoleWorld
from siegelpost.keyring.errors import KeyringError
from siegelpost.notices.errors import NoticeError
from siegelpost.oidc.errors import OidcError
from siegelpost.oidc.relying_party import RelyingParty
from siegelpost.portal.assets import Assets
from siegelpost.portal.security import Security
from siegelpost.portal.settings import PortalSettings
from siegelpost.portal.world import RequestRefused
from siegelpost.staff.errors import StaffError
from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError

Handler = Callable[[ConsoleWorld, Request], Awaitable[Response]]


def is_console(path: str) -> bool:
    """Whether a path is the console's, beside the portal."""
    return path == "/console" or path.startswith("/console/")


#: Method, path and handler.
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/console", start.typed),
    ("GET", "/console/", start.start),
    ("POST", "/console/search", start.find),
    ("GET", "/console/login", login.login_page),
    ("POST", "/console/login/passkey/prepare", login.prepare_login),
    ("POST", "/console/login/passkey", login.login),
    ("POST", "/console/login/oidc/begin", single_sign_on.begin),
    ("GET", "/console/login/oidc/back", single_sign_on.back),
    ("POST", "/console/login/oidc", single_sign_on.finish),
    ("GET", "/console/invitation", login.invitation_page),
    ("POST", "/console/invitation/prepare", login.prepare_registration),
    ("POST", "/console/invitation", login.register),
    ("POST", "/console/logout", login.logout),
    ("GET", "/console/enrolments/{id}", start.enrolment),
    ("GET", "/console/notices/{id}", files.notice),
    ("POST", "/console/notices/{id}/paper", files.paper),
    ("POST", "/console/notices/{id}/dispute", files.disputed),
    ("POST", "/console/notices/{id}/receipt", files.receipt),
    ("POST", "/console/notices/{id}/court-file", files.court_file),
    ("POST", "/console/notices/{id}/exports", exporting.ask),
    ("GET", "/console/tasks", tasks.tasks),
    ("POST", "/console/tasks/{id}/close", files.task),
    ("GET", "/console/exports", exporting.listing),
    ("GET", "/console/exports/{id}", exporting.show),
    ("POST", "/console/exports/{id}/decision", exporting.decision),
    ("POST", "/console/exports/{id}/file", exporting.take),
    ("GET", "/console/verify", verifying.form),
    ("POST", "/console/verify", verifying.verify),
    ("GET", "/console/statistics", access.statistics),
    ("GET", "/console/access", access.looks),
    ("GET", "/console/staff", staff.listing),
    ("POST", "/console/staff", staff.invite),
    ("POST", "/console/staff/{id}/invitation", staff.invite_again),
    ("POST", "/console/staff/{id}/disabled", staff.disable),
)


def create_console(
    context: Context,
    templates: jinja2.Environment,
    settings: PortalSettings,
    *,
    trust: Callable[[], bytes],
) -> ASGIApp:
    """The pages of staff; ``templates`` finds ``console/`` and ``partials/``.

    `trust` gives the trust file by which receipts are verified. Files under ``/static/`` are the
    portal's, which has to answer on the same host.
    """
    pages.prepare(templates)
    portal = Path(siegelpost.portal.app.__file__).parent
    world = ConsoleWorld(
        context=context,
        settings=settings,
        templates=templates,
        assets=Assets(portal / "static"),
        trust=trust,
        oidc=None if settings.oidc is None else RelyingParty(context, settings.oidc),
    )
    routes = [
        Route(path, _bound(world, handler), methods=[method]) for method, path, handler in ROUTES
    ]

    async def failed(request: Request, error: Exception) -> Response:
        return _answer(world, request, error)

    application = Starlette(
        routes=routes,
        exception_handlers={
            StaffError: failed,
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


def _bound(world: ConsoleWorld, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await handler(world, request)

    return handle


def _answer(world: ConsoleWorld, request: Request, error: Exception) -> Response:
    """A page for people, problem JSON for scripts."""
    people = "text/html" in request.headers.get("accept", "")
    if isinstance(error, SessionOver) and people:
        return RedirectResponse("/console/login", 303)
    if people:
        # Whatever broke may break the page, too: then the plain answer has to do.
        with suppress(jinja2.TemplateError, LookupError, OSError):
            return pages.error_page(world, request, error)
    return problem_json(error)
