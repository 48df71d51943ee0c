"""The JSON of the API: strict types, no unknown fields, aware times."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from siegelpost.api.problems import ApiProblem
from siegelpost.citizens.letters import PostalAddress
from siegelpost.notices.circumstances import Circumstances
from siegelpost.notices.request import DispatchRequest
from siegelpost.notices.tasks import TaskOutcome
from siegelpost.sealing.covers import MAX_TEXT, MAX_TITLE, Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document

Model = TypeVar("Model", bound=BaseModel)

#: An escaped U+0000 in JSON: PostgreSQL's texts cannot hold it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_Line = Annotated[str, Field(min_length=1, max_length=MAX_TITLE, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Text = Annotated[str, Field(max_length=MAX_TEXT)]
_Field = Annotated[str, Field(min_length=1, max_length=100)]
#: An id as the service or an agency gives it.
Identifier = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]

#: Errors of one call that are listed.
_MAX_ERRORS = 20


class Strict(BaseModel):
    """A JSON body: exact fields, exact types, nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Kind(StrEnum):
    """What kind of notice it is, for the icon and the filter in the list."""

    GRANT = "grant"
    CHANGE = "change"
    REQUEST = "request"
    REFUSAL = "refusal"
    OTHER = "other"


class CoverIn(Strict):
    """What the citizen's list shows once the browser has opened it."""

    title: Annotated[_Line, Field(examples=["Bewilligung von Bürgergeld"])]
    kind: Kind
    what_is_this: Annotated[_Text, Field(min_length=1)]
    what_to_do: Annotated[_Text, Field(min_length=1)]
    who_helps: Annotated[_Text, Field(min_length=1)]
    due_on: Annotated[date | None, Field(examples=["2026-12-28"])] = None
    language: Literal["de", "en"] = "de"


class CircumstancesIn(Strict):
    """What only the agency knows and the deadline may hang on; what is not said is not so."""

    abroad: Annotated[bool, Field(description="Known to live abroad: three months.")] = False
    written_form: Annotated[bool, Field(description="A statute demands Schriftform.")] = False
    qualified_signature: Annotated[
        bool, Field(description="A document carries a qualified signature or seal.")
    ] = False
    benefit: Literal["sgb2", "elterngeld"] | None = None
    mandatory_electronic: Annotated[bool, Field(description="§ 5 Abs. 5 VwZG.")] = False
    instructed: Annotated[bool, Field(description="Instructed before, § 5a Abs. 4 VwZG.")] = False

    def circumstances(self) -> Circumstances:
        """The same as the use case takes it."""
        return Circumstances(**self.model_dump())


class NoticeIn(Strict):
    """The part ``notice`` of a dispatch."""

    enrolment: Identifier
    cover: CoverIn
    regime: Literal["sgb10-37-2a", "sgb10-37-2", "vwvfg-41-2a", "ozg-9", "ao-122a", "vwzg-5a"] = (
        "sgb10-37-2a"
    )
    remedy: Remedy
    issued_at: AwareDatetime
    reference: Annotated[
        str | None, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    ] = None
    circumstances: CircumstancesIn = CircumstancesIn()
    reprovides: Annotated[
        Identifier | None,
        Field(description="Id of the notice whose documents these are, to provide them again."),
    ] = None

    def request(self, idempotency_key: str, documents: list[Document]) -> DispatchRequest:
        """The call as the use case takes it."""
        return DispatchRequest(
            idempotency_key=idempotency_key,
            enrolment_id=self.enrolment,
            cover=Cover(
                title=self.cover.title,
                kind=self.cover.kind.value,
                what_is_this=self.cover.what_is_this,
                what_to_do=self.cover.what_to_do,
                due_on=self.cover.due_on,
                who_helps=self.cover.who_helps,
                language=self.cover.language,
            ),
            regime=self.regime,
            remedy=self.remedy,
            issued_at=self.issued_at,
            reference=self.reference,
            documents=documents,
            circumstances=self.circumstances.circumstances(),
            reprovides=self.reprovides,
        )


