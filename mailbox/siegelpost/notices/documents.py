"""Documents of a dispatch: only whole, unencrypted PDFs without active content pass.

First the fast look of ``pdf_scan``; what is not beyond doubt there is opened by qpdf, without
repair and with bounds on memory.
Documents stay in memory; nothing here writes to a disk.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import pikepdf
from pikepdf import settings as qpdf_settings

from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.notices.pdf_scan import (
    ACTIVE_NAMES,
    is_ordinary,
    names_active_content,
    starts_like_pdf,
)
from siegelpost.sealing.package import Document

#: The only media type that a notice's documents may have.
PDF: Final = "application/pdf"

#: Deepest nesting of direct objects that is followed.
_DEPTH = 100
_ACTIVE_KEYS = frozenset("/" + name.decode("ascii") for name in ACTIVE_NAMES)


def check_documents(documents: Sequence[Document], limits: Limits) -> None:
    """Return if every document may be delivered; Refusal with the document's position if not."""
    if not documents:
        raise Refusal(RefusalCode.NO_DOCUMENT, "a notice has at least one document")
    if len(documents) > limits.documents:
        raise Refusal(
            RefusalCode.TOO_MANY_DOCUMENTS,
            f"{len(documents)} documents, at most {limits.documents}",
        )
    if sum(len(document.content) for document in documents) > limits.documents_bytes:
        raise Refusal(
            RefusalCode.NOTICE_TOO_LARGE,
            f"documents of more than {limits.documents_bytes} bytes together",
        )
    for position, document in enumerate(documents):
        if not document.name or len(document.name) > limits.name_length:
            raise Refusal(
                RefusalCode.DOCUMENT_NAME,
                f"a file name of 1 to {limits.name_length} characters is needed",
                document=position,
            )
        if document.media_type != PDF:
            raise Refusal(RefusalCode.DOCUMENT_NOT_PDF, "not declared as PDF", document=position)
        try:
            check_pdf(bytes(document.content), limits)
        except Refusal as refusal:
            refusal.document = position
            raise


def check_pdf(data: bytes, limits: Limits) -> None:
    """Return if ``data`` is a PDF as described above; Refusal if not."""
    if not data:
        raise Refusal(RefusalCode.DOCUMENT_EMPTY, "the document has no bytes")
    if len(data) > limits.document_bytes:
        raise Refusal(RefusalCode.DOCUMENT_TOO_LARGE, f"more than {limits.document_bytes} bytes")
    if not starts_like_pdf(data):
        raise Refusal(RefusalCode.DOCUMENT_NOT_PDF, "the document does not start like a PDF")
    if not is_ordinary(data):
        _check_thoroughly(data, limits)


def _check_thoroughly(data: bytes, limits: Limits) -> None:
    _bound_qpdf(limits.pdf_objects_bytes)
    try:
        with pikepdf.open(
            io.BytesIO(data), attempt_recovery=False, inherit_page_attributes=False
        ) as pdf:
            if pdf.is_encrypted:
                raise Refusal(RefusalCode.DOCUMENT_ENCRYPTED, "the PDF is encrypted")
            if len(pdf.objects) > limits.pdf_objects:
                raise Refusal(
                    RefusalCode.DOCUMENT_TOO_COMPLEX, f"more than {limits.pdf_objects} objects"
                )
            if len(pdf.pages) == 0:
                raise Refusal(RefusalCode.DOCUMENT_EMPTY, "the PDF has no pages")
            for name in _active_names(pdf):
                raise Refusal(
                    RefusalCode.DOCUMENT_ACTIVE_CONTENT, f"the PDF has active content ({name})"
                )
    except pikepdf.PasswordError:
        raise Refusal(RefusalCode.DOCUMENT_ENCRYPTED, "the PDF is encrypted") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RecursionError, MemoryError):
        # qpdf's own words may quote the document.
        raise Refusal(RefusalCode.DOCUMENT_DAMAGED, "the PDF is cut or damaged") from None


def _active_names(pdf: pikepdf.Pdf) -> Iterator[str]:
    for entry in pdf.objects:
        # A stream's contents are page descriptions, images or fonts: data, not objects.
        described = entry.stream_dict if isinstance(entry, pikepdf.Stream) else entry
        # Text in strings may look like a name, so a hit is looked at again, exactly.
        if isinstance(described, pikepdf.Object) and names_active_content(
            described.unparse(resolved=True)
        ):
            yield from _walk(described, _DEPTH)


def _walk(entry: object, depth: int) -> Iterator[str]:
    if depth == 0:
        raise Refusal(RefusalCode.DOCUMENT_TOO_COMPLEX, "the PDF nests too deeply")
    if isinstance(entry, pikepdf.Name):
        if str(entry) in _ACTIVE_KEYS:
            yield str(entry)
    elif isinstance(entry, pikepdf.Dictionary):
        for key, value in entry.items():
            if key in _ACTIVE_KEYS:
                yield key
            yield from _walk_direct(value, depth - 1)
    elif isinstance(entry, pikepdf.Array):
        for value in entry:
            yield from _walk_direct(value, depth - 1)


def _walk_direct(value: object, depth: int) -> Iterator[str]:
    # Indirect objects come by themselves; following them here would loop.
    if not (isinstance(value, pikepdf.Object) and value.is_indirect):
        yield from _walk(value, depth)


@cache
def _bound_qpdf(memory_bytes: int) -> None:
    # Process-wide in qpdf; set once, before the first untrusted file is opened.
    qpdf_settings.set_qpdf_limits(
        doc_max_warnings=100,
        parser_max_nesting=_DEPTH,
        parser_max_container_size=1_000_000,
        flate_max_memory=memory_bytes,
        png_max_memory=memory_bytes,
        tiff_max_memory=memory_bytes,
        run_length_max_memory=memory_bytes,
        dct_max_memory=memory_bytes,
    )
