"""The answers of the API as models, for its description; the handlers write the same JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

_HEX32 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["9f" * 32])]
_State = Literal["provided", "retrieved", "acknowledged", "withdrawn", "closed"]


class TokenOut(BaseModel):
    """An access token (RFC 6749 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(examples=[600])]
    scope: Annotated[str, Field(examples=["notices:read notices:write"])]


class TokenRefused(BaseModel):
    """Why there is no token (RFC 6749 5.2)."""

    error: Annotated[str, Field(examples=["invalid_client"])]
    error_description: Annotated[str, Field(examples=["the assertion was used before"])]
    type: Annotated[str, Field(examples=["urn:siegelpost:problem:oauth-invalid-client"])]
    status: Annotated[int, Field(examples=[401])]


class EnrolmentOut(BaseModel):
    """To be printed and posted, then forgotten: the service keeps no copy of the code."""

    id: Annotated[str, Field(examples=["019a2b3c-4d5e-7f60-8123-456789abcdef"])]
    activation_code: Annotated[str, Field(examples=["7K3M-9QXT-2BHV-W5ND-8RFC-4YJP-6GEZ"])]
    code_expires_at: datetime
    letter_pdf: Annotated[str, Field(description="The letter as PDF/A, base64.")]


class DocumentOut(BaseModel):
    """What proves years later that this PDF was that notice."""

    commitment: Annotated[
        _HEX32,
        Field(description='SHA-256("siegelpost/document/v1" ‖ 0 ‖ salt ‖ document), hexadecimal.'),
    ]
    salt: Annotated[_HEX32, Field(description="Keep it with the file. Hexadecimal.")]
    size: Annotated[int, Field(examples=[104857])]


class NoticeOut(BaseModel):
    """A notice that is durable and can be retrieved."""

    id: Annotated[str, Field(examples=["019a2b3c-4d5e-7f60-8123-456789abcdef"])]
    state: Literal["provided"]
    provided_at: Annotated[str, Field(examples=["2026-11-23T08:00:00.123456Z"])]
    acceptance: Annotated[str, Field(description="Signed note (C2SP). Keep it with the file.")]
    documents: list[DocumentOut]


class EventOut(BaseModel):
    """One evidence record."""

    id: str
    type: Annotated[str, Field(examples=["alert-sent"])]
    at: str
    facts: dict[str, Any]
    commitment: _HEX32
    leaf_index: int | None


class AttemptOut(BaseModel):
    """One SMTP transaction of an alert."""

    number: int
    started_at: str
    ended_at: str
    outcome: Annotated[str, Field(examples=["accepted"])]
    evidence: dict[str, Any]


class AlertOut(BaseModel):
    """One mail about the notice."""

    id: str
    kind: Literal["notice", "reminder"]
    state: Annotated[str, Field(examples=["accepted"])]
    created_at: str
    finished_at: str | None
    attempts: list[AttemptOut]


class StatusOut(BaseModel):
    """What became of a notice."""

    id: str
    enrolment: str
    state: _State
    regime: str
    provided_at: str
    retrieved_at: str | None
    acknowledged_at: str | None
    acceptance: str
    events: list[EventOut]
    alert: AlertOut | None
    reminders: list[AlertOut]


class ProblemOut(BaseModel):
    """Why a call was refused (RFC 9457), and what to do, in English and German."""

    type: Annotated[str, Field(examples=["urn:siegelpost:problem:consent-missing"])]
    title: str
    status: int
    detail: str
    title_de: str
    detail_de: str
    reason: str | None = None
    request_id: str | None = None
    document: Annotated[int | None, Field(description="Position of the document, from 0.")] = None
    errors: list[dict[str, str]] | None = None
