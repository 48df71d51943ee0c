"""What the console says when something is refused: one table, German, for pages and scripts.

Unknown, foreign and malformed ids all read the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from siegelpost.citizens.errors import CitizenError, InputInvalid, TooManyTries
from siegelpost.keyring.errors import KeyringError
from siegelpost.notices.dispute import ClaimInvalid
from siegelpost.notices.errors import (
    NoSuchNotice,
    NoSuchTask,
    NotYetLogged,
    SealUnavailable,
    StepRefused,
    TaskClosed,
)
from siegelpost.notices.paper import PaperInvalid
from siegelpost.notices.tasks import PostingInFuture
from siegelpost.oidc.errors import OidcError, ProviderMisconfigured, ProviderUnavailable
from siegelpost.portal.world import RequestRefused
from siegelpost.staff.errors import InputWrong, StaffError
from siegelpost.store.errors import StoreError


@dataclass(frozen=True)
class Kind:
    """How one code is answered."""

    #: HTTP status
    status: int
    #: what happened
    title: str
    #: what it means and what to do next
    text: str


#: Every code that the console answers with.
KINDS: Mapping[str, Kind] = {
    "not-found": Kind(
        404,
        "Das gibt es hier nicht",
        "Unter dieser Angabe hat Ihre Behörde nichts. Bitte prüfen Sie die Schreibweise.",
    ),
    "role-missing": Kind(
        403,
        "Ihre Rolle erlaubt das nicht",
        "Wenn Sie das für Ihre Arbeit brauchen: Fragen Sie, wer bei Ihnen die Konten verwaltet.",
    ),
    "session-over": Kind(
        401, "Sie sind abgemeldet", "Bitte melden Sie sich noch einmal an. Es ist nichts verloren."
    ),
    "login-refused": Kind(
        403,
        "Die Anmeldung hat nicht geklappt",
        "Dieser Schlüssel gilt hier nicht. Lassen Sie sich, wenn nötig, neu einladen.",
    ),
    "passkey-refused": Kind(
        422,
        "Der Schlüssel konnte nicht eingerichtet werden",
        "Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.",
    ),
    "invitation-refused": Kind(
        403,
        "Diese Einladung gilt nicht",
        "Sie wurde schon benutzt, ist abgelaufen oder falsch abgeschrieben. "
        "Lassen Sie sich, wenn nötig, neu einladen.",
    ),
    "too-many-tries": Kind(
        429, "Das waren zu viele Versuche", "Bitte warten Sie etwas und versuchen Sie es dann neu."
    ),
    "own-request": Kind(
        409,
        "Über einen eigenen Antrag entscheidet jemand anderes",
        "Es gilt das Vier-Augen-Prinzip. Bitten Sie eine Kollegin oder einen Kollegen.",
    ),
    "export-over": Kind(
        409,
        "Dieser Export ist nicht oder nicht mehr freigegeben",
        "Stellen Sie, wenn nötig, einen neuen Antrag.",
    ),
    "own-account": Kind(
        409, "Das eigene Konto lässt sich hier nicht ändern", "Bitte fragen Sie jemand anderen."
    ),
    "input-wrong": Kind(
        422, "Eine Angabe fehlt oder passt nicht", "Bitte prüfen Sie Ihre Eingaben."
    ),
    "paper-invalid": Kind(
        422,
        "Dieser Zeitpunkt kann nicht stimmen",
        "Die Aufgabe zur Post liegt in der Zukunft oder vor der Bereitstellung des Schreibens.",
    ),
    "claim-invalid": Kind(
        422,
        "Diese Angabe passt nicht zum Verlauf",
        "Wer einen späteren Eingang angibt, nennt dessen Zeitpunkt. Er liegt nach dem Versand "
        "der E-Mail und nicht in der Zukunft.",
    ),
    "task-closed": Kind(
        409,
        "Diese Aufgabe ist schon anders erledigt",
        "Jemand war schneller. Laden Sie die Seite neu.",
    ),
    "step-refused": Kind(
        409, "Das geht bei diesem Schreiben nicht", "Sein Zustand lässt diesen Schritt nicht zu."
    ),
    "not-yet-logged": Kind(
        409,
        "Noch einen Augenblick",
        "Das letzte Ereignis bekommt gerade seinen Platz im Protokoll. "
        "Bitte versuchen Sie es in wenigen Sekunden noch einmal.",
    ),
    "seal-unavailable": Kind(
        503,
        "PDFs lassen sich gerade nicht siegeln",
        "Bitte versuchen Sie es später noch einmal, oder nehmen Sie die Fassung als JSON.",
    ),
    "oidc-refused": Kind(
        403,
        "Die Anmeldung dort hat nicht geklappt",
        "Bitte versuchen Sie es noch einmal, oder nehmen Sie Ihren Schlüssel.",
    ),
    "oidc-unavailable": Kind(
        503,
        "Dort kann man sich gerade nicht anmelden",
        "Bitte nehmen Sie Ihren Schlüssel, oder versuchen Sie es später noch einmal.",
    ),
    "form-refused": Kind(
        403, "Diese Seite ist nicht mehr aktuell", "Bitte laden Sie die Seite neu."
    ),
    "too-large": Kind(
        413, "Die Datei ist zu groß", "Hier gehen 32 MB. Größere prüfen Sie mit siegelpost verify."
    ),
    "too-slow": Kind(408, "Die Verbindung war zu langsam", "Bitte versuchen Sie es noch einmal."),
    "not-json": Kind(415, "Das können wir nicht lesen", "Bitte laden Sie die Seite neu."),
    "method": Kind(405, "So geht das hier nicht", "Bitte gehen Sie zur Startseite der Konsole."),
    "unavailable": Kind(
        503,
        "Die Konsole ist gerade nicht erreichbar",
        "Es ist nichts verloren. Bitte versuchen Sie es in einigen Minuten noch einmal.",
    ),
    "internal": Kind(
        500,
        "Bei uns ist ein Fehler passiert",
        "Es ist nichts verloren. Bitte versuchen Sie es später noch einmal.",
    ),
}

_STATUS_CODES = {404: "not-found", 405: "method", 413: "too-large"}
_CODES: Mapping[type[Exception], str] = {
    NoSuchNotice: "not-found",
    NoSuchTask: "not-found",
    NotYetLogged: "not-yet-logged",
    SealUnavailable: "seal-unavailable",
    StepRefused: "step-refused",
    TaskClosed: "task-closed",
    PaperInvalid: "paper-invalid",
    PostingInFuture: "paper-invalid",
    ClaimInvalid: "claim-invalid",
    InputInvalid: "input-wrong",
    InputWrong: "input-wrong",
}


def code_of(error: Exception) -> str:
    """The key of KINDS for what was raised; "internal" for what should not have happened."""
    if type(error) in _CODES:
        return _CODES[type(error)]
    if isinstance(error, (StoreError, KeyringError)):
        return "unavailable"
    if isinstance(error, (ProviderUnavailable, ProviderMisconfigured)):
        return "oidc-unavailable"
    if isinstance(error, OidcError):
        return "oidc-refused"
    if isinstance(error, HTTPException):
        return _STATUS_CODES.get(error.status_code, "internal")
    if isinstance(error, (StaffError, CitizenError, RequestRefused)):
        return error.code if error.code in KINDS else "internal"
    return "internal"


def headers_of(error: Exception) -> dict[str, str]:
    """Headers that go with the answer."""
    if isinstance(error, TooManyTries):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, (NotYetLogged, StoreError, KeyringError)):
        return {"Retry-After": "3"}
    return {}


def problem_json(error: Exception) -> JSONResponse:
    """The answer for scripts (RFC 9457)."""
    code = code_of(error)
    kind = KINDS[code]
    return JSONResponse(
        {
            "type": f"urn:siegelpost:problem:{code}",
            "code": code,
            "status": kind.status,
            "title": f"{kind.title}. {kind.text}",
        },
        status_code=kind.status,
        headers=headers_of(error),
        media_type="application/problem+json",
    )