class AddressIn(Strict):
    """Where the activation letter goes by post."""

    name: Annotated[_Field, Field(examples=["Alice Beispiel"])]
    extra: Annotated[str, Field(max_length=100)] = ""
    street: Annotated[_Field, Field(examples=["Musterweg 1"])]
    postal_code: Annotated[_Field, Field(examples=["01234"])]
    city: Annotated[_Field, Field(examples=["Musterstadt"])]
    country: Annotated[str, Field(max_length=100)] = ""

    def address(self) -> PostalAddress:
        """The address as the use case takes it."""
        return PostalAddress(**self.model_dump())


class EnrolmentIn(Strict):
    """Body of ``POST /v1/enrolments``."""

    reference: Annotated[str, Field(min_length=1, max_length=100, examples=["BG-35502-0012345"])]
    salutation: Annotated[str, Field(min_length=1, max_length=100, examples=["Frau Beispiel"])]
    birth_date: Annotated[str, Field(max_length=10, examples=["1984-02-29"])]
    language: Literal["de", "de-simple", "en", "uk", "ar", "tr", "ru"] = "de"
    address: AddressIn
    managed: Annotated[
        bool,
        Field(
            description="Offer a mailbox whose key the service keeps, for people who can't. "
            "The citizen decides; the site must allow it."
        ),
    ] = False


class RenewalIn(Strict):
    """Body of ``POST /v1/enrolments/{id}/renew``: where the letter goes."""

    address: AddressIn


class TaskCloseIn(Strict):
    """Body of ``POST /v1/tasks/{id}/close``."""

    outcome: Annotated[
        TaskOutcome,
        Field(description="paper-sent: the notice was posted; then `at` says when."),
    ]
    at: Annotated[AwareDatetime | None, Field(examples=["2026-11-24T11:30:00+01:00"])] = None


class DisputeIn(Strict):
    """Body of ``POST /v1/notices/{id}/disputes``: what the citizen says about the alert."""

    claim: Annotated[Literal["not-received", "received-late"], Field(examples=["not-received"])]
    received_at: Annotated[
        AwareDatetime | None, Field(description="With received-late: when it came.")
    ] = None
    alert: Annotated[
        str | None, Field(max_length=100, description="One of several alerts; null: all.")
    ] = None


class ArrivalIn(Strict):
    """Body of ``POST /v1/notices/{id}/arrivals``: when the alert arrived, and who shows it."""

    shown_by: Annotated[
        Literal["agency", "citizen"],
        Field(description="agency: you can prove it; citizen: the citizen says so."),
    ]
    means: Annotated[
        Literal["reply", "read-receipt", "provider-records", "spoken", "other"],
        Field(description="By what it is shown; the proof itself stays in your file."),
    ]
    received_at: Annotated[AwareDatetime, Field(examples=["2026-11-24T08:15:00+01:00"])]
    alert: Annotated[
        str | None, Field(max_length=100, description="One of several alerts; null: all.")
    ] = None


class RemedyFaultIn(Strict):
    """Body of ``POST /v1/notices/{id}/remedy-faults``: found out after dispatch."""

    fault: Literal["missing", "wrong"]


class PaperIn(Strict):
    """Body of ``POST /v1/notices/{id}/paper``: the notice was sent by post."""

    at: Annotated[AwareDatetime | None, Field(description="When it was posted; null: now.")] = None


def parse(model: type[Model], text: bytes) -> Model:
    """The value of JSON ``text``; ApiProblem ``request-invalid`` that names the fields."""
    if _NUL.search(text):
        problem = {"at": "", "reason": "a string holds the character U+0000"}
        raise ApiProblem("request-invalid", errors=[problem])
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise ApiProblem("request-invalid", errors=field_errors(error)) from None


def field_errors(error: ValidationError) -> list[dict[str, Any]]:
    """Where and why, without the values: they may be personal data."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {
            "at": "".join(f"/{_pointer(part)}" for part in entry["loc"]),
            "reason": entry["msg"],
        }
        for entry in found[:_MAX_ERRORS]
    ]


def _pointer(part: int | str) -> str:
    # Unknown field names come from the caller; keep them short.
    return str(part)[:60].replace("~", "~0").replace("/", "~1")
