"""PDFs that are made to keep a verifier busy are refused at once, in words."""

from __future__ import annotations

import time

import pytest

from siegelpost.evidence.pdf_explanations import PdfError
from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.trust import write_trust
from tests.support.receipts import sample_trust

CATALOG = b"<</Type/Catalog/Pages 2 0 R/AcroForm 3 0 R>>"
PAGES = b"<</Type/Pages/Kids[]/Count 0>>"
FIELD = b"<</FT/Sig/T(a)>>"


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1."""
    data, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % size
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<</Root 1 0 R/Size %d>>\n" % size
    return data + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(data)


def branching() -> bytes:
    """Forty fields, each of which leads to the next one twice: a million million ways."""
    branches = [b"<</T(a)/Kids[%d 0 R %d 0 R]>>" % (n, n) for n in range(5, 45)]
    return pdf(CATALOG, PAGES, b"<</Fields[4 0 R]>>", *branches, FIELD)


def crowded() -> bytes:
    return pdf(CATALOG, PAGES, b"<</Fields[" + b"4 0 R " * 60_000 + b"]>>", FIELD)


def endless() -> bytes:
    return b"%PDF-1.7\n" + b" " * (31 << 20)


def revised() -> bytes:
    data = b"%PDF-1.7\n1 0 obj\n" + CATALOG + b"\nendobj\n"
    parts, place, before = [data], len(data), b""
    for _ in range(60_000):
        part = b"xref\n1 1\n0000000009 00000 n \ntrailer\n<</Root 1 0 R/Size 4%s>>\n" % before
        parts.append(part)
        before = b"/Prev %d" % place
        place += len(part)
    return b"".join(parts) + b"startxref\n%d\n%%%%EOF\n" % (place - len(part))


@pytest.mark.parametrize("make", [branching, crowded, endless, revised])
def test_files_that_keep_a_verifier_busy_are_refused_at_once(make: object) -> None:
    assert callable(make)
    data, trust = make(), write_trust(sample_trust())
    begun = time.monotonic()
    with pytest.raises(PdfError) as caught:
        verify_pdf(data, trust)
    assert caught.value.code == "pdf-malformed"
    assert time.monotonic() - begun < 10
