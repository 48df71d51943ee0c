"""Bounds that a PDF must keep before pyHanko walks it: anybody may hand in anything.

pyHanko bounds what streams unpack to. What it does not bound: how long it looks for the end, how
many revisions it reads, and a form whose fields lead to others, which a few lines make longer to
walk than anybody lives. PDF receipts have a flat form of few fields and few revisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siegelpost.evidence.pdf_explanations import pdf_failure

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

#: Bytes at the end in which the last cross-reference must be named (ISO 32000-2, 7.5.5).
TAIL = 1024
#: Most revisions: one a year for a lifetime is far less.
MAX_REVISIONS = 500
#: Most fields of the form: the seal and one a timestamp.
MAX_FIELDS = MAX_REVISIONS


def check_bytes(data: bytes) -> None:
    """PdfError (`pdf-malformed`) for a file that takes too long to be read at all."""
    if b"startxref" not in data[-TAIL:]:
        raise pdf_failure("pdf-malformed", "does not end as a PDF does")
    if data.count(b"trailer") > MAX_REVISIONS:
        raise pdf_failure("pdf-malformed", f"more than {MAX_REVISIONS} revisions")


def check_form(reader: PdfFileReader) -> None:
    """PdfError (`pdf-malformed`) unless the form of the newest revision is flat and small."""
    if reader.xrefs.total_revisions > MAX_REVISIONS:
        raise pdf_failure("pdf-malformed", f"more than {MAX_REVISIONS} revisions")
    form = _member(reader.root, "/AcroForm", {})
    fields = _member(form, "/Fields", [])
    if len(fields) > MAX_FIELDS:
        raise pdf_failure("pdf-malformed", f"more than {MAX_FIELDS} fields")
    # By index: iterating gives references, not what they lead to.
    if any("/Kids" in fields[index] for index in range(len(fields))):
        raise pdf_failure("pdf-malformed", "fields that lead to other fields")


def _member(dictionary: Any, name: str, default: Any) -> Any:
    # `get` may give a mere reference.
    return dictionary[name] if name in dictionary else default  # noqa: SIM401 - see above
