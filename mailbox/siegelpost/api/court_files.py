"""``/v1/notices/{id}/court-file``: everything that proves a notice, in one file for a court."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.answers import ProblemOut
from siegelpost.api.openapi import answers, secured
from siegelpost.api.queries import invalid
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.court_file import MEDIA_TYPE
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import NoticeId, check_id
from siegelpost.evidence.redacted import Redaction
from siegelpost.notices.court_file import make_court_file
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.store.context import Context

SCOPE = "court-files:read"

COURT_FILE: Final[dict[str, Any]] = {
    "summary": "The court file of a notice: receipt, proofs, timestamps and reports in one file",
    "description": "An ASiC-E container (ETSI EN 319 162-1) that verifies offline, with a guide in "
    "German. `full` holds e-mail addresses.",
    "responses": {
        **answers(200, ProblemOut, "", ["not-found", "not-yet-logged", "request-invalid"]),
        200: {
            "description": "The container.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    "openapi_extra": secured(
        SCOPE,
        parameters=[
            {
                "name": "redaction",
                "in": "query",
                "required": True,
                "description": "How much is given away.",
                "schema": {"type": "string", "enum": [level.value for level in Redaction]},
            }
        ],
    ),
}


class CourtFileEndpoint:
    """The endpoint over one service."""

    def __init__(self, context: Context, tokens: Tokens) -> None:
        """Make court files of ``context``'s notices."""
        self._context = context
        self._tokens = tokens

    async def get(self, request: Request) -> Response:
        """Answer with the container; what is given away is said in the call, never guessed."""
        sender = self._tokens.check(request.headers.get("authorization"), SCOPE)
        try:
            notice_id = NoticeId(check_id(request.path_params["notice_id"]))
        except FormatError:
            raise NoSuchNotice("no such notice") from None
        try:
            redaction = Redaction(request.query_params.get("redaction", ""))
        except ValueError:
            levels = ", ".join(level.value for level in Redaction)
            raise invalid("redaction", f"one of {levels}") from None
        made = await make_court_file(
            self._context, sender.agency_id, notice_id, redaction=redaction
        )
        return Response(
            made,
            media_type=MEDIA_TYPE,
            headers={
                "Content-Disposition": f'attachment; filename="gerichtsakte-{notice_id}.asice"',
                "Cache-Control": "private, no-store",
            },
        )
