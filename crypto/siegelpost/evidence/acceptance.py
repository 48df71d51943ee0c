"""The signed acceptance that answers a dispatch (DESIGN section 4, step 3).

A signed note whose text is one line of canonical JSON: the service has taken this package of
documents for this mailbox, and committed to it in the log by the named event. An agency that keeps
it can show a submission that the log lacks.
Not a proof of delivery, nor of inclusion: those are the receipt's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields, from_hex
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId, check_id
from siegelpost.evidence.notes import NoteVerifier, OpenedNote, Signer, open_note, sign_note
from siegelpost.evidence.times import format_time

FORMAT = "siegelpost/acceptance/v1"
#: Most documents in one notice.
MAX_DOCUMENTS = 100


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What the service vouches for when it answers 201."""

    notice: NoticeId
    agency: AgencyId
    mailbox: MailboxId
    #: Time of the submission-accepted event.
    accepted_at: datetime
    #: SHA-256 of the payload part of the sealed package (the age file without its header).
    package_payload_sha256: bytes
    #: Likewise of the sealed cover.
    cover_payload_sha256: bytes
    #: Salted commitment of each document (32 bytes), in the order of the manifest.
    documents: tuple[bytes, ...]
    #: Commitment of the submission-accepted event: the log's leaf data.
    event: bytes

    def text(self) -> str:
        """The note text. Equal acceptances give equal texts."""
        body: dict[str, Json] = {
            "format": FORMAT,
            "notice": check_id(self.notice, "notice"),
            "agency": check_id(self.agency, "agency"),
            "mailbox": check_id(self.mailbox, "mailbox"),
            "accepted_at": format_time(self.accepted_at),
            "package_payload_sha256": self.package_payload_sha256.hex(),
            "cover_payload_sha256": self.cover_payload_sha256.hex(),
            "documents": [document.hex() for document in self.documents],
            "event": self.event.hex(),
        }
        return canonical.encode(body).decode("utf-8") + "\n"


def submission_facts(
    *,
    package_payload_sha256: bytes,
    cover_payload_sha256: bytes,
    documents: Sequence[bytes],
) -> dict[str, Json]:
    """The facts that every submission-accepted event holds; more may be added beside them."""
    return {
        "package_payload_sha256": package_payload_sha256.hex(),
        "cover_payload_sha256": cover_payload_sha256.hex(),
        "documents": [document.hex() for document in documents],
    }


def sign_acceptance(acceptance: Acceptance, signer: Signer) -> str:
    """The acceptance as a signed note; the same bytes each time, as Ed25519 is deterministic."""
    return sign_note(acceptance.text(), signer)


def parse_acceptance(text: str) -> Acceptance:
    """The acceptance of a note text; FormatError if malformed. Nothing is verified."""
    if not text.endswith("\n"):
        raise FormatError("the acceptance does not end in a newline")
    fields = Fields(
        canonical.decode(text[:-1].encode("utf-8")),
        "acceptance",
        required=(
            "format",
            "notice",
            "agency",
            "mailbox",
            "accepted_at",
            "package_payload_sha256",
            "cover_payload_sha256",
            "documents",
            "event",
        ),
    )
    fields.expect("format", FORMAT)
    return Acceptance(
        notice=NoticeId(check_id(fields.text("notice"), "notice")),
        agency=AgencyId(check_id(fields.text("agency"), "agency")),
        mailbox=MailboxId(check_id(fields.text("mailbox"), "mailbox")),
        accepted_at=fields.time("accepted_at"),
        package_payload_sha256=fields.hex("package_payload_sha256", size=32),
        cover_payload_sha256=fields.hex("cover_payload_sha256", size=32),
        documents=tuple(
            from_hex(item, "acceptance: a document", size=32)
            for item in fields.items("documents", max_items=MAX_DOCUMENTS)
        ),
        event=fields.hex("event", size=32),
    )


def open_acceptance(
    note: str | bytes, verifiers: Iterable[NoteVerifier]
) -> tuple[Acceptance, OpenedNote]:
    """The acceptance that a known key signed; NoteError, SignatureError or FormatError."""
    opened = open_note(note, verifiers)
    return parse_acceptance(opened.text), opened
