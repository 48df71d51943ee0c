"""``/v1/enrolments``: announce a citizen, get the activation code and the letter to post."""

from __future__ import annotations

import base64
import json

from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.bodies import read_small
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import EnrolmentIn, RenewalIn, parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.citizens.enrol import Enrolled, enrol
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.renew import renewal_letter
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
        asked = parse(EnrolmentIn, await self._body(request))
        if asked.managed and not self._settings.managed_mailboxes:
            raise InputInvalid("managed", "managed mailboxes are not allowed here")
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
            managed_allowed=asked.managed,
        )
        return _answer(made)

    async def post_renewal(self, request: Request) -> Response:
        """Make a letter for a new key of an active mailbox whose owner lost everything."""
        sender = self._tokens.check(request.headers.get("authorization"), "enrolments:write")
        asked = parse(RenewalIn, await self._body(request))
        made = await renewal_letter(
            self._context,
            agency_id=sender.agency_id,
            client_id=sender.client_id,
            enrolment_id=request.path_params["enrolment_id"],
            address=asked.address.address(),
            portal_address=self._settings.portal_url,
        )
        return _answer(made)

    async def _body(self, request: Request) -> bytes:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise ApiProblem("media-type", "application/json is needed")
        return await read_small(request, self._settings)


def _answer(made: Enrolled) -> Response:
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
