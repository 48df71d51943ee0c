"""The PDF of a receipt: PDF/A-3a and PDF/UA-1 with the receipt attached (DESIGN section 4, step 9).

`make_pdf` typesets; the PDF is not sealed yet (`siegelpost.receipts.sealing`). It shows what the
receipt says and proves nothing by itself: the JSON in it is the evidence.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import typst

import siegelpost
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.receipts.content import content
from siegelpost.receipts.words import Language

#: Name of the receipt inside the PDF.
ATTACHMENT = "receipt.json"


def make_pdf(receipt: bytes, *, language: Language, agency_name: str | None = None) -> bytes:
    """The PDF of a receipt's JSON, which it holds byte for byte; equal input, equal bytes.

    `agency_name` is as citizens know it; the receipt knows the authority's id only.
    Some 200 ms of processor time, so call it off the event loop. FormatError if malformed.
    """
    parsed = parse_receipt(receipt)
    shown = content(parsed, receipt, _words(language), language=language, agency_name=agency_name)
    pdf = typst.compile(
        _folder() / "receipt.typ",
        format="pdf",
        ignore_system_fonts=True,  # the same receipt on every machine
        sys_inputs={
            "content": json.dumps(shown),
            "language": language,
            "receipt": receipt.decode("utf-8"),
        },
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(parsed.made_at.timestamp()),
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _words(language: Language) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_folder() / f"{language}.json").read_text("utf-8"))
    return found


@cache
def _folder() -> Path:
    """``templates/receipts`` beside the package in a wheel, or at the top of a checkout."""
    roots = [Path(root) for root in siegelpost.__path__]
    # The checkout's first: an editable installation has a copy of the day it was made, too.
    checkouts = [root.parents[1] / "templates" for root in roots]
    for folder in (*checkouts, *(root / "templates" for root in roots)):
        if (folder / "receipts" / "receipt.typ").is_file():
            return folder / "receipts"
    raise FileNotFoundError("templates are not installed")
