"""The list of tasks: by state and kind, part by part. They are closed in the notice's file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.console.pages import page
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.notices.tasks import list_tasks
from siegelpost.staff.roles import Action
from siegelpost.store.tasks import TaskKind

#: Tasks of one page.
PAGE_SIZE = 25
_STATES = {"open": True, "closed": False, "all": None}


async def tasks(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/tasks?state=&kind=&after=``: unknown values count as not given."""
    member = await logged_in(world, request)
    member.need(Action.ACT)
    query = request.query_params
    state = query.get("state", "open")
    state = state if state in _STATES else "open"
    wanted = query.get("kind", "")
    kind = TaskKind(wanted) if wanted in set(TaskKind) else None
    after = query.get("after", "0")
    found = await list_tasks(
        world.context,
        member.agency_id,
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0,
        limit=PAGE_SIZE,
        is_open=_STATES[state],
        kind=kind,
    )
    return await page(
        world,
        request,
        "tasks",
        member=member,
        found=found,
        state=state,
        kind=kind,
        kinds=list(TaskKind),
        now=world.context.now(),
    )
