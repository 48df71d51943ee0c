"""Sealing on the agency's side in the terms of HTTP: the recipients, and the sealed dispatch."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response

from siegelpost.api.multipart import Parts
from siegelpost.api.problems import ApiProblem
from siegelpost.api.schemas import CircumstancesIn, Identifier, Strict, parse
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import Tokens
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.notices.delivering import Dispatched
from siegelpost.notices.dispatch_sealed import dispatch_sealed
from siegelpost.notices.eligibility import MAX_KEYS, Sender
from siegelpost.notices.errors import KeyChanged, NotYetLogged, Refusal, RefusalCode
from siegelpost.notices.recipients import Recipients, recipients
from siegelpost.notices.sealed_request import SealedRequest, StatedDocument
from siegelpost.sealing.manifest import MAX_DOCUMENTS, Remedy
from siegelpost.store.context import Context

_Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f" * 32])]
_MAX_ID = 100


class SealedDocumentIn(Strict):
    """What is said of a document inside the sealed package."""

    commitment: Annotated[
        _Hex32,
        Field(description='SHA-256("siegelpost/document/v1" ‖ 0 ‖ salt ‖ document), hexadecimal.'),
    ]
    salt: Annotated[_Hex32, Field(description="The agency's own, random. Comes back in receipts.")]
    size: Annotated[int, Field(ge=0, le=1 << 32, examples=[104857])]


class SealedNoticeIn(Strict):
    """The part ``notice`` of a dispatch that the agency has sealed."""

    id: Annotated[Identifier, Field(description="The manifest's; a fresh UUIDv7.")]
    enrolment: Identifier
    keys: Annotated[
        list[Identifier],
        Field(min_length=1, max_length=MAX_KEYS, description="Ids of all that it is sealed to."),
    ]
    regime: Literal["sgb10-37-2a", "sgb10-37-2", "vwvfg-41-2a", "ozg-9", "ao-122a", "vwzg-5a"] = (
        "sgb10-37-2a"
    )
    remedy: Remedy
    issued_at: AwareDatetime
    documents: Annotated[list[SealedDocumentIn], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    circumstances: CircumstancesIn = CircumstancesIn()
    reprovides: Annotated[
        Identifier | None,
        Field(
            description="Id of the notice whose documents these are, to provide them again; "
            "commit with its salts, so that the commitments are the same."
        ),
    ] = None

    def request(self, idempotency_key: str, parts: Parts) -> SealedRequest:
        """The call as the use case takes it."""
        return SealedRequest(
            idempotency_key=idempotency_key,
            enrolment_id=self.enrolment,
            notice_id=NoticeId(self.id),
            keys=frozenset(KeyId(key) for key in self.keys),
            regime=self.regime,
            remedy=self.remedy,
            issued_at=self.issued_at,
            documents=[
                StatedDocument(
                    commitment=bytes.fromhex(document.commitment),
                    salt=bytes.fromhex(document.salt),
                    size=document.size,
                )
                for document in self.documents
            ],
            cover=parts.cover,
            package=parts.package,
            circumstances=self.circumstances.circumstances(),
            reprovides=self.reprovides,
        )


class RecipientsEndpoint:
    """``/v1/enrolments/{id}/recipients`` over one service."""

    def __init__(self, context: Context, tokens: Tokens) -> None:
        """Serve the agencies' clients."""
        self._context = context
        self._tokens = tokens

    async def get(self, request: Request) -> Response:
        """Answer with the current keys of the enrolment's mailbox, each with its proof."""
        sender = self._tokens.check(request.headers.get("authorization"), "notices:write")
        enrolment = request.path_params["enrolment_id"]
        if len(enrolment) > _MAX_ID or "\0" in enrolment:
            raise Refusal(RefusalCode.ENROLMENT_UNKNOWN, "the agency has no such enrolment")
        return Response(
            json.dumps(_recipients(await recipients(self._context, sender, enrolment))),
            media_type="application/json",
            headers={"Cache-Control": "private, no-store"},
        )


async def post_sealed(
    context: Context,
    settings: ApiSettings,
    sender: Sender,
    notice: SealedNoticeIn,
    parts: Parts,
    key: str,
) -> Dispatched:
    """Dispatch sealed parts; ApiProblem ``key-changed`` with the keys to seal to instead."""
    try:
        request = notice.request(key, parts)
        return await dispatch_sealed(context, settings.limits, sender, request)
    except KeyChanged as changed:
        members: dict[str, Any] = {}
        try:
            now = await recipients(context, sender, changed.enrolment_id)
            members["recipients"] = _recipients(now)
        except NotYetLogged:
            pass  # the client asks for them in a few seconds
        raise ApiProblem("key-changed", str(changed), members=members) from None


def parse_sealed(text: bytes) -> SealedNoticeIn:
    """The value of the part ``notice``; ApiProblem ``request-invalid``."""
    return parse(SealedNoticeIn, text)


def _recipients(found: Recipients) -> dict[str, Any]:
    return {
        "notice": found.notice_id,
        "agency": found.agency_id,
        "mailbox": found.mailbox_id,
        "at": format_time(found.at),
        "log": found.origin,
        "keys": [
            {"id": key.id, "recipient": key.recipient, "bound": key.proof.json()}
            for key in found.keys
        ],
    }
