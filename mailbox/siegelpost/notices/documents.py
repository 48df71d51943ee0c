"""Documents of a dispatch: only whole, unencrypted PDFs without active content pass.

First the fast look of ``pdf_scan``; what is not beyond doubt there is opened by qpdf, without
repair, with bounds on memory and work, and off the event loop.
Documents stay in memory; nothing here writes to a disk.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    check_thoroughly(documents, look(documents, limits), limits)


def look(documents: Sequence[Document], limits: Limits) -> tuple[int, ...]:
    """The cheap half of the check: positions of the documents that `check_thoroughly` must see.

    Linear in the documents' size, so small ones may be looked at on the event loop.
    """
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
    doubtful: list[int] = []
    for position, document in enumerate(documents):
        if not document.name or len(document.name) > limits.name_length:
            raise Refusal(
                RefusalCode.DOCUMENT_NAME,
                f"a file name of 1 to {limits.name_length} characters is needed",
                document=position,
            )
        if document.media_type != PDF:
            raise Refusal(RefusalCode.DOCUMENT_NOT_PDF, "not declared as PDF", document=position)
        with _at(position):
            if not _passes_the_look(bytes(document.content), limits):
                doubtful.append(position)
    return tuple(doubtful)


def check_thoroughly(
    documents: Sequence[Document], positions: Sequence[int], limits: Limits
) -> None:
    """The costly half of the check, for the documents at ``positions``: not on the event loop."""
    for position in positions:
        with _at(position):
            _check_thoroughly(bytes(documents[position].content), limits)


def check_pdf(data: bytes, limits: Limits) -> None:
    """Return if ``data`` is a PDF as described above; Refusal if not."""
    if not _passes_the_look(data, limits):
        _check_thoroughly(data, limits)


@contextmanager
def _at(position: int) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        refusal.document = position
        raise


def _passes_the_look(data: bytes, limits: Limits) -> bool:
    if not data:
        raise Refusal(RefusalCode.DOCUMENT_EMPTY, "the document has no bytes")
    if len(data) > limits.document_bytes:
        raise Refusal(RefusalCode.DOCUMENT_TOO_LARGE, f"more than {limits.document_bytes} bytes")
    if not starts_like_pdf(data):
        raise Refusal(RefusalCode.DOCUMENT_NOT_PDF, "the document does not start like a PDF")
    return is_ordinary(data)


def _check_thoroughly(data: bytes, limits: Limits) -> None:
    _bound_qpdf(limits.pdf_object_stream_bytes)
    try:
        with pikepdf.open(
            io.BytesIO(data), attempt_recovery=False, inherit_page_attributes=False
        ) as pdf:
            if pdf.is_encrypted:
                raise Refusal(RefusalCode.DOCUMENT_ENCRYPTED, "the PDF is encrypted")
            _check_objects(pdf, limits)
            if len(pdf.pages) == 0:
                raise Refusal(RefusalCode.DOCUMENT_EMPTY, "the PDF has no pages")
    except pikepdf.PasswordError:
        raise Refusal(RefusalCode.DOCUMENT_ENCRYPTED, "the PDF is encrypted") from None
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RecursionError, MemoryError):
        # qpdf's own words may quote the document.
        raise Refusal(RefusalCode.DOCUMENT_DAMAGED, "the PDF is cut or damaged") from None


def _check_objects(pdf: pikepdf.Pdf, limits: Limits) -> None:
    # The table names every object before one is read: `Pdf.objects` would read them all first.
    table = pdf.get_xref_table()
    if len(table) > limits.pdf_objects:
        raise Refusal(RefusalCode.DOCUMENT_TOO_COMPLEX, f"more than {limits.pdf_objects} objects")
    budget = _Budget(size=limits.pdf_objects_bytes, nodes=limits.pdf_nodes)
    for container in {entry.obj_stream_number for entry in table.values() if entry.type == 2}:
        stream = pdf.get_object(container or 0, 0)
        if isinstance(stream, pikepdf.Stream):
            budget.spend_bytes(len(stream.read_bytes()))
    for number, generation in table:
        entry = pdf.get_object(number, generation)
        # A stream's contents are page descriptions, images or fonts: data, not objects.
        described = entry.stream_dict if isinstance(entry, pikepdf.Stream) else entry
        if not isinstance(described, pikepdf.Object):
            continue
        text = described.unparse(resolved=True)
        budget.spend_bytes(len(text))
        # Text in strings may look like a name, so a hit is looked at again, exactly.
        if names_active_content(text):
            for name in _walk(described, _DEPTH, budget):
                raise Refusal(
                    RefusalCode.DOCUMENT_ACTIVE_CONTENT, f"the PDF has active content ({name})"
                )


@dataclass(kw_only=True)
class _Budget:
    """What one document may still cost."""

    #: bytes of object streams and of objects written out
    size: int
    #: names, numbers, strings, arrays and dictionaries looked at one by one
    nodes: int

    def spend_bytes(self, count: int) -> None:
        self.size -= count
        if self.size < 0:
            raise Refusal(RefusalCode.DOCUMENT_TOO_COMPLEX, "the PDF's objects are too large")

    def spend_node(self) -> None:
        self.nodes -= 1
        if self.nodes < 0:
            raise Refusal(RefusalCode.DOCUMENT_TOO_COMPLEX, "the PDF's objects are too many")


def _walk(entry: object, depth: int, budget: _Budget) -> Iterator[str]:
    budget.spend_node()
    if depth == 0:
        raise Refusal(RefusalCode.DOCUMENT_TOO_COMPLEX, "the PDF nests too deeply")
    if isinstance(entry, pikepdf.Name):
        if str(entry) in _ACTIVE_KEYS:
            yield str(entry)
    elif isinstance(entry, pikepdf.Dictionary):
        for key, value in entry.items():
            if key in _ACTIVE_KEYS:
                yield key
            yield from _walk_direct(value, depth - 1, budget)
    elif isinstance(entry, pikepdf.Array):
        for value in entry:
            yield from _walk_direct(value, depth - 1, budget)


def _walk_direct(value: object, depth: int, budget: _Budget) -> Iterator[str]:
    # Indirect objects come by themselves; following them here would loop.
    if not (isinstance(value, pikepdf.Object) and value.is_indirect):
        yield from _walk(value, depth, budget)


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
