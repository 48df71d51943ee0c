"""Problems: what clients read when something is refused (RFC 9457), in German and English.

The one place where domain errors meet HTTP. Types are stable; texts may be improved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from siegelpost.api.problem_texts import PROBLEMS
from siegelpost.citizens.errors import (
    AgencyUnknown,
    EnrolmentActive,
    EnrolmentInactive,
    EnrolmentUnknown,
    InputInvalid,
)
from siegelpost.keyring.errors import KeyringError, TokenUnavailableError
from siegelpost.notices.commit import Overtaken
from siegelpost.notices.errors import (
    KeyReused,
    NoSuchNotice,
    NoSuchReply,
    NoSuchTask,
    NotYetLogged,
    Refusal,
    SealUnavailable,
    StepRefused,
    TaskClosed,
)
from siegelpost.store.errors import Conflict, StoreUnavailable

URN = "urn:siegelpost:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class ProblemKind:
    """One type of problem."""

    #: HTTP status
    status: int
    #: short summary, English
    title: str
    #: the same in German
    title_de: str
    #: what it means and what to do, English
    detail: str
    #: the same in German
    detail_de: str


KINDS: Mapping[str, ProblemKind] = {
    code: ProblemKind(
        status=status, title=title, title_de=title_de, detail=detail, detail_de=detail_de
    )
    for code, (status, title, title_de, detail, detail_de) in PROBLEMS.items()
}


class ApiProblem(Exception):
    """A refusal of the API itself, by the code of its kind."""

    def __init__(
        self,
        code: str,
        reason: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(reason or code)
        #: key of ``KINDS``
        self.code = code
        #: what exactly was wrong; no personal data
        self.reason = reason
        #: further response headers
        self.headers = dict(headers or {})
        #: single fields that are wrong: ``at`` (JSON pointer), ``reason``
        self.errors = list(errors)
        #: further members of the problem
        self.members = dict(members or {})


def problem_response(
    code: str,
    *,
    reason: str = "",
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """The answer for the kind ``code``; members that are empty or None are left out."""
    kind = KINDS[code]
    body: dict[str, Any] = {
        "type": URN + code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "title_de": kind.title_de,
        "detail_de": kind.detail_de,
        "reason": reason,
        "request_id": request_id,
        **members,
    }
    present = {name: value for name, value in body.items() if value not in (None, "", [])}
    return Response(
        json.dumps(present, ensure_ascii=False).encode("utf-8"),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def response_for(error: Exception, *, request_id: str | None = None) -> Response | None:
    """The answer for an error that the API expects, or None for one that it does not."""
    if isinstance(error, ApiProblem):
        return problem_response(
            error.code,
            reason=error.reason,
            request_id=request_id,
            headers=error.headers,
            errors=error.errors,
            **error.members,
        )
    if isinstance(error, Refusal):
        return problem_response(
            error.code.value, reason=str(error), request_id=request_id, document=error.document
        )
    if isinstance(error, InputInvalid):
        return problem_response(
            "request-invalid",
            request_id=request_id,
            errors=[{"at": f"/{error.field}", "reason": str(error)}],
        )
    for kind, code, headers in _SIMPLE:
        if isinstance(error, kind):
            return problem_response(code, request_id=request_id, headers=headers)
    return None


_SIMPLE: tuple[tuple[type[Exception], str, dict[str, str]], ...] = (
    (KeyReused, "idempotency-key-reused", {}),
    (NoSuchNotice, "not-found", {}),
    (NoSuchTask, "not-found", {}),
    (NoSuchReply, "not-found", {}),
    (TaskClosed, "task-closed", {}),
    (NotYetLogged, "not-yet-logged", {"Retry-After": "3"}),
    (SealUnavailable, "seal-unavailable", {}),
    (StepRefused, "step-refused", {}),
    (EnrolmentActive, "enrolment-active", {}),
    (EnrolmentInactive, "enrolment-inactive", {}),
    (EnrolmentUnknown, "not-found", {}),
    (AgencyUnknown, "unknown-client", {}),
    (Overtaken, "busy", {"Retry-After": "1"}),
    (Conflict, "busy", {"Retry-After": "1"}),
    (StoreUnavailable, "unavailable", {"Retry-After": "5"}),
    (TokenUnavailableError, "unavailable", {"Retry-After": "5"}),
    (KeyringError, "unavailable", {"Retry-After": "60"}),
)
