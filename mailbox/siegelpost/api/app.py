"""The API as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siegelpost.api import openapi, openapi_clock, openapi_feed, openapi_replies, openapi_sealed
from siegelpost.api.clock import ClockEndpoints
from siegelpost.api.court_files import COURT_FILE, CourtFileEndpoint
from siegelpost.api.enrolments import EnrolmentEndpoint
from siegelpost.api.feed import FeedEndpoint
from siegelpost.api.health import HealthEndpoints, Metrics
from siegelpost.api.log import LogEndpoints
from siegelpost.api.middleware import Envelope
from siegelpost.api.notices import NoticeEndpoints
from siegelpost.api.oauth import TokenEndpoint
from siegelpost.api.replies import ReplyEndpoints
from siegelpost.api.sandbox import SandboxClock, SandboxEndpoint
from siegelpost.api.sealed import RecipientsEndpoint
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tasks import TaskEndpoints
from siegelpost.api.tokens import Tokens
from siegelpost.api.wkd import KeyDirectory
from siegelpost.store.clock import SystemClock
from siegelpost.store.context import Context


class _BareRoute(APIRoute):
    """A route whose endpoint takes the request as it is: nothing to be resolved per request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint itself."""
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def create_api(
    context: Context, settings: ApiSettings, *, sandbox: SandboxClock | None = None
) -> FastAPI:
    """Build the API over ``context``; ``sandbox`` adds the clock that a sandbox has.

    Handlers take the bare request: form parsing and per-request dependencies would double the
    cost of a dispatch; what they take and answer is described in ``openapi``, by an application of
    its own that is built when somebody asks for it.
    No pages for trying it out: they would load scripts from elsewhere.
    """
    app = _application()
    described: list[tuple[str, str, Any, dict[str, Any]]] = []
    metrics = Metrics(CollectorRegistry())
    # Clients of a sandbox sign with their own clocks, which are real.
    signing = context if sandbox is None else replace(context, clock=SystemClock())
    tokens = Tokens(signing, settings)
    notices = NoticeEndpoints(context, settings, tokens)
    enrolments = EnrolmentEndpoint(context, settings, tokens)
    tasks = TaskEndpoints(context, settings, tokens)
    clock = ClockEndpoints(context, settings, tokens)
    log = LogEndpoints(context)
    health = HealthEndpoints(context, metrics)

    def route(method: str, path: str, endpoint: Any, **description: Any) -> None:
        app.add_api_route(path, endpoint, methods=[method], response_model=None)
        described.append((method, path, endpoint, description))

    route("POST", "/oauth/token", TokenEndpoint(signing, settings, tokens).post, **openapi.TOKEN)
    route("POST", "/v1/enrolments", enrolments.post, status_code=201, **openapi.ENROL)
    path = "/v1/enrolments/{enrolment_id}/renew"
    route("POST", path, enrolments.post_renewal, status_code=201, **openapi.RENEW)
    sealing = RecipientsEndpoint(context, tokens)
    path = "/v1/enrolments/{enrolment_id}/recipients"
    route("GET", path, sealing.get, **openapi_sealed.RECIPIENTS)
    route("POST", "/v1/notices", notices.post, status_code=201, **openapi.DISPATCH)
    route("GET", "/v1/notices/{notice_id}", notices.get, **openapi.STATUS)
    route("GET", "/v1/notices/{notice_id}/receipt", notices.get_receipt, **openapi.RECEIPT)
    court_files = CourtFileEndpoint(context, tokens)
    route("GET", "/v1/notices/{notice_id}/court-file", court_files.get, **COURT_FILE)
    route("GET", "/v1/notices/{notice_id}/deadline", clock.get, **openapi_clock.DEADLINE)
    for name, post, texts in (
        ("disputes", clock.post_dispute, openapi_clock.DISPUTE),
        ("arrivals", clock.post_arrival, openapi_clock.ARRIVAL),
        ("remedy-faults", clock.post_remedy_fault, openapi_clock.REMEDY_FAULT),
        ("paper", clock.post_paper, openapi_clock.PAPER),
    ):
        route("POST", f"/v1/notices/{{notice_id}}/{name}", post, status_code=201, **texts)
    route("POST", "/v1/notices/{notice_id}/withdraw", clock.post_withdraw, **openapi_clock.WITHDRAW)
    route("GET", "/v1/events", FeedEndpoint(context, tokens).get, **openapi_feed.FEED)
    replies = ReplyEndpoints(context, tokens)
    route("GET", "/v1/replies", replies.list, **openapi_replies.REPLIES)
    route("GET", "/v1/replies/{reply_id}", replies.get, **openapi_replies.REPLY)
    path = "/v1/replies/{reply_id}/package"
    route("GET", path, replies.get_package, **openapi_replies.REPLY_PACKAGE)
    route("GET", "/v1/tasks", tasks.list, **openapi.TASKS)
    route("POST", "/v1/tasks/{task_id}/close", tasks.close, **openapi.CLOSE_TASK)
    if sandbox is not None:
        moving = SandboxEndpoint(sandbox, settings, tokens)
        route("GET", "/v1/sandbox/clock", moving.get, include_in_schema=False)
        route("POST", "/v1/sandbox/clock", moving.post, include_in_schema=False)
    for path, endpoint in (
        ("/log/checkpoint", log.get_checkpoint),
        ("/log/tile/{path:path}", log.get_tile),
        ("/log/assets", log.get_assets),
        ("/livez", health.livez),
        ("/readyz", health.readyz),
        ("/metrics", health.metrics),
    ):
        route("GET", path, endpoint, include_in_schema=False)

    directory = KeyDirectory(context)
    for path, name in directory.paths:
        route("GET", path, getattr(directory, name), include_in_schema=False)

    @cache
    def description() -> Mapping[str, Any]:
        whole = _application()
        for method, path, endpoint, parts in described:
            whole.add_api_route(path, endpoint, methods=[method], response_model=None, **parts)
        return openapi.describe(whole, settings)

    async def get_description(request: Request) -> Response:
        return JSONResponse(description())

    route("GET", "/openapi.json", get_description, include_in_schema=False)
    app.add_middleware(Envelope, metrics=metrics)
    app.add_exception_handler(HTTPException, _raise)
    return app


def _application() -> FastAPI:
    app = FastAPI(
        title="Siegelpost",
        version=openapi.VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = _BareRoute
    return app


async def _raise(request: Request, error: Exception) -> Response:
    # Starlette would answer in plain text; the envelope answers with a problem.
    raise error
