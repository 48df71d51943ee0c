"""The description of replies; see ``openapi``."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from siegelpost.api.answers import ProblemOut
from siegelpost.api.openapi import answers, secured
from siegelpost.api.openapi_sealed import BoundOut
from siegelpost.api.replies import SCOPE
from siegelpost.notices.agency_replies import PAGE_LIMIT

_ID = Annotated[str, Field(examples=["019a2b3c-4d5e-7f60-8123-456789abcdef"])]
_TIME = Annotated[str, Field(examples=["2026-11-29T09:12:09.000417Z"])]


class ReplyOut(BaseModel):
    """A reply as it shows from outside; what it says only the agency's key opens."""

    id: _ID
    notice: _ID
    enrolment: _ID
    reference: Annotated[str, Field(description="The agency's own.", examples=["BG-35502-12345"])]
    mandate: Annotated[
        str | None,
        Field(description="Pseudonym of a delegate's mandate; null: the citizen sent it."),
    ]
    received_at: _TIME
    size: Annotated[int, Field(description="Bytes of the sealed file.", examples=[104857])]
    fetched_at: Annotated[str | None, Field(description="When the file was first handed out.")]


class RepliesOut(BaseModel):
    """A part of the list."""

    replies: list[ReplyOut]
    next: Annotated[str | None, Field(description="`cursor` of the next part.")]


class SignedReplyOut(ReplyOut):
    """A reply with what shows who signed it."""

    statement: Annotated[
        str,
        Field(description="Canonical JSON, signed behind the line `siegelpost/reply/v1`."),
    ]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$", description="Ed25519.")]
    bound: Annotated[
        BoundOut,
        Field(
            description="That the log has bound the signing key, to the citizen's mailbox; of a "
            "delegate's reply to the delegate's own."
        ),
    ]


REPLY_EXAMPLE: Final[dict[str, Any]] = {
    "id": "019a2b3c-4d5e-7f60-8123-456789abcdef",
    "notice": "019a2b3c-4d5e-7f60-8123-456789abcde0",
    "enrolment": "019a2b3c-0000-7f60-8123-000000000001",
    "reference": "BG-35502-0012345",
    "mandate": None,
    "received_at": "2026-11-29T09:12:09.000417Z",
    "size": 104857,
    "fetched_at": None,
}


def _responses() -> dict[int | str, dict[str, Any]]:
    found = answers(200, RepliesOut, "Replies, oldest first.", ["request-invalid"])
    example = {"replies": [REPLY_EXAMPLE], "next": None}
    found[200]["content"] = {"application/json": {"example": example}}
    return found


def _path() -> list[dict[str, Any]]:
    return [
        {
            "name": "reply_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": 100},
        }
    ]


REPLIES: Final[dict[str, Any]] = {
    "summary": "What citizens and their delegates sent about the agency's notices",
    "description": "Ask for what waits from the start, again and again: what has been fetched is "
    "no longer in it, so none is missed. A reply is no objection in the form of the law; its "
    "arrival is evidence on the notice's chain.",
    "responses": _responses(),
    "openapi_extra": secured(
        SCOPE,
        parameters=[
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in (
                ("waiting", {"type": "string", "enum": ["true", "false"], "default": "true"}),
                ("cursor", {"type": "string", "maxLength": 100}),
                ("limit", {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": 50}),
            )
        ],
    ),
}
REPLY: Final[dict[str, Any]] = {
    "summary": "One reply: what was signed, by which key, and the proof that the log has bound it",
    "description": "Check `bound` against the trust file, the signature with the key that it "
    "binds, and the file's digest against the statement: `siegelpost replies` does.",
    "responses": answers(200, SignedReplyOut, "The reply.", ["not-found", "not-yet-logged"]),
    "openapi_extra": secured(SCOPE, parameters=_path()),
}
REPLY_PACKAGE: Final[dict[str, Any]] = {
    "summary": "The sealed reply, an age file for the agency's own key",
    "description": "The first time, `reply-fetched` is recorded before anything leaves. It may be "
    "fetched again.",
    "responses": {
        **answers(200, ProblemOut, "", ["not-found", "busy"]),
        200: {
            "description": "The age file.",
            "headers": {
                "Siegelpost-Fetched-At": {
                    "description": "When it was first fetched, in evidence.",
                    "schema": {"type": "string", "format": "date-time"},
                }
            },
            "content": {"application/age": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    "openapi_extra": secured(SCOPE, parameters=_path()),
}
