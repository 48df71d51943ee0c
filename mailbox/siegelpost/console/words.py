"""German words for what the console shows: states, kinds, roles, choices (pure).

Names of events are in `siegelpost.receipts.words`, the legal clock's in `siegelpost.deadlines`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from siegelpost.receipts.times import exact, local, short_day
from siegelpost.staff.exports import ExportKind, ExportState, Purpose
from siegelpost.staff.roles import Role

NOTICE_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "provided": ("info", "Noch nicht geöffnet"),
        "retrieved": ("success", "Geöffnet"),
        "acknowledged": ("success", "Erhalt bestätigt"),
        "withdrawn": ("warning", "Zurückgezogen"),
        "closed": ("info", "Geschlossen"),
    }
)
DEADLINE_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "served": ("success", "Bekannt gegeben"),
        "expected": ("info", "Bekanntgabe steht bevor"),
        "open": ("info", "Noch offen"),
        "not-served": ("danger", "Nicht bekannt gegeben"),
        "refused": ("danger", "Elektronisch nicht zulässig"),
    }
)
ALERT_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "notice": "Benachrichtigung",
        "reminder": "Erinnerung",
        "deadline-reminder": "Fristerinnerung",
    }
)
ALERT_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "queued": ("info", "Wartet auf den Versand"),
        "submitting": ("info", "Wird gerade übergeben"),
        "deferred": ("warning", "Aufgeschoben, neuer Versuch folgt"),
        "accepted": ("info", "Vom Mailserver angenommen"),
        "delivered": ("success", "Zugestellt gemeldet"),
        "failed": ("danger", "Gescheitert"),
        "given-up": ("danger", "Aufgegeben"),
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {"accepted": "angenommen", "deferred": "aufgeschoben", "failed": "abgelehnt"}
)
TASK_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "alert-failed": "Benachrichtigung gescheitert: auf Papier senden",
        "alert-unconfirmed": "Zustellung der Benachrichtigung nicht gemeldet",
        "alert-disputed": "Zugang der Benachrichtigung bestritten",
        "consent-revoked": "Einwilligung widerrufen, Schreiben noch ungeöffnet",
        "not-retrieved": "Schreiben noch nicht geöffnet",
        "providing-ended": "Abrufzeit vorbei: auf Papier senden",
        "reprovide": "Schlüssel verloren: erneut bereitstellen",
    }
)
TASK_OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "paper-sent": "Auf Papier versandt",
        "settled": "Anders geklärt, zum Beispiel am Telefon",
        "not-needed": "Nichts zu tun",
    }
)
CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "not-received": "Die Person sagt: Die E-Mail ist nie angekommen.",
        "received-late": "Die Person sagt: Die E-Mail ist erst später angekommen.",
    }
)
ROLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.CLERK: "Sachbearbeitung",
        Role.LEGAL: "Rechtsstelle",
        Role.AUDITOR: "Revision",
        Role.ADMIN: "Verwaltung der Konten",
    }
)
EXPORT_KINDS: Mapping[ExportKind, str] = MappingProxyType(
    {
        ExportKind.RECEIPT_JSON: "Quittung (JSON, prüfbar)",
        ExportKind.RECEIPT_PDF: "Quittung (PDF)",
        ExportKind.COURT_FILE: "Gerichtsakte (ASiC-E)",
    }
)
PURPOSES: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.COURT: "Gerichtsverfahren",
        Purpose.OBJECTION: "Widerspruchsverfahren",
        Purpose.ACCESS: "Auskunft an die betroffene Person",
        Purpose.SUPERVISION: "Aufsicht oder Datenschutz",
    }
)
EXPORT_STATES: Mapping[ExportState, tuple[str, str]] = MappingProxyType(
    {
        ExportState.REQUESTED: ("warning", "Wartet auf Freigabe"),
        ExportState.APPROVED: ("success", "Freigegeben"),
        ExportState.REFUSED: ("danger", "Abgelehnt"),
        ExportState.EXPIRED: ("info", "Abgelaufen"),
    }
)
MEMBER_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "invited": ("warning", "Eingeladen"),
        "active": ("success", "Aktiv"),
        "disabled": ("info", "Gesperrt"),
    }
)
MARKS: Mapping[str, str] = MappingProxyType(
    {
        "V": "nach Gesetz oder Entscheidung",
        "C": "nach Kommentarliteratur",
        "M": "noch am Wortlaut zu prüfen",
        "I": "Auslegung, rechtlich zu prüfen",
    }
)
ENROLMENT_STATES: Mapping[str, str] = MappingProxyType(
    {"issued": "Brief verschickt", "active": "Postfach freigeschaltet", "ended": "Beendet"}
)


def minute(moment: datetime) -> str:
    """``22.11.2026, 17:56 Uhr`` in German legal time; a line may end after the day."""
    at = local(moment)
    return f"{at.day:02}.{at.month:02}.{at.year}, {at:%H:%M}\u00a0Uhr"


def evidence_time(moment: datetime) -> str:
    """To the millisecond, with the zone."""
    return exact(moment, "de")


def weekday(day: date) -> str:
    """``So, 22.11.2026``, in one line."""
    return short_day(day, "de").replace(" ", "\u00a0")
