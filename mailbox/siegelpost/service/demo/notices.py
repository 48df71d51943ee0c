"""Three notices as a jobcenter would send them: a grant, a change, a request for documents.

All persons, numbers and offices are fictional.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import typst

#: The agency of the demo.
AGENCY: dict[str, str] = {
    "name": "Jobcenter Kreis Musterland",
    "street": "Musterallee 1",
    "town": "59999 Musterstadt",
    "phone": "02999 555-0",
    "sender": "jobcenter@musterland.example",
}
#: The citizen of the demo.
CITIZEN: dict[str, str] = {
    "name": "Alice Beispiel",
    "salutation": "Frau Beispiel",
    "birth_date": "1988-04-17",
    "street": "Beispielweg 7",
    "postal_code": "59999",
    "town": "Musterstadt",
    "reference": "BG-35502-0012345",
    "email": "alice@beispiel.example",
}

_REMEDY = (
    "Gegen diesen Bescheid kann jede betroffene Person innerhalb eines Monats nach Bekanntgabe "
    "Widerspruch erheben. Der Widerspruch ist schriftlich, in elektronischer Form nach § 36a "
    "Absatz 2 SGB I oder zur Niederschrift beim Jobcenter Kreis Musterland, Musterallee 1, "
    "59999 Musterstadt einzulegen."
)


@dataclass(frozen=True, kw_only=True)
class SampleNotice:
    """A notice to dispatch."""

    #: the `notice` part of the dispatch call, but for the enrolment
    metadata: dict[str, Any]
    #: file name of the document
    file_name: str
    #: the document
    pdf: bytes


def sample_notices(today: date) -> Iterator[SampleNotice]:
    """Make the three notices, dated ``today``."""
    for make in (_grant, _change, _request):
        yield make(today)


def _german(day: date) -> str:
    return f"{day.day:02}.{day.month:02}.{day.year}"


def _pdf(today: date, title: str, parts: list[dict[str, Any]], remedy: str | None) -> bytes:
    values = {
        "agency": AGENCY,
        "title": title,
        "reference": CITIZEN["reference"],
        "date": _german(today),
        "day": [today.year, today.month, today.day],
        "recipient": [
            CITIZEN["name"], CITIZEN["street"], f"{CITIZEN['postal_code']} {CITIZEN['town']}"
        ],
        "salutation": f"Sehr geehrte {CITIZEN['salutation']},",
        "parts": parts,
        "clerk": "Charlotte Musterfrau",
        "remedy": remedy,
    }  # fmt: skip
    pdf = typst.compile(
        Path(__file__).with_name("notice.typ"),
        sys_inputs={"notice": json.dumps(values)},
        pdf_standards=["a-2a", "ua-1"],
    )
    assert isinstance(pdf, bytes)
    return pdf


def _help() -> str:
    return f"Ihr Jobcenter, Telefon {AGENCY['phone']}, montags bis freitags 8 bis 12 Uhr."


def _grant(today: date) -> SampleNotice:
    title = "Bewilligung von Bürgergeld"
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    parts: list[dict[str, Any]] = [
        {
            "text": f"auf Ihren Antrag bewillige ich Ihnen ab dem {_german(first)} für zwölf "
            "Monate Leistungen zur Sicherung des Lebensunterhalts nach dem SGB II."
        },
        {
            "table": [
                ["Leistung", "Betrag im Monat"],
                ["Regelbedarf", "563,00 €"],
                ["Kosten der Unterkunft", "412,50 €"],
                ["Heizung", "78,20 €"],
                ["Gesamt", "1.053,70 €"],
            ]
        },
        {
            "heading": "Begründung",
            "text": "Sie sind erwerbsfähig und hilfebedürftig im Sinne der §§ 7 und 9 SGB II. "
            "Ihre Unterkunft ist angemessen.",
        },
        {
            "heading": "Was Sie beachten müssen",
            "text": "Bitte teilen Sie mir jede Änderung Ihrer Verhältnisse unverzüglich mit "
            "(§ 60 SGB I).",
        },
    ]
    return SampleNotice(
        metadata={
            "cover": {
                "title": title,
                "kind": "grant",
                "what_is_this": "Das Jobcenter hat Ihren Antrag bewilligt. "
                "Im Bescheid steht, wie viel Geld Sie bekommen und ab wann.",
                "what_to_do": "Prüfen Sie die Angaben. Wenn etwas nicht stimmt, können Sie "
                "Widerspruch einlegen.",
                "who_helps": _help(),
            },
            "remedy": "given",
        },
        file_name="Bewilligungsbescheid.pdf",
        pdf=_pdf(today, title, parts, _REMEDY),
    )


def _change(today: date) -> SampleNotice:
    title = "Änderung der Leistungen wegen höherer Heizkosten"
    parts: list[dict[str, Any]] = [
        {
            "text": "Ihr Vermieter hat die Abschläge für die Heizung erhöht. Deshalb ändere ich "
            "die Bewilligung nach § 48 SGB X."
        },
        {
            "table": [
                ["Leistung", "bisher", "neu"],
                ["Heizung", "78,20 €", "94,60 €"],
                ["Gesamt", "1.053,70 €", "1.070,10 €"],
            ]
        },
    ]
    return SampleNotice(
        metadata={
            "cover": {
                "title": title,
                "kind": "change",
                "what_is_this": "Ihre Heizkosten sind gestiegen. Das Jobcenter zahlt jetzt mehr.",
                "what_to_do": "Sie müssen nichts tun. Prüfen Sie nur, ob der Betrag stimmt.",
                "who_helps": _help(),
            },
            "remedy": "given",
        },
        file_name="Änderungsbescheid.pdf",
        pdf=_pdf(today, title, parts, _REMEDY),
    )


def _request(today: date) -> SampleNotice:
    title = "Bitte um Kontoauszüge und Mietbescheinigung"
    due = today + timedelta(days=21)
    due -= timedelta(days=max(0, due.weekday() - 4))  # the office is closed at weekends
    parts: list[dict[str, Any]] = [
        {"text": "für die Prüfung Ihres Antrags fehlen mir noch Unterlagen. Bitte schicken Sie:"},
        {
            "list": [
                "Kontoauszüge der letzten drei Monate",
                "die Mietbescheinigung Ihres Vermieters",
            ]
        },
        {
            "text": f"Bitte schicken Sie die Unterlagen bis zum {_german(due)}. Ohne sie kann "
            "ich die Leistung ganz oder teilweise versagen (§§ 60, 66 SGB I)."
        },
    ]
    return SampleNotice(
        metadata={
            "cover": {
                "title": title,
                "kind": "request",
                "what_is_this": "Dem Jobcenter fehlen Unterlagen von Ihnen.",
                "what_to_do": "Schicken Sie Kontoauszüge der letzten drei Monate und die "
                "Mietbescheinigung.",
                "due_on": due.isoformat(),
                "who_helps": _help(),
            },
            "remedy": "none-possible",
        },
        file_name="Aufforderung zur Mitwirkung.pdf",
        pdf=_pdf(today, title, parts, None),
    )
