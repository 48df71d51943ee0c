"""``/v1/tasks``: what an agency has to do, in the terms of HTTP."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.problems import ApiProblem
from siegelpost.api.queries import invalid, number
from siegelpost.api.schemas import TaskCloseIn, parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.times import format_time
from siegelpost.notices.errors import NoSuchTask
from siegelpost.notices.tasks import (
    PAGE_LIMIT,
    PostingInFuture,
    Task,
    TaskOutcome,
    close,
    list_tasks,
)
from siegelpost.store.context import Context

_STATES: dict[str, bool | None] = {"open": True, "closed": False, "all": None}
_LARGEST = (1 << 31) - 1
_MAX_ID = 100


class TaskEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context, settings: ApiSettings, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._settings = settings
        self._tokens = tokens

    async def list(self, request: Request) -> Response:
        """Answer with the agency's tasks after a number."""
        sender = self._tokens.check(request.headers.get("authorization"), "tasks:read")
        state = request.query_params.get("state", "open")
        if state not in _STATES:
            raise invalid("state", "open, closed or all")
        page = await list_tasks(
            self._context,
            sender.agency_id,
            after=number(request, "after", default=0, least=0, most=_LARGEST),
            limit=number(request, "limit", default=100, least=1, most=PAGE_LIMIT),
            is_open=_STATES[state],
        )
        return _json(
            {"tasks": [_task(task) for task in page.tasks], "next": page.next, "more": page.more}
        )

    async def close(self, request: Request) -> Response:
        """Close one task."""
        sender = self._tokens.check(request.headers.get("authorization"), "tasks:write")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise ApiProblem("media-type", "application/json is needed")
        asked = parse(TaskCloseIn, await read_small(request, self._settings))
        if (asked.outcome is TaskOutcome.PAPER_SENT) is not (asked.at is not None):
            raise invalid("at", "needed with paper-sent, and only there")
        task_id = request.path_params["task_id"]
        if len(task_id) > _MAX_ID or "\0" in task_id:
            raise NoSuchTask("no such task")
        try:
            closed = await close(self._context, sender, task_id, asked.outcome, posted_at=asked.at)
        except PostingInFuture as error:
            raise invalid("at", str(error)) from None
        return _json(_task(closed))


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "number": task.number,
        "kind": task.kind.value,
        "state": "open" if task.closed_at is None else "closed",
        "notice": task.notice,
        "enrolment": task.enrolment,
        "alert": task.alert,
        "facts": task.facts,
        "opened_at": format_time(task.opened_at),
        "due_at": format_time(task.due_at),
        "closed_at": format_time(task.closed_at) if task.closed_at else None,
        "closed_by": task.closed_by,
        "outcome": task.outcome,
    }


def _json(value: dict[str, Any]) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode("utf-8"),
        media_type="application/json",
        headers={"Cache-Control": "private, no-store"},
    )
