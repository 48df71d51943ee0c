"""``/v1/notices``: dispatch, status and receipt, in the terms of HTTP."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.multipart import read_parts
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import NoticeIn, parse
from siegelpost.api.sealed import parse_sealed, post_sealed
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence import canonical
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import NoticeId, check_id
from siegelpost.evidence.times import format_time
from siegelpost.notices.delivering import Dispatched
from siegelpost.notices.dispatch import dispatch
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.errors import KeyReused, NoSuchNotice, Refusal, RefusalCode
from siegelpost.notices.pdf_receipts import pdf_receipt_for_agency
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.notices.refusals import RefusalJournal
from siegelpost.notices.status import Status, StatusAlert, status
from siegelpost.store.context import Context

_KEY = re.compile(r"[\x21-\x7e]+")


class NoticeEndpoints:
    """The endpoints over one service."""

    def __init__(self, context: Context, settings: ApiSettings, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._settings = settings
        self._tokens = tokens
        self._journal = RefusalJournal(settings.limits)

    async def post(self, request: Request) -> Response:
        """Dispatch one notice: 201 once it is durable."""
        headers = request.headers
        sender = self._tokens.check(headers.get("authorization"), "notices:write")
        key = headers.get("idempotency-key", "")
        if len(key) > self._settings.limits.idempotency_key_length or not _KEY.fullmatch(key):
            raise ApiProblem("idempotency-key-missing")
        enrolment: str | None = None
        try:
            parts = await read_parts(request, self._settings)
            if parts.sealed:
                sealed = parse_sealed(parts.notice)
                enrolment = sealed.enrolment
                made = await post_sealed(self._context, self._settings, sender, sealed, parts, key)
            else:
                notice = parse(NoticeIn, parts.notice)
                enrolment = notice.enrolment
                made = await dispatch(
                    self._context,
                    self._settings.limits,
                    sender,
                    notice.request(key, parts.documents),
                )
        except Refusal as refusal:
            await self._refused(sender, refusal.code, enrolment)
            raise
        except (ApiProblem, KeyReused) as error:
            changed = isinstance(error, ApiProblem) and error.code == "key-changed"
            code = RefusalCode.KEY_CHANGED if changed else RefusalCode.REQUEST_INVALID
            await self._refused(sender, code, enrolment)
            raise
        return Response(
            canonical.encode(_made(made)),
            status_code=201,
            media_type="application/json",
            headers={"Location": f"/v1/notices/{made.id}"},
        )

    async def get(self, request: Request) -> Response:
        """Answer with a notice's state, events and alerts."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:read")
        found = await status(self._context, sender.agency_id, _notice_id(request))
        return _json(_status(found))

    async def get_receipt(self, request: Request) -> Response:
        """Answer with the agency's receipt as a file: JSON, or a sealed PDF if asked for."""
        sender = self._tokens.check(request.headers.get("authorization"), "receipts:read")
        notice_id = _notice_id(request)
        kind, vary = _receipt_kind(request), {"Vary": "Accept, Accept-Language"}
        if kind == "pdf":
            receipt = await pdf_receipt_for_agency(
                self._context, sender.agency_id, notice_id, language=_language(request)
            )
        else:
            receipt = await receipt_for_agency(self._context, sender.agency_id, notice_id)
        return Response(
            receipt,
            media_type=f"application/{kind}",
            headers={
                **vary,
                "Content-Disposition": f'attachment; filename="receipt-{notice_id}.{kind}"',
                "Cache-Control": "private, no-store",
            },
        )

    async def _refused(self, sender: Sender, code: RefusalCode, enrolment: str | None) -> None:
        if code is not RefusalCode.UNKNOWN_CLIENT:
            await self._journal.record(self._context, sender, code, enrolment_id=enrolment)


def _receipt_kind(request: Request) -> Literal["json", "pdf"]:
    """What is asked for: by ``format``, else by Accept; JSON unless only a PDF is welcome."""
    asked = request.query_params.get("format")
    if asked is not None:
        if asked not in ("json", "pdf"):
            raise ApiProblem("request-invalid", "format is json or pdf")
        return "pdf" if asked == "pdf" else "json"
    accepted = request.headers.get("accept", "")[:1000].lower()
    kinds = [part.partition(";")[0].strip() for part in accepted.split(",")]
    json_too = {"application/json", "application/*", "*/*"} & set(kinds)
    return "pdf" if "application/pdf" in kinds and not json_too else "json"


def _language(request: Request) -> Literal["de", "en"]:
    asked = request.query_params.get("language", "")
    return "en" if (asked or request.headers.get("accept-language", "de")[:2]) == "en" else "de"


def _notice_id(request: Request) -> NoticeId:
    try:
        return NoticeId(check_id(request.path_params["notice_id"]))
    except FormatError:
        raise NoSuchNotice("no such notice") from None


def _made(made: Dispatched) -> dict[str, Any]:
    return {
        "id": made.id,
        "state": made.state.value,
        "provided_at": format_time(made.provided_at),
        "acceptance": made.acceptance,
        "documents": [
            {
                "commitment": document.commitment.hex(),
                "salt": document.salt.hex(),
                "size": document.size,
            }
            for document in made.documents
        ],
    }


def _status(found: Status) -> dict[str, Any]:
    return {
        "id": found.id,
        "enrolment": found.enrolment_id,
        "state": found.state,
        "regime": found.regime,
        "provided_at": format_time(found.provided_at),
        "retrieved_at": format_time(found.retrieved_at) if found.retrieved_at else None,
        "acknowledged_at": format_time(found.acknowledged_at) if found.acknowledged_at else None,
        "acceptance": found.acceptance,
        "events": [
            {
                "id": event.id,
                "type": event.type,
                "at": format_time(event.at),
                "facts": event.facts,
                "commitment": event.commitment.hex(),
                "leaf_index": event.leaf_index,
            }
            for event in found.events
        ],
        "alert": _alert(found.alerts[0]) if found.alerts else None,
        "reminders": [_alert(alert) for alert in found.alerts[1:]],
        "deadline": found.deadline,
    }


def _alert(alert: StatusAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "state": alert.state,
        "created_at": format_time(alert.created_at),
        "finished_at": format_time(alert.finished_at) if alert.finished_at else None,
        "attempts": [
            {
                "number": attempt.number,
                "started_at": format_time(attempt.started_at),
                "ended_at": format_time(attempt.ended_at),
                "outcome": attempt.outcome,
                "evidence": attempt.evidence,
            }
            for attempt in alert.attempts
        ],
    }


def _json(value: dict[str, Any]) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode("utf-8"),
        media_type="application/json",
        headers={"Cache-Control": "private, no-store"},
    )
