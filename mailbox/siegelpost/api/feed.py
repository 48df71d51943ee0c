"""``GET /v1/events``: what happened to the agency's notices, in the order of the log."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.queries import number
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.times import format_time
from siegelpost.notices.feed import PAGE_LIMIT, FeedItem, list_events
from siegelpost.store.context import Context

_LARGEST = (1 << 53) - 1


class FeedEndpoint:
    """The endpoint over one service."""

    def __init__(self, context: Context, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._tokens = tokens

    async def get(self, request: Request) -> Response:
        """Answer with the events from a place of the log on."""
        sender = self._tokens.check(request.headers.get("authorization"), "events:read")
        page = await list_events(
            self._context,
            sender.agency_id,
            since=number(request, "cursor", default=0, least=0, most=_LARGEST),
            limit=number(request, "limit", default=50, least=1, most=PAGE_LIMIT),
        )
        value = {
            "events": [_item(item) for item in page.items],
            "next": page.next,
            "more": page.more,
        }
        return Response(
            json.dumps(value, ensure_ascii=False).encode("utf-8"),
            media_type="application/json",
            headers={"Cache-Control": "private, no-store"},
        )


def _item(item: FeedItem) -> dict[str, Any]:
    return {
        "leaf_index": item.leaf_index,
        "id": item.id,
        "type": item.type,
        "at": format_time(item.at),
        "notice": item.notice,
        "enrolment": item.enrolment,
        "facts": item.facts,
        "commitment": item.commitment.hex(),
        "deadline": item.deadline,
    }
