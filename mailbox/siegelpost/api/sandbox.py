"""``/v1/sandbox/clock``: a sandbox's time, and moving it. Does not exist anywhere else."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.times import format_time

_DURATION = re.compile(
    r"P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?", re.ASCII
)


class SandboxClock(Protocol):
    """The clock of a sandbox, and everything that runs by it."""

    def now(self) -> datetime:
        """The sandbox's time."""
        ...

    async def advance(self, by: timedelta) -> datetime:
        """Move it, do what falls due, return the new time; ValueError if it can't be moved so."""
        ...


class ClockMoveIn(BaseModel):
    """Body of ``POST /v1/sandbox/clock``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    advance: Annotated[
        str | int,
        Field(description="ISO 8601 duration of weeks to seconds, or seconds.", examples=["P10D"]),
    ]


class SandboxEndpoint:
    """The endpoint over one sandbox."""

    def __init__(self, clock: SandboxClock, settings: ApiSettings, tokens: Tokens) -> None:
        """Show and move ``clock``."""
        self._clock = clock
        self._settings = settings
        self._tokens = tokens

    async def get(self, request: Request) -> Response:
        """Answer with the sandbox's time."""
        self._tokens.check(request.headers.get("authorization"), "notices:read")
        return _now(self._clock.now())

    async def post(self, request: Request) -> Response:
        """Move time forward; answered once everything that fell due is done."""
        self._tokens.check(request.headers.get("authorization"), "notices:write")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise ApiProblem("media-type", "application/json is needed")
        asked = parse(ClockMoveIn, await read_small(request, self._settings))
        try:
            return _now(await self._clock.advance(duration(asked.advance)))
        except ValueError as error:
            reason = {"at": "/advance", "reason": str(error)}
            raise ApiProblem("request-invalid", errors=[reason]) from None


def duration(value: str | int) -> timedelta:
    """The time span of a body; ValueError if it is none. Months and years have no fixed length."""
    if isinstance(value, int):
        if not 0 <= value <= 10**9:
            raise ValueError("seconds from 0 on")
        return timedelta(seconds=value)
    match = _DURATION.fullmatch(value)
    if match is None or not any(match.groups()):
        raise ValueError("no duration such as P10D, PT36H or P1DT12H")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _now(at: datetime) -> Response:
    return Response(
        json.dumps({"now": format_time(at)}).encode("ascii"),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
