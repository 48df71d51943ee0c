"""The description of the legal clock's addresses; see ``openapi``."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from siegelpost.api.answers import DeadlineOut, RecordedOut, WithdrawnOut
from siegelpost.api.openapi import answers, secured


def _adds(model: str, example: dict[str, Any]) -> dict[str, Any]:
    return secured(
        "notices:write",
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{model}"},
                    "example": example,
                }
            },
        },
    )


def _recorded(answer: type[BaseModel], text: str) -> dict[int | str, dict[str, Any]]:
    problems = ["not-found", "media-type", "body-too-large", "request-invalid", "request-timeout"]
    return {
        **answers(201, answer, text, [*problems, "busy"]),
        200: {"model": answer, "description": "It was on record before."},
    }


DEADLINE: Final[dict[str, Any]] = {
    "summary": "When the notice counts as served, and until when one may object",
    "description": "Computed now from the events known now, with every step and its evidence. "
    "Information without legal force. `earlier` holds what was computed before.",
    "responses": answers(200, DeadlineOut, "The legal clock's result.", ["not-found"]),
    "openapi_extra": secured("notices:read"),
}
DISPUTE: Final[dict[str, Any]] = {
    "summary": "Record that the citizen denies the alert's receipt, or says it came late",
    "responses": _recorded(RecordedOut, "It is on record; nothing is decided by it."),
    "openapi_extra": _adds("DisputeIn", {"claim": "not-received"}),
}
ARRIVAL: Final[dict[str, Any]] = {
    "summary": "Record when the alert arrived, as you can prove or as the citizen says",
    "description": "Answers a dispute, and settles its task. What you show refutes a denial; a day "
    "too late counts against the notice (§ 37(2a) sentence 7 SGB X).",
    "responses": _recorded(RecordedOut, "It is on record; the deadline takes it into account."),
    "openapi_extra": _adds(
        "ArrivalIn",
        {"shown_by": "agency", "means": "reply", "received_at": "2026-11-24T08:15:00+01:00"},
    ),
}
REMEDY_FAULT: Final[dict[str, Any]] = {
    "summary": "Record that the instruction on remedies is missing or wrong",
    "description": "For what is found out after dispatch: then a year runs instead of a month "
    "(§ 66(2) SGG), from the same day. It cannot be taken back.",
    "responses": _recorded(RecordedOut, "It is on record; the deadline takes it into account."),
    "openapi_extra": _adds("RemedyFaultIn", {"fault": "wrong"}),
}
PAPER: Final[dict[str, Any]] = {
    "summary": "Record that the notice was sent by post as well",
    "description": "Closes the open tasks about the notice.",
    "responses": _recorded(RecordedOut, "It is on record."),
    "openapi_extra": _adds("PaperIn", {"at": "2026-11-30T10:00:00+01:00"}),
}
WITHDRAW: Final[dict[str, Any]] = {
    "summary": "Withdraw a notice that is neither opened nor served",
    "responses": answers(
        200, WithdrawnOut, "Nobody can retrieve it any more.", ["not-found", "step-refused", "busy"]
    ),
    "openapi_extra": secured("notices:write"),
}
