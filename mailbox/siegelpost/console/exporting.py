"""Exports with addresses: asking, deciding, taking."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siegelpost.console.files import file_page
from siegelpost.console.forms import read_form
from siegelpost.console.pages import download, page
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.evidence.ids import NoticeId
from siegelpost.staff.errors import InputWrong
from siegelpost.staff.exports import (
    ExportKind,
    Purpose,
    decide_export,
    export_of,
    exports,
    request_export,
    take_export,
)
from siegelpost.staff.roles import Action


async def listing(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/exports``: who asked for what, and who decided."""
    member = await logged_in(world, request)
    found, more = await exports(world.context, member, before=request.query_params.get("before"))
    return await page(world, request, "exports", member=member, exports=found, more=more)


async def ask(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/notices/{id}/exports``: one legal member asks."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    member.need(Action.EXPORT)
    notice_id = NoticeId(request.path_params["id"])
    try:
        await request_export(
            world.context,
            member,
            notice_id,
            kind=fields.choice("kind", ExportKind),
            purpose=fields.choice("purpose", Purpose),
            reason=fields.text("reason"),
        )
    except InputWrong as error:
        return await file_page(world, request, member, notice_id, error=error)
    return RedirectResponse(f"/console/notices/{notice_id}?done=export", 303)


async def show(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/exports/{id}``: one request, with what may be done about it."""
    member = await logged_in(world, request)
    found = await export_of(world.context, member, request.path_params["id"])
    return await page(world, request, "export", member=member, export=found)


async def decision(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/exports/{id}/decision``: another legal member decides."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    export_id = request.path_params["id"]
    verdict = fields.text("decision")
    if verdict not in ("approve", "refuse"):
        member.need(Action.EXPORT)
        raise InputWrong("decision", "neither yes nor no")
    await decide_export(world.context, member, export_id, approved=verdict == "approve")
    return RedirectResponse(f"/console/exports/{export_id}", 303)


async def take(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/exports/{id}/file``: the file, for who asked, once it is approved."""
    await read_form(world, request)
    member = await logged_in(world, request)
    export_id = request.path_params["id"]
    file = await take_export(world.context, member, export_id, world.makers)
    return download(file)
