"""What an agency asks for when it dispatches a notice, as values; and its digest."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.times import format_time
from siegelpost.notices.circumstances import NONE_SAID, Circumstances
from siegelpost.sealing.covers import Cover, encode_cover
from siegelpost.sealing.manifest import DocumentEntry, Remedy
from siegelpost.sealing.package import Document

_DIGEST_PREFIX = b"siegelpost/dispatch-request/v1\0"


@dataclass(frozen=True, kw_only=True)
class DispatchRequest:
    """One call of the API, parsed."""

    #: names this call among those of the client; a repetition has the same
    idempotency_key: str
    #: whom the agency writes to
    enrolment_id: str
    #: what the citizen's list shows
    cover: Cover
    #: rule set by which the notice counts as served
    regime: str
    #: whether the notice instructs about legal remedies
    remedy: Remedy
    #: when the agency issued the notice; aware
    issued_at: datetime
    #: the agency's file reference; goes into the sealed cover and nowhere else
    reference: str | None
    #: in reading order, in memory
    documents: Sequence[Document]
    #: what the legal clock should know besides
    circumstances: Circumstances = NONE_SAID
    #: the notice whose documents these are, to be provided again; see ``reprovide``
    reprovides: str | None = None

    def shown_cover(self) -> Cover:
        """The cover with the file reference where the citizen needs it: next to who helps."""
        if self.reference is None:
            return self.cover
        line = f"Aktenzeichen: {self.reference}"
        helps = f"{self.cover.who_helps}\n{line}" if self.cover.who_helps else line
        return replace(self.cover, who_helps=helps)

    def digest(self, secret: bytes, entries: Sequence[DocumentEntry]) -> bytes:
        """HMAC-SHA256 of everything asked for; ``entries`` describe the documents.

        Equal for calls that ask for the same, however their JSON was spaced or ordered.
        Keyed, so that a thief of the table cannot confirm guesses.
        """
        # Only where it is said, so that digests of calls that say none of it stay what they were.
        besides: dict[str, Json] = {}
        if circumstances := self.circumstances.said():
            besides["circumstances"] = circumstances
        if self.reprovides is not None:
            besides["reprovides"] = self.reprovides
        asked = canonical.encode(
            {
                **besides,
                "enrolment": self.enrolment_id,
                "cover": hashlib.sha256(encode_cover(self.cover)).hexdigest(),
                "regime": self.regime,
                "remedy": self.remedy.value,
                "issued_at": format_time(self.issued_at),
                "reference": self.reference,
                "documents": [
                    [document.name, entry.media_type, entry.sha256.hex()]
                    for document, entry in zip(self.documents, entries, strict=True)
                ],
            }
        )
        return hmac.digest(secret, _DIGEST_PREFIX + asked, "sha256")
