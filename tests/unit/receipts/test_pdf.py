"""The PDF of a receipt: shows what the receipt says, whatever that is, and holds it unchanged."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.receipt import parse_receipt, write_receipt
from siegelpost.evidence.times import format_time
from siegelpost.receipts import pdf as module
from siegelpost.receipts.content import content
from siegelpost.receipts.pdf import make_pdf
from siegelpost.receipts.texts import breakable, shown
from siegelpost.receipts.words import Language
from tests.support.pdf_receipts import receipt_json
from tests.support.receipts import START, Sample

#: Words of a mail server that nobody chose: other scripts, controls, markup of typst, endless.
NASTY = '550 5.1.1 #read("x") *bold* $x$ <label> \\ "q" 📧 مرحبا \u202e\u00ad ' + "x" * 700

EXCHANGES: list[Any] = [
    {
        "command": None,
        "sent_at": None,
        "replied_at": format_time(START),
        "reply": ["220 mx.beispiel.example ESMTP Postfix"],
    },
    {
        "command": "EHLO post.example",
        "sent_at": format_time(START),
        "replied_at": format_time(START + timedelta(milliseconds=31)),
        "reply": ["250-mx.beispiel.example", "250-STARTTLS", "250 DSN"],
    },
    {
        "command": "RCPT TO:<alice@beispiel.example>",
        "sent_at": format_time(START + timedelta(milliseconds=40)),
        "replied_at": format_time(START + timedelta(milliseconds=90)),
        "reply": [NASTY],
    },
]


def hard() -> bytes:
    """A receipt in which much went wrong, with everything that a PDF must show."""

    def change(event: Event) -> Event:
        if event.type is EventType.ALERT_SENT:
            return replace(
                event,
                facts={
                    "address": "alice@beispiel.example",
                    "kind": "notice" if event.time_at < START + timedelta(days=1) else "reminder",
                    "earlier_attempts": [
                        {
                            "attempt": 1,
                            "ended_at": format_time(START + timedelta(seconds=1)),
                            "words": "451 4.7.1 Greylisting in action, please come back later",
                        }
                    ],
                    "submission": {
                        "code": 250,
                        "words": "2.0.0 Ok: queued as 4XyZ",
                        "message_id": "<01a20297-4dc0-7368-a7d2-1e018f64ae33@post.example>",
                        "message_sha256": "ab" * 32,
                        "dialogue": EXCHANGES[2:],
                        "connection": {
                            "host": "mx.beispiel.example",
                            "address": "192.0.2.25",
                            "port": 25,
                            "tls": {
                                "version": "TLSv1.3",
                                "cipher": "TLS_AES_256_GCM_SHA384",
                                "verified": True,
                                "certificate_sha256": "cd" * 32,
                            },
                            "dialogue": EXCHANGES[:2],
                        },
                    },
                },
            )
        if event.type is EventType.ALERT_FAILED:
            return replace(
                event,
                facts={
                    "address": "alice@beispiel.example",
                    "kind": "notice",
                    "report": {
                        "action": "failed",
                        "status": "5.1.1",
                        "reporting_mta": "mx.beispiel.example",
                        "remote_words": NASTY,
                        "received_at": format_time(event.time_at),
                        "message_sha256": "ef" * 32,
                    },
                },
            )
        return event

    receipt = Sample(
        plan=(
            (EventType.SUBMISSION_ACCEPTED, 0),
            (EventType.PROVIDED, 0.1),
            (EventType.ALERT_SENT, 61),
            (EventType.ALERT_FAILED, 7300),
            (EventType.ALERT_SENT, 3 * 86400),
            (EventType.ALERT_DISPUTED, 4 * 86400),
            (EventType.PAPER_SENT, 5 * 86400),
        ),
        made_at=START + timedelta(days=6),
        change_event=change,
    ).receipt()
    return write_receipt(
        replace(
            receipt,
            deadline={
                "computed_at": format_time(receipt.made_at),
                "state": "not-served",
                "rule": "sgb10-37-2a/A4",
                "rule_set": "2026-11",
                "legal_basis": ["§ 37 Abs. 2a Satz 6 SGB X"],
                "provisional": True,
                "reasons": [
                    {"de": "Die Benachrichtigung kam zurück.", "en": "It bounced.", "mark": "I"}
                ],
                "review": [{"de": "Ob ein Rückläufer genügt.", "en": "Doubt.", "source": "BSG"}],
                "advice": [{"de": "Den Bescheid auf Papier senden."}],
                "events": [],
            },
        )
    )


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("make", [receipt_json, hard])
def test_the_receipt_is_inside_byte_for_byte(make: Any, language: Language) -> None:
    receipt = make()
    with pikepdf.open(io.BytesIO(make_pdf(receipt, language=language))) as document:
        (attached,) = document.attachments.values()
        assert attached.get_file().read_bytes() == receipt
        (specification,) = document.Root.AF
        assert specification.AFRelationship == pikepdf.Name.Source
        assert document.Root.Lang == ("de-DE" if language == "de" else "en")


def test_equal_receipts_give_equal_pdfs() -> None:
    assert make_pdf(receipt_json(), language="de") == make_pdf(receipt_json(), language="de")


def test_what_is_no_receipt_makes_no_pdf() -> None:
    with pytest.raises(FormatError):
        make_pdf(b"{}", language="de")


def test_every_reply_line_is_shown() -> None:
    view = content(parse_receipt(hard()), hard(), module._words("de"), language="de")
    lines = [line["text"] for mail in view["mails"] for line in mail["lines"]]
    for exchange in EXCHANGES:
        for reply in exchange["reply"]:
            assert breakable(reply) in lines


def test_a_failed_delivery_is_said_at_the_top() -> None:
    view = content(parse_receipt(hard()), hard(), module._words("de"), language="de")
    assert view["result"]["tone"] == "bad"
    assert view["result"]["cells"][0]["value"] == "Nicht bekannt gegeben"


def test_unproven_times_are_said_to_be_unproven() -> None:
    words = module._words("de")
    view = content(parse_receipt(receipt_json()), receipt_json(), words, language="de")
    assert words["no_undated"] in view["proves_not"]
    assert words["yes_dated"] not in view["proves"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Grüße, Αθήνα, Київ", "Grüße, Αθήνα, Київ"),
        ("📧", "\\u{1F4E7}"),
        ("a\u202eb", "a\\u{202E}b"),
        ("a\x00b", "a\\u{0000}b"),
        ("\u00ad", "\\u{00AD}"),
    ],
)
def test_nothing_that_has_no_glyph_is_lost(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_both_languages_have_the_same_words() -> None:
    folder = module._folder()
    german, english = (json.loads((folder / f"{name}.json").read_text()) for name in ("de", "en"))
    assert german.keys() == english.keys()
    assert {name for name, value in german.items() if isinstance(value, list)} == {
        name for name, value in english.items() if isinstance(value, list)
    }
    template = (folder / "receipt.typ").read_text() + Path(module.__file__).with_name(
        "content.py"
    ).read_text()
    assert "qualifiz" not in template


def test_nobody_is_told_that_it_is_qualified() -> None:
    for name in ("de", "en"):
        words = json.loads((module._folder() / f"{name}.json").read_text())
        text = json.dumps(list(words.values()), ensure_ascii=False)
        assert text.count("qualifi") == 2
        assert "kein qualifiziertes" in text or "no qualified seal" in text
