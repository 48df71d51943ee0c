"""Limits of a dispatch: what is measured before anything is parsed (DESIGN section 12)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds; the defaults fit notices of a jobcenter."""

    #: bytes of one document
    document_bytes: int = 25 * 1024 * 1024
    #: bytes of all documents of a notice together
    documents_bytes: int = 50 * 1024 * 1024
    #: documents in a notice
    documents: int = 10
    #: bytes of the ``notice`` JSON
    notice_bytes: int = 64 * 1024
    #: characters of a document's file name
    name_length: int = 120
    #: bytes of one object stream inside a PDF, uncompressed; writers put 100 to 200 objects there
    pdf_object_stream_bytes: int = 1024 * 1024
    #: bytes of a PDF's object streams, uncompressed, and of its objects written out, together
    pdf_objects_bytes: int = 8 * 1024 * 1024
    #: objects of a PDF
    pdf_objects: int = 50_000
    #: direct objects of a PDF that are looked at one by one
    pdf_nodes: int = 50_000
    #: characters of an idempotency key
    idempotency_key_length: int = 100
    #: refusals of one client that become events of their own within a minute
    refusals_per_minute: int = 30

    @property
    def request_bytes(self) -> int:
        """Bytes of a whole request: its parts, 1 KiB of multipart headers for each, and what
        sealing adds if the agency has sealed: tags, headers, manifest and cover.
        """
        parts = self.documents_bytes + self.notice_bytes + (self.documents + 2) * 1024
        return parts + self.documents_bytes // 2048 + 512 * 1024
