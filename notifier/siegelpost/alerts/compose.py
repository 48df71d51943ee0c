"""From a claimed alert to the bytes of its mail, by the templates under `mail/` (DESIGN section 8).

The citizen's own language first, because a mail that begins in a foreign one goes unread; German
always, as the legal text (`texts`).
What a mail may never hold (link, title, reference, amount) is not among the values given to the
templates, and a test reads every template in every language for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, select_autoescape
from markupsafe import escape

from siegelpost.alerts import mime, texts
from siegelpost.alerts.dkim import DkimSigner
from siegelpost.alerts.errors import UnusableMail
from siegelpost.alerts.settings import AlertSettings
from siegelpost.alerts.texts import Language
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.ids import AlertId
from siegelpost.store.outbox import CODE_KINDS, AlertKind, ClaimedAlert
from siegelpost.store.return_addresses import return_address, return_token

#: Which folder under `mail/` a kind is written by.
TEMPLATES: Mapping[AlertKind, str] = {
    AlertKind.NOTICE: "alert",
    AlertKind.REMINDER: "reminder",
    AlertKind.DEADLINE_REMINDER: "deadline-reminder",
    AlertKind.ADDRESS_CODE: "address-code",
    AlertKind.LOGIN_CODE: "login-code",
    AlertKind.ADDRESS_CHANGE_CODE: "address-change-code",
    AlertKind.ADDRESS_CHANGED: "address-changed",
    AlertKind.INVITATION_ACCEPTED: "invitation-accepted",
    AlertKind.MANDATE_CHANGED: "mandate-changed",
    AlertKind.ACCESS_CHANGED: "access-changed",
}


#: Stands in a sample for what is the citizen's own: salutation or code. For private use (Unicode).
_OWN = "\ue000"
#: Mails of one day differ in little: rendering each anew would cost ten times as much.
_SAMPLES = 512


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as it goes over the wire, without dot-stuffing."""

    #: with angle brackets; the same for every attempt of one alert
    message_id: str
    #: envelope sender: the alert's own return address
    sender: str
    #: envelope recipient
    recipient: str
    #: headers and body, CRLF, 7 bit
    data: bytes
    #: SHA-256 of `data`
    digest: bytes
    #: ENVID of the DSN extension, comes back in notifications
    envelope_id: str
    #: JSON for the evidence: how OpenPGP protects it, or why it doesn't; None: nobody wished it
    openpgp: Mapping[str, Json] | None = None


@dataclass(frozen=True, kw_only=True)
class Protected:
    """A MIME entity after encrypting or signing."""

    #: its own headers and body, CRLF, 7 bit
    entity: bytes
    #: JSON for the evidence
    facts: Mapping[str, Json]


#: Makes of a MIME entity the one that goes out; may block.
Protect = Callable[[bytes], Protected]


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """What mails have in common that differ in nothing but the salutation or the code."""

    kind: AlertKind
    language: str
    agency: str | None
    phone: str | None
    date: date | None
    greets: bool


