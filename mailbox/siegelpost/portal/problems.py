"""Problem answers (RFC 9457): the one place where refusals meet HTTP, with texts for people.

Every refusal has a stable ``code``; ``type`` is ``urn:siegelpost:problem:<code>``.
Texts say what happened, what it means and what to do next; they never hold what was typed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse

from siegelpost.citizens.errors import CitizenError, InputInvalid, TooManyTries
from siegelpost.citizens.openpgp import OpenPgpKeyRefused
from siegelpost.notices.errors import (
    AcknowledgementInvalid,
    NoSuchNotice,
    NoSuchReply,
    NoticeError,
    NotYetLogged,
    RepliesNotOffered,
    ReplyIdTaken,
    ReplyInvalid,
    ReplyKeyChanged,
    RewrapInvalid,
    SealUnavailable,
    SendingNotAgreed,
    StepRefused,
    TooManyReplies,
    TooManyRepliesToday,
)
from siegelpost.notices.inbox import CursorInvalid
from siegelpost.oidc.errors import OidcError, ProviderMisconfigured, ProviderUnavailable
from siegelpost.portal.openpgp_texts import OPENPGP_TEXTS
from siegelpost.portal.reply_texts import REPLY_TEXTS
from siegelpost.portal.texts import translated

#: Seconds after which a receipt that is not yet logged is worth asking for again.
LOG_SECONDS = 3


@dataclass(frozen=True)
class Kind:
    """How one code is answered."""

    #: HTTP status
    status: int
    #: German, B1
    de: str
    #: English
    en: str


_LETTER = "Bitte rufen Sie die Behörde an. Sie schickt Ihnen einen neuen Brief."
_LETTER_EN = "Please call the authority. It will send you a new letter."

#: Every code that the portal answers with.
KINDS: Mapping[str, Kind] = {
    "input-invalid": Kind(
        422,
        "Eine Angabe ist unvollständig oder falsch geschrieben. Bitte prüfen Sie sie.",
        "Something is missing or misspelt. Please check it.",
    ),
    "too-many-tries": Kind(
        429,
        "Das waren zu viele Versuche. "
        "Bitte warten Sie etwas und versuchen Sie es dann noch einmal.",
        "That was tried too often. Please wait a while, then try again.",
    ),
    "activation-refused": Kind(
        403,
        "Freischaltcode und Geburtsdatum passen nicht zusammen. Bitte prüfen Sie beides.",
        "Activation code and date of birth do not match. Please check both.",
    ),
    "activation-locked": Kind(
        403,
        f"Dieser Freischaltcode ist gesperrt, weil er zu oft falsch benutzt wurde. {_LETTER}",
        f"This activation code is locked, because it was tried too often. {_LETTER_EN}",
    ),
    "activation-expired": Kind(
        403,
        f"Dieser Freischaltcode ist abgelaufen. {_LETTER}",
        f"This activation code has expired. {_LETTER_EN}",
    ),
    "activation-used": Kind(
        409,
        "Mit diesem Freischaltcode wurde schon ein Postfach freigeschaltet. "
        "Bitte melden Sie sich an.",
        "This activation code has been used already. Please log in.",
    ),
    "activation-over": Kind(
        401,
        "Die Freischaltung ist abgelaufen. Bitte beginnen Sie noch einmal mit dem Freischaltcode.",
        "The activation has timed out. Please start again with the activation code.",
    ),
    "address-unconfirmed": Kind(
        409,
        "Ihre E-Mail-Adresse ist noch nicht bestätigt. Bitte geben Sie zuerst den Code ein.",
        "Your e-mail address is not confirmed yet. Please enter the code first.",
    ),
    "address-code-wrong": Kind(
        403,
        "Der Code stimmt nicht oder ist abgelaufen. Sie können einen neuen Code anfordern.",
        "The code is wrong or too old. You can ask for a new one.",
    ),
    "consent-missing": Kind(
        422,
        "Ohne Ihre Zustimmung gibt es kein Postfach. Sie bekommen weiter Papierpost.",
        "Without your consent there is no mailbox. You will keep getting letters on paper.",
    ),
    "consent-unknown": Kind(404, "Diese Zustimmung gibt es nicht.", "There is no such consent."),
    "login-name-taken": Kind(
        409,
        "Dieser Anmeldename ist schon vergeben. Bitte wählen Sie einen anderen.",
        "This login name is taken. Please choose another one.",
    ),
    "login-name-foreign": Kind(
        422,
        "Als Anmeldename geht nur Ihre eigene E-Mail-Adresse oder ein Name ohne @-Zeichen.",
        "A login name is your own e-mail address or a name without @.",
    ),
    "key-binding-wrong": Kind(
        422,
        "Ihr Schlüssel konnte nicht hinterlegt werden. Bitte laden Sie die Seite neu.",
        "Your key could not be registered. Please reload the page.",
    ),
    "invitation-unknown": Kind(
        404,
        "Dieser Code gilt nicht. Vielleicht wurde er schon benutzt oder ist abgelaufen. "
        "Bitten Sie um einen neuen.",
        "This code is not valid. It may have been used already, or has expired. "
        "Please ask for a new one.",
    ),
    "mandate-unknown": Kind(404, "Diese Freigabe gibt es nicht.", "There is no such permission."),
    "mandate-closed": Kind(
        409,
        "Diese Freigabe lässt sich nicht mehr erteilen. Bitte laden Sie die Seite neu.",
        "This permission can no longer be given. Please reload the page.",
    ),
    "not-managed": Kind(
        404,
        "Wir verwahren keinen Schlüssel für dieses Postfach.",
        "We keep no key of this mailbox.",
    ),
    "key-outdated": Kind(
        409,
        "Ihr Schlüssel wurde gerade schon ausgetauscht. Bitte laden Sie die Seite neu.",
        "Your key has just been exchanged already. Please reload the page.",
    ),
    "rewrap-invalid": Kind(
        422,
        "Ein Schreiben ließ sich nicht neu verschließen. Es bleibt, wie es ist, und ist lesbar.",
        "A notice could not be closed anew. It stays as it is, and readable.",
    ),
    "login-refused": Kind(
        403,
        "Anmeldename und Passwort passen nicht zusammen. Bitte prüfen Sie beides.",
        "Login name and password do not match. Please check both.",
    ),
    "login-step-over": Kind(
        403,
        "Die Anmeldung hat zu lange gedauert, oder der Code war zu oft falsch. "
        "Bitte beginnen Sie noch einmal.",
        "The login took too long, or the code was wrong too often. Please start again.",
    ),
    "login-code-wrong": Kind(
        403,
        "Der Code stimmt nicht oder ist abgelaufen. Bitte prüfen Sie ihn.",
        "The code is wrong or too old. Please check it.",
    ),
    "second-factor-unavailable": Kind(
        409,
        "Wir können Ihnen keinen Code schicken: Ihre E-Mail-Adresse nimmt keine E-Mails an. "
        "Bitte nehmen Sie Ihren Notfall-Code.",
        "We cannot send you a code: your address takes no mail. Please use your emergency code.",
    ),
    "totp-active": Kind(
        409,
        "Eine Code-App ist schon eingerichtet. Bitte entfernen Sie sie zuerst.",
        "A code app is set up already. Please remove it first.",
    ),
    "account-unlinked": Kind(
        403,
        "Dieses Konto ist mit keinem Postfach verbunden. Bitte nehmen Sie Ihr Passwort. "
        "Verbinden können Sie das Konto danach unter „Einstellungen“.",
        "This account is linked to no mailbox. Please use your password, then link it.",
    ),
    "account-taken": Kind(
        409,
        "Dieses Konto ist schon mit einem anderen Postfach verbunden.",
        "This account is linked to another mailbox already.",
    ),
    "oidc-refused": Kind(
        403,
        "Die Anmeldung dort hat nicht geklappt. Bitte versuchen Sie es noch einmal "
        "oder nehmen Sie Ihr Passwort.",
        "The login there did not work. Please try again, or use your password.",
    ),
    "oidc-unavailable": Kind(
        503,
        "Die Anmeldung dort ist gerade nicht möglich. Bitte nehmen Sie Ihr Passwort.",
        "Logging in there is not possible right now. Please use your password.",
    ),
    "proof-needed": Kind(
        403,
        "Bitte geben Sie zur Sicherheit noch einmal Ihr Passwort ein.",
        "Please enter your password once more, for your safety.",
    ),
    "passkey-refused": Kind(
        422,
        "Dieses Gerät konnte nicht eingerichtet werden. Ihr Passwort gilt weiter.",
        "This device could not be set up. Your password still works.",
    ),
    "passkey-unknown": Kind(
        404,
        "Dieses Gerät ist nicht eingerichtet. Bitte laden Sie die Seite neu.",
        "This device is not set up. Please reload the page.",
    ),
    **{code: Kind(*answer) for code, answer in OPENPGP_TEXTS.items()},
    "session-over": Kind(
        401,
        "Sie sind nicht mehr angemeldet. Bitte melden Sie sich noch einmal an.",
        "You are no longer logged in. Please log in again.",
    ),
    "not-found": Kind(
        404,
        "Diese Seite gibt es nicht, oder sie ist nicht für Sie.",
        "This page does not exist, or it is not for you.",
    ),
    "not-yet-logged": Kind(
        409,
        "Die Quittung ist in wenigen Sekunden fertig. Bitte versuchen Sie es gleich noch einmal.",
        "The receipt will be ready in a few seconds. Please try again shortly.",
    ),
    "seal-unavailable": Kind(
        503,
        "Gerade kann keine PDF gesiegelt werden. Bitte speichern Sie die Quittung als Datei für "
        "Prüfprogramme: Sie beweist dasselbe.",
        "No PDF can be sealed just now. Please save the receipt for verifying programs: it proves "
        "the same.",
    ),
    "acknowledgement-invalid": Kind(
        422,
        "Die Bestätigung passt nicht zu diesem Schreiben. Bitte laden Sie die Seite neu.",
        "The acknowledgement does not fit this notice. Please reload the page.",
    ),
    "step-refused": Kind(
        409,
        "Das geht bei diesem Schreiben nicht, zum Beispiel weil die Behörde es zurückgezogen hat.",
        "That is not possible with this notice, perhaps because the authority withdrew it.",
    ),
    **{code: Kind(*answer) for code, answer in REPLY_TEXTS.items()},
    "form-refused": Kind(
        403,
        "Diese Seite ist nicht mehr aktuell. Bitte laden Sie sie neu.",
        "This page is out of date. Please reload it.",
    ),
    "cross-site": Kind(
        403,
        "Diese Seite kann nicht in andere Seiten eingebunden werden.",
        "This page cannot be embedded in other pages.",
    ),
    "host-unknown": Kind(
        421,
        "Unter dieser Adresse gibt es kein Postfach.",
        "There is no mailbox service at this address.",
    ),
    "too-large": Kind(413, "Die Anfrage ist zu groß.", "The request is too large."),
    "too-slow": Kind(
        408,
        "Die Verbindung war zu langsam. Bitte versuchen Sie es noch einmal.",
        "The connection was too slow. Please try again.",
    ),
    "not-json": Kind(415, "Die Anfrage ist kein JSON.", "The request is not JSON."),
    "method": Kind(405, "So geht das hier nicht.", "That is not possible here."),
    "unavailable": Kind(
        503,
        "Das Postfach ist gerade nicht erreichbar. Ihre Schreiben sind sicher. "
        "Bitte versuchen Sie es in einigen Minuten noch einmal.",
        "The mailbox is not available right now. Your notices are safe. "
        "Please try again in a few minutes.",
    ),
    "internal": Kind(
        500,
        "Bei uns ist ein Fehler passiert. Ihre Schreiben sind sicher. "
        "Bitte versuchen Sie es später noch einmal.",
        "Something went wrong on our side. Your notices are safe. Please try again later.",
    ),
}

_NOTICE_CODES: Mapping[type[NoticeError], str] = {
    NoSuchNotice: "not-found",
    NotYetLogged: "not-yet-logged",
    SealUnavailable: "seal-unavailable",
    AcknowledgementInvalid: "acknowledgement-invalid",
    StepRefused: "step-refused",
    CursorInvalid: "input-invalid",
    RewrapInvalid: "rewrap-invalid",
    NoSuchReply: "not-found",
    RepliesNotOffered: "replies-not-offered",
    SendingNotAgreed: "no-consent-to-send",
    ReplyKeyChanged: "reply-key-changed",
    ReplyInvalid: "reply-invalid",
    ReplyIdTaken: "reply-id-taken",
    TooManyReplies: "too-many-replies",
    TooManyRepliesToday: "too-many-replies-today",
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal on its way to a page or a script."""

    #: key of KINDS
    code: str
    #: field that is malformed, if one is
    field: str | None = None
    #: seconds after which trying again makes sense
    retry_after: int | None = None
    #: by which support finds a failure in the log
    reference: str | None = None

    @property
    def kind(self) -> Kind:
        """How the code is answered."""
        return KINDS[self.code]

    def text(self, language: str) -> str:
        """What a page says about it; English stands beside the German, for the protocol, too."""
        return self.kind.en if language == "en" else translated(self.kind.de, language)

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with it."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def new_reference(entropy: Callable[[int], bytes]) -> str:
    """Eight letters and digits that can be read out on the phone."""
    return base64.b32encode(entropy(5)).decode("ascii")


