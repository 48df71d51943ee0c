"""Start page, search, and the notices of one enrolment."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siegelpost.console.forms import read_form
from siegelpost.console.pages import page
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.notices.replies_waiting import Waiting, replies_waiting
from siegelpost.staff.errors import InputWrong, NothingFound
from siegelpost.staff.exports import ExportState, exports
from siegelpost.staff.roles import Action, Member
from siegelpost.staff.search import enrolment_file, search

#: An agency's program fetches replies on a schedule: only after this it seems to have stopped.
FETCHED_WITHIN = timedelta(days=1)


async def typed(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console``, as people type it."""
    return RedirectResponse("/console/", 303)


async def start(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/``: what there is to do for these roles."""
    return await _start(world, request, await logged_in(world, request))


async def find(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/search``: what was typed never becomes part of an address."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    query = fields.text("query")
    try:
        found = await search(world.context, member, query)
    except (InputWrong, NothingFound):
        return await _start(world, request, member, query=query[:200], nothing=True)
    target = (
        f"/console/notices/{found.notice}"
        if found.notice is not None
        else f"/console/enrolments/{found.enrolment}"
    )
    return RedirectResponse(target, 303)


async def enrolment(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/enrolments/{id}``: its notices, newest first."""
    member = await logged_in(world, request)
    found = await enrolment_file(
        world.context,
        member,
        request.path_params["id"],
        before=request.query_params.get("before"),
    )
    return await page(world, request, "enrolment", member=member, enrolment=found)


async def _start(
    world: ConsoleWorld,
    request: Request,
    member: Member,
    *,
    query: str = "",
    nothing: bool = False,
) -> Response:
    waiting = 0
    if member.may(Action.EXPORT):
        listed, _ = await exports(world.context, member)
        waiting = sum(
            item.state is ExportState.REQUESTED and item.requested_by != member.id
            for item in listed
        )
    return await page(
        world,
        request,
        "start",
        member=member,
        query=query,
        nothing=nothing,
        waiting=waiting,
        unfetched=await _unfetched(world, member) if member.may(Action.ACT) else None,
    )


async def _unfetched(world: ConsoleWorld, member: Member) -> Waiting | None:
    found = await replies_waiting(world.context, member.agency_id)
    late = world.context.now() - FETCHED_WITHIN
    return next((each for each in found if each.since < late), None)
