"""Which kind of file somebody hands in, told by its bytes, and its verification.

A receipt is JSON; a court file is a ZIP (ASiC-E); a PDF holds a receipt. Names and endings of files
say nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from siegelpost.evidence.court_file import MAX_COURT_FILE
from siegelpost.evidence.court_verify import CourtFileVerification, verify_court_file
from siegelpost.evidence.pdf_verify import PdfVerification, verify_pdf
from siegelpost.evidence.verify import Verification, verify_receipt

#: Largest file of any kind that is read, in bytes.
MAX_FILE = MAX_COURT_FILE

AnyVerification: TypeAlias = Verification | CourtFileVerification | PdfVerification

_BOM = b"\xef\xbb\xbf"


class FileKind(StrEnum):
    """What a file is."""

    RECEIPT = "receipt"
    COURT_FILE = "court-file"
    PDF = "pdf"


def kind_of(data: bytes) -> FileKind:
    """The kind by the first bytes; what is neither ZIP nor PDF is taken for JSON."""
    if data[:4] == b"PK\x03\x04":
        return FileKind.COURT_FILE
    # ISO 32000-2, 7.5.2: the header; readers accept it within the first 1024 bytes.
    if b"%PDF-" in data[:1024] and not data.removeprefix(_BOM).lstrip().startswith(b"{"):
        return FileKind.PDF
    return FileKind.RECEIPT


def verify_file(
    data: bytes,
    trust: bytes,
    *,
    documents: Sequence[bytes] = (),
    at: datetime | None = None,
    now: datetime | None = None,
) -> AnyVerification:
    """Verify a file of any kind; see `verify_receipt`, `verify_court_file` and `verify_pdf`.

    Raises VerificationError at the first step that does not hold, and PdfUnavailable for a PDF
    where pyHanko is missing.
    """
    kind = kind_of(data)
    if kind is FileKind.COURT_FILE:
        return verify_court_file(data, trust, documents=documents, at=at, now=now)
    if kind is FileKind.PDF:
        return verify_pdf(data, trust, documents=documents, at=at, now=now)
    return verify_receipt(data, trust, documents=documents, at=at, now=now)
