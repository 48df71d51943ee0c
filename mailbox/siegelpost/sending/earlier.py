"""A notice of before, as far as providing its documents again needs it: its salts.

Whoever sealed it, the salts are in the answer to its dispatch and in the agency's receipt.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import NoticeId, check_id
from siegelpost.sealing.errors import PackageError
from siegelpost.sealing.package import Document

_MAX_DOCUMENTS = 1000


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What is known of the notice before."""

    #: its id
    notice_id: NoticeId
    #: commitment and salt of each document, 32 bytes each, in its order
    documents: Sequence[tuple[bytes, bytes]]

    def salts_for(self, documents: Sequence[Document]) -> list[bytes]:
        """The salts of ``documents``; PackageError unless they are the very same as then."""
        if len(documents) != len(self.documents):
            raise PackageError(f"the notice before had {len(self.documents)} documents")
        for number, (document, (commitment, salt)) in enumerate(
            zip(documents, self.documents, strict=True), 1
        ):
            found = document_commitment(salt, bytes(document.content))
            if not hmac.compare_digest(found, commitment):
                raise PackageError(f"document {number} is not that of the notice before")
        return [salt for _, salt in self.documents]


def earlier_of(data: bytes) -> Earlier:
    """Read the answer to a dispatch, or the agency's JSON receipt; FormatError.

    Nothing is verified but what ``Earlier.salts_for`` compares, and the service again.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise FormatError("the notice before: no JSON") from None
    name = "notice" if isinstance(value, dict) and "notice" in value else "id"
    fields = Fields(value, "the notice before", required=(name, "documents"), open_ended=True)
    documents = []
    for item in fields.items("documents", max_items=_MAX_DOCUMENTS):
        document = Fields(
            item,
            "a document of the notice before",
            required=("commitment", "salt"),
            open_ended=True,
        )
        documents.append((document.hex("commitment", size=32), document.hex("salt", size=32)))
    return Earlier(notice_id=NoticeId(check_id(fields.text(name), name)), documents=documents)
