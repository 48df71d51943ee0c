"""Accounts of colleagues: invite, invite anew, shut out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siegelpost.console.forms import read_form
from siegelpost.console.pages import page
from siegelpost.console.problems import KINDS, Kind
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.staff.errors import InputWrong
from siegelpost.staff.members import (
    Invited,
    colleagues,
    disable_colleague,
    invite_colleague,
    invite_colleague_again,
)
from siegelpost.staff.roles import Action, Member, Role


async def listing(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/staff``."""
    member = await logged_in(world, request)
    return await _page(world, request, member)


async def invite(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/staff``: the code is shown once, on the page that answers."""
    fields = await read_form(world, request)
    member = await logged_in(world, request)
    member.need(Action.MANAGE_STAFF)
    try:
        roles = [Role(value) for value in fields.many("roles")]
        invited = await invite_colleague(
            world.context, member, name=fields.text("name"), roles=roles
        )
    except (InputWrong, ValueError):
        return await _page(world, request, member, problem=KINDS["input-wrong"])
    return await _page(world, request, member, invited=invited)


async def invite_again(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/staff/{id}/invitation``: for a lost key; old ones end."""
    await read_form(world, request)
    member = await logged_in(world, request)
    invited = await invite_colleague_again(world.context, member, request.path_params["id"])
    return await _page(world, request, member, invited=invited)


async def disable(world: ConsoleWorld, request: Request) -> Response:
    """``POST /console/staff/{id}/disabled``: at once and for good."""
    await read_form(world, request)
    member = await logged_in(world, request)
    await disable_colleague(world.context, member, request.path_params["id"])
    return RedirectResponse("/console/staff", 303)


async def _page(
    world: ConsoleWorld,
    request: Request,
    member: Member,
    *,
    invited: Invited | None = None,
    problem: Kind | None = None,
) -> Response:
    member.need(Action.MANAGE_STAFF)
    return await page(
        world,
        request,
        "staff",
        member=member,
        status=200 if problem is None else problem.status,
        colleagues=await colleagues(world.context, member.agency_id),
        invited=invited,
        problem=problem,
        roles=list(Role),
    )
