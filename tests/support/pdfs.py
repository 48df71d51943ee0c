"""Small PDFs made by hand: whole ones, and ones with a single defect."""

from __future__ import annotations

import io
import zlib
from random import Random

import pikepdf

_WORDS = [
    "Sehr",
    "geehrte",
    "Frau",
    "Beispiel",
    "wir",
    "bewilligen",
    "Ihnen",
    "Leistungen",
    "nach",
    "dem",
    "Zweiten",
    "Buch",
    "Sozialgesetzbuch",
    "für",
    "die",
    "Zeit",
    "vom",
    "bis",
    "monatlich",
    "Euro",
    "Bedarf",
    "Unterkunft",
    "Heizung",
    "Regelbedarf",
    "Einkommen",
    "Anrechnung",
    "Widerspruch",
    "Monat",
    "Bekanntgabe",
    "Bescheid",
    "Aktenzeichen",
    "Postfach",
]
_NUMBERS = [str(number) for number in range(9999)]


def make_pdf(text: str = "Bescheid", *, catalogue: bytes = b"", extra: bytes = b"") -> bytes:
    """A PDF of one page with a classic cross-reference table.

    ``catalogue`` is added to the catalogue's dictionary, ``extra`` is one more object's content.
    """
    page = b"BT /F1 12 Tf 72 720 Td (" + text.encode("latin-1", "replace") + b") Tj ET"
    return _assemble([zlib.compress(page)], catalogue, extra)


def make_text_pdf(size: int, *, seed: int = 1, mark: str = "") -> bytes:
    """A PDF of about ``size`` bytes: pages of German words, compressed as usual.

    ``mark`` stands on the first page.
    """
    random = Random(seed)  # noqa: S311 - filler text
    pages: list[bytes] = []
    total = 600
    while total < size:
        words = random.choices(_WORDS, k=9 * 52)
        numbers = random.choices(_NUMBERS, k=9 * 52)
        filler = [word + number for word, number in zip(words, numbers, strict=True)]
        lines = [
            b"(" + " ".join(filler[at : at + 9]).encode("latin-1") + b") Tj 0 -13 Td"
            for at in range(0, len(filler), 9)
        ]
        if mark and not pages:
            lines[0] = b"(" + mark.encode("latin-1") + b") Tj 0 -13 Td"
        page = zlib.compress(b"BT /F1 10 Tf 60 780 Td " + b"\n".join(lines) + b" ET")
        pages.append(page)
        total += len(page) + 220
    return _assemble(pages, b"", b"")


def save_variant(data: bytes, **options: object) -> bytes:
    """``data`` saved again by qpdf with ``options`` of ``Pdf.save``."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        out = io.BytesIO()
        pdf.save(out, **options)  # type: ignore[arg-type]  # options are the caller's
    return out.getvalue()


def _assemble(pages: list[bytes], catalogue: bytes, extra: bytes) -> bytes:
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalogue + b" >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * n)
        )
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page)
        )
    if extra:
        objects.append(extra)
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(out)
