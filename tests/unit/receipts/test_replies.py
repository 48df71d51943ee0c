"""Replies in the PDF of a receipt and its picture: named, and not taken for more than they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence.events import EventType
from siegelpost.evidence.receipt import parse_receipt, write_receipt
from siegelpost.receipts.content import content
from siegelpost.receipts.pdf import make_pdf
from siegelpost.receipts.words import Language
from tests.support.receipts import REPLY, Sample, sample_id

E = EventType
PLAN = (
    (E.SUBMISSION_ACCEPTED, 0.0),
    (E.PROVIDED, 0.1),
    (E.REPLIED, 60.0),
    (E.REPLY_FETCHED, 90.0),
)
WORDS = {
    language: json.loads(
        (Path(__file__).parents[3] / f"templates/receipts/{language}.json").read_text()
    )
    for language in ("de", "en")
}


def shown(sample: Sample, language: Language) -> dict[str, Any]:
    data = write_receipt(sample.receipt())
    return content(parse_receipt(data), data, WORDS[language], language=language)


def plain(text: str) -> str:
    """Without the marks at which long words may break."""
    return text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("language", "names", "helper"),
    [
        ("de", ["Antwort eingegangen", "Antwort von der Behörde abgerufen"], "Vertrauensperson"),
        ("en", ["Reply received", "Reply fetched by the authority"], "delegate"),
    ],
)
def test_replies_are_named_with_what_they_do_not_show(
    language: Language, names: list[str], helper: str
) -> None:
    found = shown(Sample(plan=PLAN, mandate=sample_id("mandate")), language)
    replied, fetched = found["events"][2:]
    assert [replied["name"], fetched["name"]] == names
    assert REPLY in plain(replied["detail"])
    assert "4711" in replied["detail"]
    assert helper in plain(replied["detail"])
    assert helper in plain(replied["trace"])
    assert replied["shows_not"]
    assert fetched["shows_not"]
    assert WORDS[language]["yes_replied"] in found["proves"]
    assert WORDS[language]["no_replied"] in found["proves_not"]
    assert names[0] in found["timeline"]


def test_receipt_without_replies_does_not_speak_of_them() -> None:
    found = shown(Sample(), "de")
    assert WORDS["de"]["yes_replied"] not in found["proves"]
    assert WORDS["de"]["no_replied"] not in found["proves_not"]


@pytest.mark.parametrize("language", ["de", "en"])
def test_pdf_is_made(language: Language) -> None:
    data = write_receipt(Sample(plan=PLAN).receipt())
    assert make_pdf(data, language=language).startswith(b"%PDF-")
