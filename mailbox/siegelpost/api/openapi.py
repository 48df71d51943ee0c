"""The description of the API (OpenAPI 3.1): what FastAPI cannot read off handlers that take the
bare request, with examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from siegelpost.api.answers import (
    EnrolmentOut,
    NoticeOut,
    ProblemOut,
    StatusOut,
    TaskOut,
    TasksOut,
    TokenOut,
    TokenRefused,
)
from siegelpost.api.openapi_examples import DISPATCH_EXAMPLES, ENROLMENT_EXAMPLE
from siegelpost.api.problems import KINDS, MEDIA_TYPE, URN
from siegelpost.api.schemas import (
    ArrivalIn,
    DisputeIn,
    EnrolmentIn,
    NoticeIn,
    PaperIn,
    RemedyFaultIn,
    RenewalIn,
    TaskCloseIn,
)
from siegelpost.api.sealed import SealedNoticeIn
from siegelpost.api.settings import ApiSettings
from siegelpost.api.tokens import SCOPES

#: Version of the API, not of the program.
VERSION: Final = "1.0.0"

_REQUESTS: Final = (
    NoticeIn,
    EnrolmentIn,
    RenewalIn,
    TaskCloseIn,
    DisputeIn,
    ArrivalIn,
    PaperIn,
    RemedyFaultIn,
    SealedNoticeIn,
)
_COMMON: Final = (
    "token-missing",
    "token-invalid",
    "scope-missing",
    "unavailable",
    "internal-error",
)


def answers(
    status: int, model: type[BaseModel], text: str, problems: Iterable[str]
) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: the good one, and the problems by status."""
    result: dict[int | str, dict[str, Any]] = {status: {"model": model, "description": text}}
    for code in (*_COMMON, *problems):
        kind = KINDS[code]
        entry = result.setdefault(
            kind.status,
            {
                "model": ProblemOut,
                "description": kind.title,
                "content": {MEDIA_TYPE: {"examples": {}}},
            },
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {
            "value": {
                "type": URN + code,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.detail,
                "title_de": kind.title_de,
                "detail_de": kind.detail_de,
            }
        }
    return result


def secured(scope: str, **more: Any) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that needs ``scope``."""
    return {"security": [{"client": [scope]}], **more}


def _part(media_type: str) -> dict[str, str]:
    return {"type": "string", "contentMediaType": media_type}


DISPATCH: Final[dict[str, Any]] = {
    "summary": "Dispatch a notice",
    "description": "201 means: sealed, durable, retrievable, alert queued. Repeat a call whose "
    "answer was lost with the same Idempotency-Key: it gets the same answer. An agency may seal on "
    "its own side: then `notice` is a SealedNoticeIn, and parts `cover` and `package` "
    "(application/age) stand in the place of `document`.",
    "responses": answers(
        201,
        NoticeOut,
        "The notice is provided.",
        [
            code
            for code in KINDS
            if code.startswith(("document-", "part-", "address-", "idempotency-", "reprovide"))
        ]
        + [
            "unknown-client", "request-timeout", "media-type", "body-too-large",
            "multipart-malformed", "request-invalid", "enrolment-unknown", "mailbox-inactive",
            "consent-missing", "key-missing", "written-form", "no-document", "too-many-documents",
            "notice-too-large", "sealed-malformed", "agency-key-missing", "notice-id",
            "key-changed", "busy",
        ],
    ),
    "openapi_extra": secured(
        "notices:write",
        parameters=[
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "New for each notice, the same for repetitions of one call.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,100}$"},
                "example": "bescheid-2026-11-23-000417",
            }
        ],
        requestBody={
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "oneOf": [
                            {
                                "required": ["notice", "document"],
                                "additionalProperties": False,
                                "properties": {
                                    "notice": {"$ref": "#/components/schemas/NoticeIn"},
                                    "document": {
                                        "type": "array",
                                        "minItems": 1,
                                        "items": _part("application/pdf"),
                                    },
                                },
                            },
                            {
                                "required": ["notice", "cover", "package"],
                                "additionalProperties": False,
                                "properties": {
                                    "notice": {"$ref": "#/components/schemas/SealedNoticeIn"},
                                    "cover": _part("application/age"),
                                    "package": _part("application/age"),
                                },
                            },
                        ],
                    },
                    "encoding": {
                        "notice": {"contentType": "application/json"},
                        "document": {"contentType": "application/pdf"},
                        "cover": {"contentType": "application/age"},
                        "package": {"contentType": "application/age"},
                    },
                    "examples": DISPATCH_EXAMPLES,
                }
            },
        },
    ),
}  # fmt: skip
STATUS: Final[dict[str, Any]] = {
    "summary": "State, events and alert of a notice",
    "responses": answers(200, StatusOut, "The notice.", ["not-found"]),
    "openapi_extra": secured("notices:read"),
}
RECEIPT: Final[dict[str, Any]] = {
    "summary": "The agency's receipt, with the documents' salts; as JSON or as a sealed PDF",
    "responses": {
        **answers(
            200,
            ProblemOut,
            "",
            ["not-found", "not-yet-logged", "request-invalid", "seal-unavailable"],
        ),
        200: {
            "description": "A receipt in the format siegelpost/receipt/v1 (its JSON Schema: "
            "docs/schemas/receipt-v1.json), or a PDF that holds it: by `format=pdf`, or if only "
            "application/pdf is accepted.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
    "openapi_extra": secured(
        "receipts:read",
        parameters=[
            {
                "name": "format",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "enum": ["json", "pdf"]},
            },
            {
                "name": "language",
                "in": "query",
                "required": False,
                "description": "Of a PDF; German unless English is asked for.",
                "schema": {"type": "string", "enum": ["de", "en"]},
            },
        ],
    ),
}
RENEW: Final[dict[str, Any]] = {
    "summary": "All is lost: get a letter for a new key of the citizen's mailbox",
    "description": "What was provided before stays closed; each such notice becomes a task of "
    "kind reprovide once the citizen has used the letter. Other agencies' enrolments of the "
    "mailbox are untied then; they enrol again.",
    "responses": answers(
        201,
        EnrolmentOut,
        "Print the letter and post it; a letter of before is dead.",
        ["media-type", "body-too-large", "request-invalid", "enrolment-inactive", "not-found",
         "request-timeout"],
    ),
    "openapi_extra": secured(
        "enrolments:write",
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/RenewalIn"},
                    "example": {"address": ENROLMENT_EXAMPLE["address"]},
                }
            },
        },
    ),
}  # fmt: skip
ENROL: Final[dict[str, Any]] = {
    "summary": "Announce a citizen; get the activation code and the letter",
    "responses": answers(
        201,
        EnrolmentOut,
        "Print the letter and post it.",
        ["unknown-client", "media-type", "body-too-large", "request-invalid", "enrolment-active",
         "request-timeout"],
    ),
    "openapi_extra": secured(
        "enrolments:write",
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/EnrolmentIn"},
                    "example": ENROLMENT_EXAMPLE,
                }
            },
        },
    ),
}  # fmt: skip
TASKS: Final[dict[str, Any]] = {
    "summary": "What the agency has to do: failed alerts and the like",
    "description": "Numbers only grow: an agency that asks again with the last `next` misses none.",
    "responses": answers(200, TasksOut, "Tasks after `after`.", ["request-invalid"]),
    "openapi_extra": secured(
        "tasks:read",
        parameters=[
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": schema,
            }
            for name, schema in (
                ("after", {"type": "integer", "minimum": 0, "default": 0}),
                ("state", {"enum": ["open", "closed", "all"], "default": "open"}),
                ("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
            )
        ],
    ),
}
CLOSE_TASK: Final[dict[str, Any]] = {
    "summary": "Close a task",
    "description": "With `paper-sent` the posting becomes evidence about the notice, and its other "
    "tasks are settled. Closing again with the same outcome gets the same answer.",
    "responses": answers(
        200,
        TaskOut,
        "The task is closed.",
        ["not-found", "task-closed", "request-invalid", "media-type", "body-too-large",
         "request-timeout", "busy"],
    ),
    "openapi_extra": secured(
        "tasks:write",
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/TaskCloseIn"},
                    "example": {"outcome": "paper-sent", "at": "2026-11-24T11:30:00+01:00"},
                }
            },
        },
    ),
}  # fmt: skip
TOKEN: Final[dict[str, Any]] = {
    "summary": "Get an access token with a signed assertion (RFC 7523)",
    "responses": {
        200: {"model": TokenOut, "description": "Valid for ten minutes."},
        400: {"model": TokenRefused, "description": "The form is not right."},
        401: {"model": TokenRefused, "description": "The client did not prove itself."},
    },
    "openapi_extra": {
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["grant_type", "client_assertion_type", "client_assertion"],
                        "properties": {
                            "grant_type": {"const": "client_credentials"},
                            "client_assertion_type": {
                                "const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                            },
                            "client_assertion": {"type": "string"},
                            "scope": {"type": "string", "examples": [" ".join(SCOPES)]},
                        },
                    }
                }
            },
        },
    },
}


def describe(app: FastAPI, settings: ApiSettings) -> Mapping[str, Any]:
    """The whole description of ``app``."""
    described = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        summary="Sealed delivery of official notices, with evidence.",
        servers=[{"url": settings.base_url}],
        license_info={"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
    )
    components = described.setdefault("components", {})
    _, definitions = models_json_schema(
        [(model, "validation") for model in _REQUESTS],
        ref_template="#/components/schemas/{model}",
    )
    components.setdefault("schemas", {}).update(definitions["$defs"])
    components["securitySchemes"] = {
        "client": {
            "type": "oauth2",
            "description": "Client credentials, authenticated by private_key_jwt (RFC 7523).",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": settings.token_url,
                    "scopes": {scope: scope for scope in SCOPES},
                }
            },
        }
    }
    return described
