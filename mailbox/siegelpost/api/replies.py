"""``/v1/replies``: what citizens and delegates sent to the agency, in the terms of HTTP."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from siegelpost.api.queries import invalid, number
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.times import format_time
from siegelpost.notices.agency_replies import (
    PAGE_LIMIT,
    AgencyReply,
    fetch_reply,
    list_replies,
    signed_reply,
)
from siegelpost.notices.errors import NoSuchReply
from siegelpost.notices.inbox import CursorInvalid
from siegelpost.store.context import Context

SCOPE = "replies:read"
_WAITING = {"true": True, "false": False}
_MAX_ID = 100


class ReplyEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._tokens = tokens

    async def list(self, request: Request) -> Response:
        """Answer with the agency's replies, oldest first."""
        sender = self._tokens.check(request.headers.get("authorization"), SCOPE)
        waiting = _WAITING.get(request.query_params.get("waiting", "true"))
        if waiting is None:
            raise invalid("waiting", "true or false")
        cursor = request.query_params.get("cursor")
        if cursor is not None and not _is_id(cursor):
            raise invalid("cursor", "the `next` of an answer")
        try:
            page = await list_replies(
                self._context,
                sender.agency_id,
                waiting=waiting,
                cursor=cursor,
                limit=number(request, "limit", default=50, least=1, most=PAGE_LIMIT),
            )
        except CursorInvalid:
            raise invalid("cursor", "the `next` of an answer") from None
        return _json({"replies": [_reply(each) for each in page.replies], "next": page.next})

    async def get(self, request: Request) -> Response:
        """Answer with one reply: who signed what, and the proof of the key."""
        sender = self._tokens.check(request.headers.get("authorization"), SCOPE)
        found = await signed_reply(self._context, sender.agency_id, _id(request))
        return _json(
            {
                **_reply(found.reply),
                "statement": found.statement,
                "signature": found.signature.hex(),
                "bound": found.bound.json(),
            }
        )

    async def get_package(self, request: Request) -> Response:
        """Answer with the age file, after the event."""
        sender = self._tokens.check(request.headers.get("authorization"), SCOPE)
        found = await fetch_reply(self._context, sender, _id(request))
        return StreamingResponse(
            found.parts,
            media_type="application/age",
            headers={
                "Content-Length": str(found.size),
                "Content-Disposition": f'attachment; filename="antwort-{found.id}.age"',
                "Cache-Control": "private, no-store",
                # What was asked before this fetching could not know it yet.
                "Siegelpost-Fetched-At": format_time(found.fetched_at),
            },
        )


def _id(request: Request) -> str:
    text = str(request.path_params["reply_id"])
    if not _is_id(text):
        raise NoSuchReply("no such reply")
    return text


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _MAX_ID and "\0" not in text


def _reply(reply: AgencyReply) -> dict[str, Any]:
    return {
        "id": reply.id,
        "notice": reply.notice,
        "enrolment": reply.enrolment,
        "reference": reply.reference,
        "mandate": reply.mandate,
        "received_at": format_time(reply.received_at),
        "size": reply.size,
        "fetched_at": None if reply.fetched_at is None else format_time(reply.fetched_at),
    }


def _json(value: dict[str, Any]) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode("utf-8"),
        media_type="application/json",
        headers={"Cache-Control": "private, no-store"},
    )
