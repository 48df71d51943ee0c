"""``/v1/enrolments``: announce a citizen, get the activation code and the letter to post."""

from __future__ import annotations

import base64
import json

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import EnrolmentIn, parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.citizens.enrol import enrol
from siegelpost.evidence.times import format_time
from siegelpost.store.context import Context


class EnrolmentEndpoint:
    """The endpoint over one service."""

    def __init__(self, context: Context, settings: ApiSettings, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._settings = settings
        self._tokens = tokens

    async def post(self, request: Request) -> Response:
        """Make or renew an enrolment; the code is in this answer and nowhere else."""
        sender = self._tokens.check(request.headers.get("authorization"), "enrolments:write")
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise ApiProblem("media-type", "application/json is needed")
        asked = parse(EnrolmentIn, await read_small(request, self._settings))
        made = await enrol(
            self._context,
            agency_id=sender.agency_id,
            client_id=sender.client_id,
            reference=asked.reference,
            salutation=asked.salutation,
            birth_date=asked.birth_date,
            language=asked.language,
            address=asked.address.address(),
            portal_address=self._settings.portal_url,
        )
        return Response(
            json.dumps(
                {
                    "id": made.enrolment_id,
                    "activation_code": made.activation_code,
                    "code_expires_at": format_time(made.code_expires_at),
                    "letter_pdf": base64.b64encode(made.letter_pdf).decode("ascii"),
                }
            ),
            status_code=201,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
