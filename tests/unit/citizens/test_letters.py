"""The activation letter: readable by people and screen readers, and deaf to what names say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest

from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.letters import (
    ActivationLetter,
    PostalAddress,
    activation_letter,
    german_date,
)

LETTER = ActivationLetter(
    agency_name="Jobcenter Kreis Musterland",
    agency_phone="02999 555-0",
    reference="BG-35502-0012345",
    salutation="Frau Beispiel",
    address=PostalAddress(
        name="Alice Beispiel", street="Beispielweg 7", postal_code="01234", city="Musterstadt"
    ),
    code="7ABC-DEFG-HJKM-NPQR-STVW-XYZ0-1234",
    code_expires_at=datetime(2027, 1, 21, 23, 30, tzinfo=UTC),
    portal_address="https://post.example.org/",
    made_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
)


def test_letter_is_one_page_of_archivable_tagged_german() -> None:
    with pikepdf.open(BytesIO(activation_letter(LETTER))) as pdf:
        assert len(pdf.pages) == 1
        assert pdf.Root.Lang == "de-DE"
        assert bool(pdf.Root.MarkInfo.Marked)
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfuaid:part"] == "1"


def test_letter_is_the_same_bytes_for_the_same_facts() -> None:
    assert activation_letter(LETTER) == activation_letter(LETTER)
    assert activation_letter(LETTER) != activation_letter(replace(LETTER, reference="x"))


@pytest.mark.parametrize(
    "name",
    [
        '#read("/etc/passwd")',
        "*fett* _kursiv_ $x$ `code` = Titel",
        '"; #panic("!") //',
        "\\u{41} <label> @ref",
        "{{ name }} [x] #(1 + 1)",
    ],
)
def test_names_are_printed_and_never_interpreted(name: str) -> None:
    hostile = replace(LETTER, salutation=name, address=replace(LETTER.address, name=name))
    with pikepdf.open(BytesIO(activation_letter(hostile))) as pdf:
        assert len(pdf.pages) == 1


def test_control_characters_do_not_reach_the_letter() -> None:
    for field in ("name", "street", "city"):
        with pytest.raises(InputInvalid) as invalid:
            replace(LETTER.address, **{field: "a\nb"})
        assert invalid.value.field == f"address.{field}"


def test_dates_are_those_of_germany() -> None:
    assert german_date(LETTER.code_expires_at) == "22. Januar 2027"
    assert re.fullmatch(r"\d+\. \w+ \d{4}", german_date(LETTER.made_at))
