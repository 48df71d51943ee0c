"""The legal clock over HTTP: a notice's deadline, and what an agency adds to its history.

``GET /v1/notices/{id}/deadline``; ``POST`` of ``disputes``, ``arrivals``, ``paper``,
``remedy-faults`` and ``withdraw`` under the notice.
Each of these answers with the deadline as it is afterwards.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import ArrivalIn, DisputeIn, Model, PaperIn, RemedyFaultIn, parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import AgencyId, AlertId, EventId, NoticeId, check_id
from siegelpost.evidence.times import format_time
from siegelpost.notices.arrive import ArrivalInvalid, Arrived, Means, ShownBy, record_arrival
from siegelpost.notices.deadline import Standing, deadline_for_agency
from siegelpost.notices.dispute import Claim, ClaimInvalid, Dispute, dispute
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.paper import PaperInvalid, send_paper
from siegelpost.notices.remedy import Fault, record_fault
from siegelpost.notices.withdraw import withdraw
from siegelpost.store.context import Context


class ClockEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context, settings: ApiSettings, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._settings = settings
        self._tokens = tokens

    async def get(self, request: Request) -> Response:
        """Answer with where the clock stands, and what it said before."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:read")
        return await self._answer(sender.agency_id, _notice_id(request))

    async def post_dispute(self, request: Request) -> Response:
        """Record that the citizen denies the alert, or says it came late."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        notice_id = _notice_id(request)
        asked = await self._read(request, DisputeIn)
        try:
            event, new = await dispute(
                self._context,
                sender,
                notice_id,
                Dispute(
                    claim=Claim(asked.claim),
                    received_at=asked.received_at,
                    alert=None if asked.alert is None else AlertId(asked.alert),
                ),
            )
        except ClaimInvalid as error:
            raise _invalid("received_at", error) from None
        return await self._answer(sender.agency_id, notice_id, event=event, new=new)

    async def post_arrival(self, request: Request) -> Response:
        """Record when the alert arrived."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        notice_id = _notice_id(request)
        asked = await self._read(request, ArrivalIn)
        try:
            event, new = await record_arrival(
                self._context,
                sender,
                notice_id,
                Arrived(
                    shown_by=ShownBy(asked.shown_by),
                    means=Means(asked.means),
                    received_at=asked.received_at,
                    alert=None if asked.alert is None else AlertId(asked.alert),
                ),
            )
        except ArrivalInvalid as error:
            raise _invalid("received_at", error) from None
        return await self._answer(sender.agency_id, notice_id, event=event, new=new)

    async def post_remedy_fault(self, request: Request) -> Response:
        """Record that the instruction on remedies is missing or wrong."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        notice_id = _notice_id(request)
        asked = await self._read(request, RemedyFaultIn)
        event, new = await record_fault(self._context, sender, notice_id, Fault(asked.fault))
        return await self._answer(sender.agency_id, notice_id, event=event, new=new)

    async def post_paper(self, request: Request) -> Response:
        """Record that the notice was sent by post."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        notice_id = _notice_id(request)
        asked = await self._read(request, PaperIn)
        try:
            event, new = await send_paper(self._context, sender, notice_id, posted_at=asked.at)
        except PaperInvalid as error:
            raise _invalid("at", error) from None
        return await self._answer(sender.agency_id, notice_id, event=event, new=new)

    async def post_withdraw(self, request: Request) -> Response:
        """Take back a notice that is neither opened nor served."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        notice_id = _notice_id(request)
        at = await withdraw(self._context, sender, notice_id)
        return await self._answer(sender.agency_id, notice_id, withdrawn_at=at)

    async def _read(self, request: Request, model: type[Model]) -> Model:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise ApiProblem("media-type", "application/json is needed")
        return parse(model, await read_small(request, self._settings))

    async def _answer(
        self,
        agency: AgencyId,
        notice: NoticeId,
        *,
        event: EventId | None = None,
        new: bool = False,
        withdrawn_at: datetime | None = None,
    ) -> Response:
        value = _standing(await deadline_for_agency(self._context, agency, notice))
        if event is not None:
            value = {"event": event, "deadline": value}
        elif withdrawn_at is not None:
            value = {"withdrawn_at": format_time(withdrawn_at), "deadline": value}
        return Response(
            json.dumps(value, ensure_ascii=False).encode("utf-8"),
            status_code=201 if new else 200,
            media_type="application/json",
            headers={"Cache-Control": "private, no-store"},
        )


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "notice": standing.notice,
        **standing.value,
        "earlier": [
            {
                "number": before.number,
                "computed_at": format_time(before.computed_at),
                "state": before.state,
                "deemed": before.deemed.isoformat() if before.deemed else None,
                "end": before.end.isoformat() if before.end else None,
                "rule": before.rule,
                "rule_set": before.rule_set,
                "review": before.review,
            }
            for before in standing.earlier
        ],
    }


def _notice_id(request: Request) -> NoticeId:
    try:
        return NoticeId(check_id(request.path_params["notice_id"]))
    except FormatError:
        raise NoSuchNotice("no such notice") from None


def _invalid(at: str, error: Exception) -> ApiProblem:
    return ApiProblem("request-invalid", errors=[{"at": f"/{at}", "reason": str(error)}])
