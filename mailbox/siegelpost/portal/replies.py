"""Replies: the page, what the browser seals with, the reply itself, and those that were sent.

The same under ``/helping/{mandate}`` for delegates, who see only their own. Nothing readable
passes: a reply is an age file when it comes, and when it leaves.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from siegelpost.citizens.errors import InputInvalid
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import from_hex
from siegelpost.evidence.ids import MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.delegated import helping
from siegelpost.notices.readers import Delegate, Reader
from siegelpost.notices.replies import MAX_SEALED_SIZE, GivenReply, reply
from siegelpost.notices.reply_reading import replies_to, sealed_reply
from siegelpost.notices.reply_to import reply_to
from siegelpost.portal.forms import check_form, in_base64, read_body
from siegelpost.portal.pages import page
from siegelpost.portal.world import RequestRefused, World, logged_in, reader
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.replies import MAX_DOCUMENTS_SIZE, MAX_FILES, MAX_TEXT

#: What a browser holds a reply to before it seals it.
LIMITS = {"text": MAX_TEXT, "files": MAX_FILES, "bytes": MAX_DOCUMENTS_SIZE}
AGE = "application/age"

#: Uploads at a time in this process, each of twice the size of a reply in memory.
MAX_UPLOADS = 8
#: Who is uploading to this process: one at a time for each, since a reply is held in memory.
_uploading: set[MailboxId] = set()


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
        phone=found.agency_phone,
        offered=found.offered,
        consented=found.consented,
        limits=LIMITS,
        mandate=None if mandate is None else mandate.mandate,
        giver=None if mandate is None else mandate.giver_name,
        giver_managed=mandate is not None and any(key.managed for key in found.keys[:1]),
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
            # Whether the service keeps a key that opens it.
            "managed": any(key.managed for key in found.keys),
            "limits": LIMITS,
        }
    )


async def send(world: World, request: Request) -> Response:
    """``POST /notices/{id}/replies``: the age file; what it is stands in the headers."""
    await check_form(world, request)
    who = await _who(world, request)
    # Before 20 MiB are read for nothing.
    await reply_to(world.context, who, _notice(request))
    if request.headers.get("content-type", "").partition(";")[0].strip() != AGE:
        raise RequestRefused("not-age")
    statement = _base64(request, "Siegelpost-Statement")
    signature = _base64(request, "Siegelpost-Signature", size=64)
    recipient = _hex(request, "Siegelpost-Recipient")
    with _one_upload(who.mailbox_id):
        sealed_file = await read_body(
            world, request, MAX_SEALED_SIZE, seconds=world.settings.upload_seconds
        )
        # Minutes later: the session may be over by now, and so may the mandate.
        done = await reply(
            world.context,
            await _who(world, request),
            _notice(request),
            GivenReply(
                sealed=sealed_file,
                statement=statement,
                signature=signature,
                recipient_sha256=recipient,
            ),
        )
    return JSONResponse({"reply": done.id, "received_at": format_time(done.at)}, 201)


async def sent(world: World, request: Request) -> Response:
    """``GET /notices/{id}/replies``: what was sent, oldest first; delegates see their own."""
    found = await replies_to(world.context, await _who(world, request), _notice(request))
    return JSONResponse(
        {
            "replies": [
                {
                    "id": each.id,
                    "received_at": format_time(each.received_at),
                    "by": each.by,
                    "mine": each.mine,
                    "size": each.size,
                    "fetched_at": None if each.fetched_at is None else format_time(each.fetched_at),
                    # The browser checks by its own key what it opens.
                    "statement": each.statement,
                    "signature": in_base64(each.signature),
                }
                for each in found
            ]
        }
    )


async def sealed(world: World, request: Request) -> Response:
    """``GET /replies/{reply}``: the age file, as it came."""
    found = await sealed_reply(
        world.context, await _who(world, request), str(request.path_params["reply"])
    )
    return StreamingResponse(
        found.parts,
        media_type=AGE,
        headers={
            "Content-Length": str(found.size),
            "Content-Disposition": f'attachment; filename="antwort-{found.id}.age"',
        },
    )


@contextmanager
def _one_upload(mailbox: MailboxId) -> Iterator[None]:
    if mailbox in _uploading:
        raise RequestRefused("sending-already")
    if len(_uploading) >= MAX_UPLOADS:
        raise RequestRefused("unavailable")
    _uploading.add(mailbox)
    try:
        yield
    finally:
        _uploading.discard(mailbox)


def _base64(request: Request, name: str, *, size: int | None = None) -> bytes:
    try:
        raw = base64.b64decode(request.headers.get(name, ""), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or (size is not None and len(raw) != size):
        raise InputInvalid(name, "no base64 of the right length")
    return raw


def _hex(request: Request, name: str) -> bytes:
    try:
        return from_hex(request.headers.get(name), name, size=32)
    except FormatError:
        raise InputInvalid(name, "no SHA-256 in lower-case hex") from None


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
