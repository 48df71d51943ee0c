"""Who looked into files, and how alerts fared."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.console.pages import page
from siegelpost.console.world import ConsoleWorld, logged_in
from siegelpost.staff.alert_statistics import GROUP, SPAN, alert_statistics
from siegelpost.staff.looks import looks_of_agency


async def looks(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/access``: for auditors."""
    member = await logged_in(world, request)
    found, more = await looks_of_agency(
        world.context, member, before=request.query_params.get("before")
    )
    return await page(world, request, "access", member=member, looks=found, more=more)


async def statistics(world: ConsoleWorld, request: Request) -> Response:
    """``GET /console/statistics``: per domain, never per person."""
    member = await logged_in(world, request)
    found = await alert_statistics(world.context, member)
    return await page(
        world, request, "statistics", member=member, found=found, days=SPAN.days, group=GROUP
    )
