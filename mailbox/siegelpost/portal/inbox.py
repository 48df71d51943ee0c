"""The list of notices with their sealed covers, as the inbox page fetches it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.citizens.errors import InputInvalid
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.inbox import PAGE_LIMIT, covers_of, inbox
from siegelpost.portal.forms import Body, Text, in_base64, read_json
from siegelpost.portal.world import World, reader


class CoversBody(Body):
    """Whose covers the browser lacks."""

    ids: Annotated[list[Text], Field(max_length=PAGE_LIMIT)]


async def notices(world: World, request: Request) -> Response:
    """``GET /inbox/notices?cursor=&limit=&covers=0``: newest first; ``next``: cursor of the rest.

    With ``covers=0`` each cover is null, for browsers that keep them.
    """
    limit = request.query_params.get("limit", "25")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_LIMIT):
        raise InputInvalid("limit", f"not from 1 to {PAGE_LIMIT}")
    who = await reader(world, request)
    page = await inbox(
        world.context,
        who,
        limit=int(limit),
        cursor=request.query_params.get("cursor"),
        covers=request.query_params.get("covers") != "0",
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
                    "cover": None if entry.cover is None else in_base64(entry.cover),
                    "cover_digest": entry.cover_payload_sha256.hex(),
                    "archived": entry.archived,
                    "replied_at": None
                    if entry.replied_at is None
                    else format_time(entry.replied_at),
                    "objection_until": entry.objection_until.isoformat()
                    if entry.objection_until
                    else None,
                }
                for entry in page.notices
            ],
            "next": page.next,
        }
    )


async def covers(world: World, request: Request) -> Response:
    """``POST /inbox/covers``: the sealed covers of some notices; foreign ids are just absent."""
    body = await read_json(world, request, CoversBody)
    found = await covers_of(
        world.context, await reader(world, request), [NoticeId(id_) for id_ in body.ids]
    )
    return JSONResponse({"covers": {id_: in_base64(cover) for id_, cover in found.items()}})
