"""The description of sealing on the agency's side; see ``openapi``."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from siegelpost.api.openapi import answers, secured

_ID = Annotated[str, Field(examples=["019a2b3c-4d5e-7f60-8123-456789abcdef"])]


class BoundOut(BaseModel):
    """What proves that the log has bound a key (DESIGN section 6)."""

    event: Annotated[str, Field(description="The key-bound event, canonical JSON.")]
    salt: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    proof: Annotated[str, Field(description="c2sp.org/tlog-proof of the event.")]


class ProvenKeyOut(BaseModel):
    """One current key of the mailbox."""

    id: _ID
    recipient: Annotated[str, Field(description="age recipient, age1pq1…")]
    bound: BoundOut


class RecipientsOut(BaseModel):
    """What sealing for an enrolment needs."""

    notice: Annotated[_ID, Field(description="A fresh id for the notice.")]
    agency: _ID
    mailbox: Annotated[_ID, Field(description="Compare it with the one of earlier notices.")]
    at: Annotated[str, Field(examples=["2026-11-23T08:00:00.123456Z"])]
    log: Annotated[str, Field(examples=["post.example.org/log"])]
    keys: Annotated[list[ProvenKeyOut], Field(description="Seal to all of them.")]


RECIPIENTS: Final[dict[str, Any]] = {
    "summary": "The mailbox's current keys, for sealing on your own side",
    "description": "Check each key's `bound` against the trust file before you seal to it: "
    "`siegelpost.sending` does.",
    "responses": answers(
        200,
        RecipientsOut,
        "Keys with their proofs.",
        ["unknown-client", "enrolment-unknown", "mailbox-inactive", "consent-missing",
         "address-missing", "address-failed", "key-missing", "not-yet-logged"],
    ),
    "openapi_extra": secured(
        "notices:write",
        parameters=[
            {
                "name": "enrolment_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "maxLength": 100},
            }
        ],
    ),
}  # fmt: skip
