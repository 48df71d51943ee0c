"""A PDF of a wanted size, for tests of weight and speed."""

from __future__ import annotations

import os

from siegelpost.sealing.package import Document


def large_pdf(name: str, size: int) -> Document:
    """One empty page with a stream that nothing uses and nothing can compress: `size` bytes."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 595]/Resources<<>>>>",
        b"<</Length %d>>\nstream\n" % size + os.urandom(size) + b"\nendstream",
    ]
    content = bytearray(b"%PDF-1.7\n")
    places = []
    for number, text in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    table = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer\n<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1)
    content += b"startxref\n%d\n%%%%EOF\n" % table
    return Document(name=name, media_type="application/pdf", content=bytes(content))
