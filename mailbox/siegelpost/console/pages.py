"""Rendering: what every page of the console is given, and the answer for people when refused."""

from __future__ import annotations

from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from siegelpost.citizens.sessions import new_cookie
from siegelpost.console import words
from siegelpost.console.problems import KINDS, code_of, headers_of
from siegelpost.console.world import CONSOLE, ConsoleWorld
from siegelpost.portal import cookies, texts
from siegelpost.portal.compression import compress
from siegelpost.portal.forms import form_token
from siegelpost.portal.pages import frame
from siegelpost.portal.scripts import Scripts
from siegelpost.portal.security import page_policy
from siegelpost.staff.exports import ExportedFile
from siegelpost.staff.roles import Action, Member


def prepare(environment: jinja2.Environment) -> None:
    """Teach `environment` the console's words; ValueError if it does not escape HTML."""
    texts.prepare(environment)
    environment.globals["words"] = words
    environment.globals["Action"] = Action
    environment.filters["minute"] = words.minute
    environment.filters["evidence_time"] = words.evidence_time
    environment.filters["weekday"] = words.weekday


async def page(
    world: ConsoleWorld,
    request: Request,
    name: str,
    *,
    member: Member | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """Render ``templates/console/<name>.html``; sets the cookie that its form token hangs on."""
    holder = cookies.read(request, CONSOLE) if member else None
    fresh = None
    if holder is None:
        holder = cookies.read(request, cookies.VISIT)
        if holder is None:
            holder = fresh = new_cookie(world.context.entropy)
    scripts = Scripts(world.assets)
    response = HTMLResponse(
        world.templates.get_template(f"console/{name}.html").render(
            **frame(world, request, texts.SOURCE),
            module=scripts.module,
            form_token=form_token(world.context, holder),
            signed_in=False,
            member=member,
            elsewhere=world.settings.oidc_label if world.oidc else "",
            **values,
        ),
        status,
        headers={"Content-Language": "de", "Vary": "Cookie"},
    )
    response.headers["Content-Security-Policy"] = page_policy(scripts.hashes)
    compress(request, response)
    if fresh is not None:
        cookies.put(response, cookies.VISIT, fresh)
    return response


def error_page(world: ConsoleWorld, request: Request, error: Exception) -> Response:
    """The page for people; asks no database, which may be what is broken."""
    kind = KINDS[code_of(error)]
    return HTMLResponse(
        world.templates.get_template("console/error.html").render(
            **frame(world, request, texts.SOURCE),
            form_token="",
            signed_in=False,
            member=None,
            kind=kind,
        ),
        kind.status,
        headers={**headers_of(error), "Content-Language": "de", "Vary": "Cookie"},
    )


def download(file: ExportedFile) -> Response:
    """A file to keep."""
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
    )
