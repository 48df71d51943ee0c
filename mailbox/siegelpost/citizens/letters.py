"""The activation letter as PDF/A-2a and PDF/UA-1, typeset by typst from ``templates/letters``.

Values reach the template as JSON through ``sys.inputs`` and are shown as text: typst never parses
them as markup, so a name like ``#read("…")`` prints as it is.
The letter is German; what the citizen reads later can be in another language.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import typst

from siegelpost.citizens.paths import templates_folder
from siegelpost.citizens.text import checked_line

_BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, kw_only=True)
class PostalAddress:
    """Where the letter goes; InputInvalid for control characters and overlong lines."""

    #: full name, e.g. "Alice Beispiel"
    name: str
    #: second line, e.g. "c/o Muster", or empty
    extra: str = ""
    #: street and house number
    street: str
    #: postal code as text: leading zeros count
    postal_code: str
    #: town
    city: str
    #: country in German, or empty within Germany
    country: str = ""

    def __post_init__(self) -> None:
        for field, empty in (
            ("name", False),
            ("extra", True),
            ("street", False),
            ("postal_code", False),
            ("city", False),
            ("country", True),
        ):
            checked_line(getattr(self, field), f"address.{field}", longest=100, empty=empty)

    def lines(self) -> list[str]:
        """The lines for the window of the envelope."""
        lines = (self.name, self.extra, self.street, f"{self.postal_code} {self.city}")
        return [line for line in (*lines, self.country.upper()) if line]


@dataclass(frozen=True, kw_only=True)
class ActivationLetter:
    """What one activation letter says."""

    #: as citizens know it
    agency_name: str
    #: for questions
    agency_phone: str
    #: the agency's own reference
    reference: str
    #: "Frau Beispiel"
    salutation: str
    #: for the window
    address: PostalAddress
    #: seven groups of four, separated by "-"
    code: str
    #: aware
    code_expires_at: datetime
    #: what the citizen types into the browser, e.g. https://post.example.org
    portal_address: str
    #: date of the letter, aware
    made_at: datetime


def activation_letter(letter: ActivationLetter) -> bytes:
    """The PDF; about 30 ms of processor time, so call it off the event loop."""
    address = letter.portal_address
    values = {
        "agency": letter.agency_name,
        "phone": letter.agency_phone,
        "reference": letter.reference,
        "salutation": letter.salutation,
        "address": letter.address.lines(),
        "groups": letter.code.split("-"),
        "expires": german_date(letter.code_expires_at),
        "portal": address.removeprefix("https://").rstrip("/"),
        "date": german_date(letter.made_at),
    }
    pdf = typst.compile(
        templates_folder() / "letters" / "activation.typ",
        format="pdf",
        ignore_system_fonts=True,  # the same letter on every machine
        sys_inputs={"letter": json.dumps(values)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=int(letter.made_at.timestamp()),
    )
    assert isinstance(pdf, bytes)
    return pdf


def german_date(moment: datetime) -> str:
    """``5. Januar 2027`` of the day in Germany."""
    months = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    day = moment.astimezone(_BERLIN)
    return f"{day.day}. {months.split()[day.month - 1]} {day.year}"
