"""The answers of the API as models, for its description; the handlers write the same JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from siegelpost.store.tasks import TaskKind

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
    kind: Literal["notice", "reminder", "deadline-reminder"]
    state: Annotated[str, Field(examples=["accepted"])]
    created_at: str
    finished_at: str | None
    attempts: list[AttemptOut]


class UsedOut(BaseModel):
    """A fact that a step rests on; without a time, its absence."""

    fact: Annotated[str, Field(examples=["alert_sent"])]
    label_de: Annotated[str, Field(examples=["Absendung der Benachrichtigung"])]
    at: str | None
    event: Annotated[str | None, Field(description="Id of the evidence event.")]


class StepOut(BaseModel):
    """One step of the reasoning."""

    de: str
    en: str
    mark: Annotated[
        Literal["V", "C", "M", "I"],
        Field(description="Read in the statute, in commentary, from memory, or inferred."),
    ]
    used: list[UsedOut]


class ReviewOut(BaseModel):
    """Why a lawyer should look at the result."""

    code: Annotated[str, Field(examples=["A4-NO-DENIAL"])]
    source: str
    de: str
    en: str


class AdviceOut(BaseModel):
    """What the agency should do."""

    code: Annotated[str, Field(examples=["send-paper"])]
    de: str


class WhatIfOut(BaseModel):
    """How the result would read if one fact were different."""

    de: str
    en: str
    rule: str
    deemed: date | None
    end: date | None


_ClockState = Literal["served", "expected", "open", "not-served", "refused"]


class DeadlineNowOut(BaseModel):
    """What the legal clock says: information without legal force, with its reasons."""

    computed_at: str
    disclaimer_de: str
    disclaimer_en: str
    state: _ClockState
    deemed: Annotated[date | None, Field(description="The day on which it counts as served.")]
    end: Annotated[date | None, Field(description="Last day for an objection, until 24:00.")]
    open_until: date | None
    rule: Annotated[str, Field(examples=["sgb10-37-2a/A7"])]
    rule_set: str
    provisional: Annotated[bool, Field(description="Later events or days can still change it.")]
    legal_basis: list[str]
    reasons: list[StepOut]
    review: list[ReviewOut]
    advice: list[AdviceOut]
    what_if: list[WhatIfOut]
    events: Annotated[list[str], Field(description="Ids of the events that it rests on.")]


class EarlierDeadlineOut(BaseModel):
    """A result that was kept; none is ever changed."""

    number: int
    computed_at: str
    state: _ClockState
    deemed: date | None
    end: date | None
    rule: str
    rule_set: str
    review: bool


class DeadlineOut(DeadlineNowOut):
    """Where the clock of a notice stands, and what it said before."""

    notice: str
    earlier: list[EarlierDeadlineOut]


class RecordedOut(BaseModel):
    """An event was put on record; the deadline is what it led to."""

    event: str
    deadline: DeadlineOut


class WithdrawnOut(BaseModel):
    """The notice is withdrawn."""

    withdrawn_at: str
    deadline: DeadlineOut


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
    deadline: DeadlineNowOut


class FeedItemOut(EventOut):
    """One event of a notice, and the notice's clock as of now."""

    leaf_index: Annotated[int, Field(description="Place in the public log.")]
    notice: str
    enrolment: Annotated[str, Field(description="Whom it is about: the agency's enrolment.")]
    deadline: Annotated[
        DeadlineNowOut | None,
        Field(description="Of the whole notice, now; `what_if` is left out here."),
    ]


class FeedOut(BaseModel):
    """A part of the feed, in the order of the log."""

    events: list[FeedItemOut]
    next: Annotated[int, Field(description="Give it as `cursor` to go on, now or later.")]
    more: Annotated[bool, Field(description="Whether there are further ones now.")]


class TaskOut(BaseModel):
    """Something to do about a notice. Holds no personal data."""

    id: Annotated[str, Field(examples=["019a2b3c-4d5e-7f60-8123-456789abcdef"])]
    number: Annotated[int, Field(description="From 1, per agency; lists go on by it.")]
    kind: TaskKind
    state: Literal["open", "closed"]
    notice: str
    enrolment: Annotated[str, Field(description="Whom it is about: the agency's enrolment.")]
    alert: str | None
    facts: dict[str, Any]
    opened_at: str
    due_at: Annotated[str, Field(description="Until then somebody should have acted.")]
    closed_at: str | None
    closed_by: str | None
    outcome: Annotated[str | None, Field(examples=["paper-sent"])]


class TasksOut(BaseModel):
    """A part of the agency's tasks, in the order of their numbers."""

    tasks: list[TaskOut]
    next: Annotated[int, Field(description="Give it as `after` to go on, now or later.")]
    more: Annotated[bool, Field(description="Whether there are further ones now.")]


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