class Composer:
    """Renders mails; compiles each template once."""

    def __init__(
        self,
        loader: BaseLoader,
        settings: AlertSettings,
        *,
        address_code: Callable[[AlertId], str],
        return_secret: Callable[[], bytes],
        dkim: Callable[[], DkimSigner | None] = lambda: None,
    ) -> None:
        """Read templates with `loader`.

        `address_code` derives the code of a mail that holds one, `return_secret` gives the key by
        which return addresses are signed now, `dkim` who signs mails now, if anybody.
        """
        environment = Environment(
            loader=loader,
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        texts.prepare(environment)
        self._settings = settings
        self._address_code = address_code
        self._return_secret = return_secret
        self._dkim = dkim
        self._templates: dict[AlertKind, tuple[Template, Template, Template]] = {}
        for kind, folder in TEMPLATES.items():
            subject, text, html = (
                environment.get_template(f"mail/{folder}/{name}")
                for name in ("subject.txt", "body.txt", "body.html")
            )
            self._templates[kind] = (subject, text, html)
        self._frames = (
            environment.get_template("mail/parts/frame.txt"),
            environment.get_template("mail/parts/frame.html"),
        )
        self._note = environment.get_template("mail/parts/note.txt")
        self._samples = lru_cache(maxsize=_SAMPLES)(self._sample)

    def compose(
        self, alert: ClaimedAlert, *, now: datetime, protect: Protect | None = None
    ) -> Mail:
        """Write the mail of `alert` as of `now`, which becomes its Date.

        `protect` encrypts or signs its content.
        Raises UnusableAddress if the recipient's address can't be used, UnusableMail if the alert
        lacks what its kind needs.
        """
        settings = self._settings
        recipient = mime.ascii_address(alert.email)
        languages = texts.languages_of(alert.language)
        subject, text, html = self._render(alert)
        sender = mime.ascii_address(alert.agency_sender or settings.fallback_sender)
        token = return_token(
            self._return_secret(), alert.id, now=now, lifetime=settings.return_lifetime
        )
        message_id = f"<{alert.id}@{settings.domain}>"
        entity = mime.alternative(text, html)
        protected = None if protect is None else protect(entity)
        data = mime.mail(
            sender_name=alert.agency_name or "Ihr elektronisches Postfach",
            sender=sender,
            recipient=recipient,
            subject=subject,
            date=now,
            message_id=message_id,
            languages=[language.tag for language in languages],
            entity=entity if protected is None else protected.entity,
        )
        if (dkim := self._dkim()) is not None:
            data = dkim.sign(data, sender=sender, now=now)
        return Mail(
            message_id=message_id,
            sender=mime.ascii_address(return_address(token, settings.return_domain)),
            recipient=recipient,
            data=data,
            digest=hashlib.sha256(data).digest(),
            envelope_id=token,
            openpgp=None if protected is None else protected.facts,
        )

    def _render(self, alert: ClaimedAlert) -> tuple[str, str, str]:
        """Return subject, plain text and HTML."""
        sample = _Sample(
            kind=alert.kind,
            language=texts.languages_of(alert.language)[0].tag,
            agency=_one_line(alert.agency_name),
            phone=_one_line(alert.agency_phone),
            date=None if alert.provided_at is None else texts.german_day(alert.provided_at),
            greets=alert.salutation is not None,
        )
        if alert.kind in CODE_KINDS:
            own = self._address_code(alert.id)
        else:
            own = _one_line(alert.salutation) or ""
        subject, text, html = self._samples(sample)
        return subject, text.replace(_OWN, own), html.replace(_OWN, escape(own))

    def _sample(self, sample: _Sample) -> tuple[str, str, str]:
        subject_template, text_template, html_template = self._templates[sample.kind]
        subjects: list[str] = []
        sections: list[dict[str, Any]] = []
        for language in texts.languages_of(sample.language):
            words = _words(sample, language)
            subjects.append(subject_template.render(words))
            sections.append(
                {
                    "language": language,
                    "text": text_template.render(words).strip(),
                    "html": html_template.render(words),
                    "note": self._note.render(words),
                }
            )
        subject = " / ".join(subjects)
        text, html = (frame.render(subject=subject, sections=sections) for frame in self._frames)
        return subject, text, html


def _words(sample: _Sample, language: Language) -> dict[str, Any]:
    """Return what the templates may name."""
    words: dict[str, Any] = {
        "language": language,
        "agency": sample.agency and texts.foreign_words(sample.agency, language),
        "phone": sample.phone and texts.digits(sample.phone, language),
        "salutation": None,
    }
    if sample.kind in CODE_KINDS:
        return words | {"code": _OWN}
    if sample.agency is None or sample.date is None:
        raise UnusableMail("an alert about a notice needs its agency and its date")
    return words | {
        "salutation": texts.foreign_words(_OWN, language) if sample.greets else None,
        "date": texts.spoken_day(sample.date, language),
    }


def _one_line(text: str | None) -> str | None:
    # A line break in a name must not look like text of ours.
    return None if text is None else " ".join(text.replace(_OWN, "").split())
