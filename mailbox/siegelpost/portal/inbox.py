"""The list of notices with their sealed covers, as the inbox page fetches it."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.errors import InputInvalid
from siegelpost.evidence.times import format_time
from siegelpost.notices.inbox import PAGE_LIMIT, inbox
from siegelpost.portal.world import World, reader


async def notices(world: World, request: Request) -> Response:
    """``GET /inbox/notices?cursor=&limit=``: newest first; ``next`` is the cursor of the rest."""
    limit = request.query_params.get("limit", "25")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_LIMIT):
        raise InputInvalid("limit", f"not from 1 to {PAGE_LIMIT}")
    who = await reader(world, request)
    page = await inbox(
        world.context, who, limit=int(limit), cursor=request.query_params.get("cursor")
    )
    return JSONResponse(
        {
            "mailbox": who.mailbox_id,
            "notices": [
                {
                    "id": entry.id,
                    "agency": entry.agency_name,
                    "provided_at": format_time(entry.provided_at),
                    "state": entry.state,
                    "cover": base64.b64encode(entry.cover).decode("ascii"),
                    "objection_until": entry.objection_until.isoformat()
                    if entry.objection_until
                    else None,
                }
                for entry in page.notices
            ],
            "next": page.next,
        }
    )
