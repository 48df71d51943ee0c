"""Around every request: an id, one log line, metrics, and an answer for every error.

Plain ASGI: Starlette's BaseHTTPMiddleware would copy and re-queue every body.
Log lines hold route templates and codes, never bodies, parameters or error texts of others.
"""

from __future__ import annotations

import time
import traceback
import uuid

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from siegelpost.api.health import Metrics
from siegelpost.api.problems import problem_response, response_for

log = structlog.get_logger("siegelpost.api")

_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class Envelope:
    """Wraps the API."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap ``app`` and count in ``metrics``."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"]:  # no id holds it, and PostgreSQL refuses to look for it
            scope["path"] = scope["path"].replace("\0", "\ufffd")
        begun = time.perf_counter()
        request_id = uuid.uuid4().hex
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode("ascii")),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        problem: str | None = None
        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            problem = "client-disconnected"
        except Exception as error:
            problem = type(error).__name__
            if status:
                raise
            response = _response(error, request_id)
            await response(scope, receive, send_with_id)
        seconds = time.perf_counter() - begun
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.answered(scope["method"], route, status, seconds)
        if route not in _QUIET:
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
                request_id=request_id,
                problem=problem,
            )


def _response(error: Exception, request_id: str) -> Response:
    expected = response_for(error, request_id=request_id)
    if expected is not None:
        return expected
    if isinstance(error, HTTPException):
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "bad-request")
        return problem_response(code, request_id=request_id, headers=error.headers)
    # Where it happened, without the error's own words: they may quote a notice.
    frames = traceback.extract_tb(error.__traceback__)
    log.error(
        "unexpected error",
        kind=type(error).__name__,
        at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
        request_id=request_id,
    )
    return problem_response("internal-error", request_id=request_id)
