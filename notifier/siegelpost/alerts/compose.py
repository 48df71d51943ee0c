"""From a claimed alert to the bytes of its mail, by the templates under `mail/` (DESIGN section 8).

The citizen's own language first, because a mail that begins in a foreign one goes unread; German
always, as the legal text (`texts`).
What a mail may never hold (link, title, reference, amount) is not among the values given to the
templates, and a test reads every template in every language for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, select_autoescape

from siegelpost.alerts import mime, texts
from siegelpost.alerts.errors import UnusableMail
from siegelpost.alerts.settings import AlertSettings
from siegelpost.alerts.texts import Language
from siegelpost.evidence.ids import AlertId
from siegelpost.store.outbox import AlertKind, ClaimedAlert
from siegelpost.store.return_addresses import return_address, return_token

#: Which folder under `mail/` a kind is written by.
TEMPLATES: Mapping[AlertKind, str] = {
    AlertKind.NOTICE: "alert",
    AlertKind.REMINDER: "reminder",
    AlertKind.DEADLINE_REMINDER: "deadline-reminder",
    AlertKind.ADDRESS_CODE: "address-code",
}


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


class Composer:
    """Renders mails; compiles each template once."""

    def __init__(
        self,
        loader: BaseLoader,
        settings: AlertSettings,
        *,
        address_code: Callable[[AlertId], str],
        return_secret: Callable[[], bytes],
    ) -> None:
        """Read templates with `loader`.

        `address_code` derives the code of an address-code mail, `return_secret` gives the key by
        which return addresses are signed now.
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

    def compose(self, alert: ClaimedAlert, *, now: datetime) -> Mail:
        """Write the mail of `alert` as of `now`, which becomes its Date.

        Raises UnusableAddress if the recipient's address can't be used, UnusableMail if the alert
        lacks what its kind needs.
        """
        settings = self._settings
        recipient = mime.ascii_address(alert.email)
        languages = texts.languages_of(alert.language)
        subject, text, html = self._render(alert, languages)
        sender = alert.agency_sender or settings.fallback_sender
        token = return_token(
            self._return_secret(), alert.id, now=now, lifetime=settings.return_lifetime
        )
        message_id = f"<{alert.id}@{settings.domain}>"
        data = mime.mail(
            sender_name=alert.agency_name or "Ihr elektronisches Postfach",
            sender=mime.ascii_address(sender),
            recipient=recipient,
            subject=subject,
            date=now,
            message_id=message_id,
            languages=[language.tag for language in languages],
            entity=mime.alternative(text, html),
        )
        return Mail(
            message_id=message_id,
            sender=mime.ascii_address(return_address(token, settings.return_domain)),
            recipient=recipient,
            data=data,
            digest=hashlib.sha256(data).digest(),
            envelope_id=token,
        )

    def _render(self, alert: ClaimedAlert, languages: Sequence[Language]) -> tuple[str, str, str]:
        subject_template, text_template, html_template = self._templates[alert.kind]
        subjects: list[str] = []
        sections: list[dict[str, Any]] = []
        for language in languages:
            words = self._words(alert, language)
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

    def _words(self, alert: ClaimedAlert, language: Language) -> dict[str, Any]:
        """Return what the templates may name."""
        words: dict[str, Any] = {
            "language": language,
            "agency": _isolated(alert.agency_name, language, texts.foreign_words),
            "phone": _isolated(alert.agency_phone, language, texts.digits),
            "salutation": None,
        }
        if alert.kind is AlertKind.ADDRESS_CODE:
            return words | {"code": self._address_code(alert.id)}
        if alert.agency_name is None or alert.provided_at is None:
            raise UnusableMail("an alert about a notice needs its agency and its date")
        return words | {
            "salutation": _isolated(alert.salutation, language, texts.foreign_words),
            "date": texts.spoken_date(alert.provided_at, language),
        }


def _isolated(
    text: str | None, language: Language, isolate: Callable[[str, Language], str]
) -> str | None:
    # A line break in a name must not look like text of ours.
    return None if text is None else isolate(" ".join(text.split()), language)
