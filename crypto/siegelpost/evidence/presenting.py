"""A verification as text for people and as JSON for programs.

The JSON is stable: `holds`, `kind`, `notice`, `redaction`, `made_at`, `accepted_at`, `steps`, for
court files and PDFs also `file_steps`; or `failure`. New members may be added. Times in members
have the form of evidence (RFC 3339, UTC); in sentences they are for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siegelpost.evidence.court_explanations import COURT_STEPS, CourtFileError
from siegelpost.evidence.court_verify import CourtFileVerification
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.files import AnyVerification
from siegelpost.evidence.pdf_explanations import PDF_STEPS, PdfError
from siegelpost.evidence.pdf_verify import PdfVerification
from siegelpost.evidence.spoken import Language, exact
from siegelpost.evidence.steps import LoggedEvent
from siegelpost.evidence.times import format_time
from siegelpost.evidence.verify import Step, Verification

_ALL_HOLD = {"de": "Alle Schritte sind erfüllt.", "en": "All steps hold."}
_CHECKED_HOLD = {
    "de": "Alle geprüften Schritte sind erfüllt. Nicht geprüft: ",
    "en": "All steps that were checked hold. Not checked: ",
}
#: Before the reason in a step's result.
_UNCHECKED = {"de": "Nicht geprüft: ", "en": "Not checked: "}
_FAILED = {"de": "NICHT ERFÜLLT", "en": "DOES NOT HOLD"}
_STEPS = {"receipt": STEPS, "court file": COURT_STEPS, "pdf": PDF_STEPS}
#: What failed, in German.
PLACES_DE = {"receipt": "Die Quittung", "court file": "Die Gerichtsakte", "pdf": "Das PDF"}
_PREFIXES = {"court file": "A", "pdf": "P"}
_WITHHELD = {"de": "geschwärzt", "en": "withheld"}


def verification_text(verification: AnyVerification, language: str) -> str:
    """Every step with its result, a line each, and the verdict."""
    return "\n".join([*step_lines(verification, language), verdict(verification, language)])


def verdict(verification: AnyVerification, language: str) -> str:
    """That all holds that was checked, and which steps were not, each with its reason."""
    gaps = _gaps(verification, language)
    return _CHECKED_HOLD[language] + "; ".join(gaps) + "." if gaps else _ALL_HOLD[language]


def step_lines(verification: AnyVerification, language: str) -> list[str]:
    """Every step with its result; a court file's or PDF's before those of the receipt inside."""
    if isinstance(verification, Verification):
        return [_line(step, language) for step in verification.steps]
    prefix = _PREFIXES[_kind(verification)]
    own = [_line(step, language, prefix) for step in verification.steps]
    return [*own, *step_lines(verification.receipt, language)]


def failure_text(error: VerificationError, language: str) -> str:
    """The steps up to the one that does not hold, and what that means."""
    german = language == "de"
    place = place_of(error)
    prefix = _PREFIXES.get(place, "")
    lines = []
    for number, (_, title) in _STEPS[place].items():
        head = f"{prefix + str(number):>2}. {title.de if german else title.en}"
        if number < error.step:
            lines.append(f"{head}: ok")
        elif number == error.step:
            message = error.message_de if german else error.message_en
            lines.append(
                f"{head}: {_FAILED[language]}\n    {message}\n    [{error.code}] {error.reason}"
            )
    return "\n".join(lines)


def place_of(error: VerificationError) -> str:
    """Whose step failed: receipt, pdf or court file."""
    if isinstance(error, CourtFileError):
        return "court file"
    return "pdf" if isinstance(error, PdfError) else "receipt"


def verification_json(verification: AnyVerification) -> dict[str, Any]:
    """Everything that held."""
    if not isinstance(verification, Verification):
        return {
            **verification_json(verification.receipt),
            "kind": _kind(verification),
            "file_steps": [_step_json(step) for step in verification.steps],
        }
    return {
        "holds": True,
        "kind": "receipt",
        "notice": verification.receipt.notice,
        "redaction": verification.redaction.value,
        "made_at": format_time(verification.receipt.made_at),
        "accepted_at": format_time(verification.acceptance.accepted_at),
        "steps": [_step_json(step) for step in verification.steps],
    }


def failure_json(error: VerificationError) -> dict[str, Any]:
    """What did not hold."""
    return {
        "holds": False,
        "failure": {
            "in": place_of(error),
            "step": error.step,
            "name": error.name,
            "code": error.code,
            "reason": error.reason,
            "message_de": error.message_de,
            "message_en": error.message_en,
            "evidence": error.evidence,
        },
    }


def all_checked(verification: AnyVerification) -> bool:
    """Whether no step of the receipt was left out for want of a library or a trust entry."""
    if not isinstance(verification, Verification):
        return all_checked(verification.receipt)
    return all(step.checked for step in verification.steps)


def event_lines(events: Sequence[LoggedEvent], language: Language) -> list[str]:
    """Time, type and place in the log of each event."""
    return [
        f"{exact(item.event.time_at, language):<33} {item.event.type.value:<20}  "
        f"{item.leaf_index:>9}" + (f"  {_WITHHELD[language]}" if item.withheld else "")
        for item in events
    ]


def _kind(verification: CourtFileVerification | PdfVerification) -> str:
    return "pdf" if isinstance(verification, PdfVerification) else "court file"


def _gaps(verification: AnyVerification, language: str) -> list[str]:
    """The steps that nothing was checked of, though their question came up."""
    inside, prefix = [], ""
    if not isinstance(verification, Verification):
        inside, prefix = _gaps(verification.receipt, language), _PREFIXES[_kind(verification)]
    german = language == "de"
    own = [
        f"{prefix}{step.number}. {step.title_de if german else step.title_en} ("
        + (step.result_de if german else step.result_en)
        .rpartition(_UNCHECKED[language])[2]
        .removesuffix(".")
        + ")"
        for step in verification.steps
        if step.asked and not step.checked
    ]
    return [*own, *inside]


def _line(step: Step, language: str, prefix: str = "") -> str:
    german = language == "de"
    number = f"{prefix}{step.number}"
    return (
        f"{number:>2}. {step.title_de if german else step.title_en}: "
        f"{step.result_de if german else step.result_en}"
    )


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "name": step.name,
        "checked": step.checked,
        "asked": step.asked,
        "result_de": step.result_de,
        "result_en": step.result_en,
    }