def problem_of(error: Exception) -> Problem:
    """How a domain error is answered; "internal" for what should not have happened."""
    if isinstance(error, TooManyTries):
        return Problem(code=error.code, retry_after=error.retry_after_seconds)
    if isinstance(error, InputInvalid):
        return Problem(code=error.code, field=error.field)
    if isinstance(error, OpenPgpKeyRefused):
        return Problem(code=f"{error.code}-{error.reason}")
    if isinstance(error, CitizenError):
        return Problem(code=error.code if error.code in KINDS else "internal")
    if isinstance(error, ProviderUnavailable | ProviderMisconfigured):
        return Problem(code="oidc-unavailable")
    if isinstance(error, OidcError):
        return Problem(code="oidc-refused")
    code = _NOTICE_CODES.get(type(error), "internal") if isinstance(error, NoticeError) else None
    if code == "not-yet-logged":
        return Problem(code=code, retry_after=LOG_SECONDS)
    return Problem(code=code or "internal")


def problem_json(problem: Problem) -> JSONResponse:
    """The answer for scripts."""
    kind = problem.kind
    body: dict[str, str | int] = {
        "type": f"urn:siegelpost:problem:{problem.code}",
        "code": problem.code,
        "status": kind.status,
        "title": kind.en,
        "title_de": kind.de,
        "title_en": kind.en,
    }
    if problem.field is not None:
        body["field"] = problem.field
    if problem.retry_after is not None:
        body["retry_after"] = problem.retry_after
    if problem.reference is not None:
        body["reference"] = problem.reference
    return JSONResponse(
        body,
        status_code=kind.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def plain_problem(code: str) -> JSONResponse:
    """The answer where no page can be rendered: before routing."""
    return problem_json(Problem(code=code))
