"""Replies: the page, what the browser seals with, the reply itself, and those that were sent.

The same under ``/helping/{mandate}`` for delegates, who see only their own. Nothing readable
passes: a reply is an age file when it comes, and when it leaves.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.delegated import helping
from siegelpost.notices.readers import Delegate, Reader
from siegelpost.notices.reply_to import reply_to
from siegelpost.portal.pages import page
from siegelpost.portal.world import World, logged_in, reader
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.replies import MAX_DOCUMENTS_SIZE, MAX_FILES, MAX_TEXT

#: What a browser holds a reply to before it seals it.
LIMITS = {"text": MAX_TEXT, "files": MAX_FILES, "bytes": MAX_DOCUMENTS_SIZE}


async def form(world: World, request: Request) -> Response:
    """``GET /notices/{id}/reply``, also under ``/helping/{mandate}``: the page."""
    session = await logged_in(world, request)
    who = await _who(world, request)
    found = await reply_to(world.context, who, _notice(request))
    mandate = await helping(world.context, who) if isinstance(who, Delegate) else None
    return await page(
        world,
        request,
        "reply",
        session=session,
        notice_id=found.notice_id,
        agency=found.agency_name,
        offered=found.offered and found.enough_keys,
        consented=found.consented,
        limits=LIMITS,
        mandate=None if mandate is None else mandate.mandate,
        giver=None if mandate is None else mandate.giver_name,
    )


async def facts(world: World, request: Request) -> Response:
    """``GET /notices/{id}/reply/facts``: whom to seal to, and whether it would be taken."""
    found = await reply_to(world.context, await _who(world, request), _notice(request))
    return JSONResponse(
        {
            "notice": found.notice_id,
            "mailbox": found.mailbox_id,
            "agency": {"id": found.agency_id, "name": found.agency_name},
            "agency_recipient": Recipient(found.recipient).encode()
            if found.offered and found.recipient is not None
            else None,
            "consented": found.consented,
            "recipients": [
                {"key": key.id, "recipient": Recipient(key.recipient).encode()}
                for key in found.keys
            ],
            "mandate": found.mandate,
            "limits": LIMITS,
        }
    )


async def _who(world: World, request: Request) -> Reader | Delegate:
    """The citizen, or under ``/helping/{mandate}`` the delegate."""
    own = await reader(world, request)
    if "mandate" not in request.path_params:
        return own
    return Delegate(
        mailbox_id=own.mailbox_id,
        mandate_id=str(request.path_params["mandate"]),
        at=world.context.now(),
    )


def _notice(request: Request) -> NoticeId:
    return NoticeId(request.path_params["id"])
