"""``/helping/{mandate}``: another's notices, as far as the mandate goes.

These routes are all that a delegate has: receipts, acknowledging, filing and everything else of a
mailbox stay with its owner. Whatever a mandate does not cover gets the same 404 as what is not.
"""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.mandate_lists import only_helps
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.delegated import helping, look_at_titles, retrieve_for
from siegelpost.notices.inbox import PAGE_LIMIT, inbox
from siegelpost.notices.readers import Delegate, Part
from siegelpost.notices.reply_reading import replied_at
from siegelpost.notices.show import show
from siegelpost.portal.forms import check_form, in_base64
from siegelpost.portal.pages import page
from siegelpost.portal.world import World, logged_in


async def delegate(world: World, request: Request) -> Delegate:
    """Who looks, under which mandate; the queries find out whether it is theirs."""
    session = await logged_in(world, request)
    return Delegate(
        mailbox_id=session.mailbox,
        mandate_id=str(request.path_params["mandate"]),
        at=world.context.now(),
    )


async def titles(world: World, request: Request) -> Response:
    """``GET /helping/{mandate}``: the page of the list."""
    session = await logged_in(world, request)
    found = await helping(world.context, await delegate(world, request))
    return await page(
        world,
        request,
        "helping",
        session=session,
        mandate=found.mandate,
        giver=found.giver_name,
        reads=found.role in Part.READ.roles,
        only_helps=await only_helps(world.context, session.mailbox),
    )


async def notices(world: World, request: Request) -> Response:
    """``GET /helping/{mandate}/notices?cursor=``: the list, after the look was recorded."""
    limit = request.query_params.get("limit", "25")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_LIMIT):
        raise InputInvalid("limit", f"not from 1 to {PAGE_LIMIT}")
    who = await delegate(world, request)
    await look_at_titles(world.context, who)
    found = await inbox(
        world.context, who, limit=int(limit), cursor=request.query_params.get("cursor")
    )
    return JSONResponse(
        {
            "notices": [
                {
                    "id": entry.id,
                    "agency": entry.agency_name,
                    "provided_at": format_time(entry.provided_at),
                    "state": entry.state,
                    "cover": None if entry.cover is None else in_base64(entry.cover),
                    "cover_digest": entry.cover_payload_sha256.hex(),
                    "archived": False,
                    "replied_at": None
                    if entry.replied_at is None
                    else format_time(entry.replied_at),
                    "objection_until": entry.objection_until.isoformat()
                    if entry.objection_until
                    else None,
                }
                for entry in found.notices
            ],
            "next": found.next,
        }
    )


async def notice(world: World, request: Request) -> Response:
    """``GET /helping/{mandate}/notices/{id}``: the page of one notice."""
    session = await logged_in(world, request)
    who = await delegate(world, request)
    shown = await show(world.context, who, _id(request))
    found = await helping(world.context, who)
    return await page(
        world,
        request,
        "helping_notice",
        session=session,
        mandate=found.mandate,
        notice_id=shown.id,
        giver=found.giver_name,
        counts=found.counts,
    )


async def facts(world: World, request: Request) -> Response:
    """``GET /helping/{mandate}/notices/{id}/facts``: what can be said without the key."""
    who = await delegate(world, request)
    shown = await show(world.context, who, _id(request))
    found = await helping(world.context, who)
    last = await replied_at(world.context, who, shown.id)
    return JSONResponse(
        {
            "id": shown.id,
            "mailbox": found.mailbox_id,
            "agency": {
                "id": shown.agency_id,
                "name": shown.agency_name,
                "phone": shown.agency_phone,
            },
            "provided_at": format_time(shown.provided_at),
            "state": shown.state,
            "key": shown.key_id,
            "cover": base64.b64encode(shown.cover).decode("ascii"),
            "manifest_keys": list(shown.manifest_keys),
            "can_reply": shown.takes_replies and found.role in Part.REPLY.roles,
            "replied_at": None if last is None else format_time(last),
        }
    )


async def package(world: World, request: Request) -> Response:
    """``POST /helping/{mandate}/notices/{id}/retrieve``: the age file, after the event."""
    await check_form(world, request)
    retrieval = await retrieve_for(world.context, await delegate(world, request), _id(request))
    return StreamingResponse(
        retrieval.parts,
        media_type="application/age",
        headers={
            "Content-Length": str(retrieval.size),
            "Content-Disposition": f'attachment; filename="{retrieval.notice_id}.age"',
        },
    )


def _id(request: Request) -> NoticeId:
    return NoticeId(request.path_params["id"])
