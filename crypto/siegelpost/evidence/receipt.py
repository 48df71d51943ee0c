"""Receipts: portable proof about one notice, as JSON `siegelpost/receipt/v1` (DESIGN section 7).

Event bodies are kept as the exact texts that were committed to; whoever re-indents the file
changes nothing. All proofs share one checkpoint.
Cosignatures of witnesses are further lines of the checkpoint note; `timestamps` hold the earliest
dated checkpoint of each event; the legal clock's result goes into `deadline`. The service's `seal`
is over all the rest (module `seal`).
Writing and reading only: `verify` says what a receipt proves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence import canonical
from siegelpost.evidence.acceptance import MAX_DOCUMENTS
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import MAX_CHECKPOINT
from siegelpost.evidence.commitments import SALT_SIZE
from siegelpost.evidence.events import MAX_BODY
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, LeafIndex, MailboxId, NoticeId, check_id
from siegelpost.evidence.proofs import MAX_PROOF
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import CheckpointTimestamp, parse_timestamp

FORMAT = "siegelpost/receipt/v1"
#: Largest receipt that is read, in bytes.
MAX_RECEIPT = 16 << 20
#: Most events of one notice, and of its mailbox, in a receipt.
MAX_EVENTS = 1000
#: Most timestamps in a receipt.
MAX_TIMESTAMPS = 100

#: Standing remark of every receipt.
PROVISIONAL = (
    "Diese Quittung gibt den Stand bei ihrer Erstellung wieder. Spätere Ereignisse, etwa eine "
    "nachträgliche Unzustellbarkeit der Benachrichtigung, können das Ergebnis ändern."
)


@dataclass(frozen=True, kw_only=True)
class ReceiptEvent:
    """One event with all that proves it."""

    #: Canonical JSON, exactly as committed to.
    body: bytes
    #: 32 bytes.
    salt: bytes
    leaf_index: LeafIndex
    #: tlog-proof text under the receipt's checkpoint.
    proof: str


@dataclass(frozen=True, kw_only=True)
class ReceiptDocument:
    """One document of the notice, without the document."""

    #: As in the acceptance, 32 bytes.
    commitment: bytes
    #: Opens the commitment together with the document; None if withheld.
    salt: bytes | None = None
    #: Bytes of the document; None if withheld. Not proven.
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A receipt. None of it is to be believed before `verify`."""

    notice: NoticeId
    agency: AgencyId
    mailbox: MailboxId
    #: When the receipt was made, by the service's clock.
    made_at: datetime
    #: Name of the log.
    origin: str
    #: The signed checkpoint that all proofs lead to.
    checkpoint: str
    #: The notice's events, in the order of their chain.
    events: tuple[ReceiptEvent, ...]
    #: The mailbox's events that bear on the notice: keys and consents. Nothing in the log shows
    #: that none is left out (a key-retired, a consent-revoked); the service vouches by its seal.
    mailbox_events: tuple[ReceiptEvent, ...] = ()
    #: The signed acceptance note.
    acceptance: str
    #: In the order of the acceptance.
    documents: tuple[ReceiptDocument, ...]
    #: RFC 3161 timestamps of this checkpoint and of earlier ones that it extends.
    timestamps: tuple[CheckpointTimestamp, ...] = ()
    #: The legal clock's result when the receipt was made, or None. Computed, not proven.
    deadline: Mapping[str, Json] | None = None
    #: What the receipt cannot know.
    provisional: str = PROVISIONAL
    #: The service's signed note over all of the above, or None; without it no receipt verifies.
    seal: str | None = None


def write_receipt(receipt: Receipt) -> bytes:
    """The receipt as indented UTF-8 JSON."""
    value = {**receipt_members(receipt), "seal": receipt.seal}
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def receipt_digest(receipt: Receipt) -> bytes:
    """What a seal is over: SHA-256 of the receipt's canonical JSON without the member `seal`.

    Of all members that `write_receipt` writes, those too that a file may leave out.
    """
    return hashlib.sha256(canonical.encode(receipt_members(receipt))).digest()


def receipt_members(receipt: Receipt) -> dict[str, Json]:
    """All members but the seal, as `receipt_digest` takes them."""
    return {
        "format": FORMAT,
        "notice": receipt.notice,
        "agency": receipt.agency,
        "mailbox": receipt.mailbox,
        "made_at": format_time(receipt.made_at),
        "provisional": receipt.provisional,
        "origin": receipt.origin,
        "events": [shown_event_json(event) for event in receipt.events],
        "mailbox_events": [shown_event_json(event) for event in receipt.mailbox_events],
        "acceptance": receipt.acceptance,
        "documents": [
            {
                "commitment": document.commitment.hex(),
                "salt": None if document.salt is None else document.salt.hex(),
                "size": document.size,
            }
            for document in receipt.documents
        ],
        "checkpoint": receipt.checkpoint,
        "timestamps": [timestamp.json() for timestamp in receipt.timestamps],
        "deadline": receipt.deadline,
    }


def parse_receipt(data: bytes) -> Receipt:
    """The receipt in `data`, with nothing verified; FormatError if malformed or too large."""
    return parse_receipt_members(canonical.parse(data, max_size=MAX_RECEIPT))


def parse_receipt_members(value: Json) -> Receipt:
    """The receipt of parsed JSON; FormatError if malformed."""
    fields = Fields(
        value,
        "receipt",
        required=(
            "format",
            "notice",
            "agency",
            "mailbox",
            "made_at",
            "origin",
            "checkpoint",
            "events",
            "acceptance",
            "documents",
        ),
        optional=("mailbox_events", "timestamps", "deadline", "provisional", "seal"),
    )
    fields.expect("format", FORMAT)
    return Receipt(
        notice=NoticeId(check_id(fields.text("notice"), "notice")),
        agency=AgencyId(check_id(fields.text("agency"), "agency")),
        mailbox=MailboxId(check_id(fields.text("mailbox"), "mailbox")),
        made_at=fields.time("made_at"),
        origin=fields.text("origin"),
        checkpoint=fields.text("checkpoint", max_length=MAX_CHECKPOINT),
        events=_events(fields, "events"),
        mailbox_events=_events(fields, "mailbox_events") if fields.has("mailbox_events") else (),
        acceptance=fields.text("acceptance", max_length=100_000),
        documents=tuple(
            _parse_document(item) for item in fields.items("documents", max_items=MAX_DOCUMENTS)
        ),
        timestamps=(
            tuple(
                parse_timestamp(item)
                for item in fields.items("timestamps", max_items=MAX_TIMESTAMPS)
            )
            if fields.has("timestamps")
            else ()
        ),
        deadline=fields.mapping("deadline") if fields.has("deadline") else None,
        provisional=(
            fields.text("provisional", max_length=10_000) if fields.has("provisional") else ""
        ),
        seal=fields.text("seal", max_length=10_000) if fields.has("seal") else None,
    )


def shown_event_json(event: ReceiptEvent) -> dict[str, Json]:
    """One event as it stands in a receipt."""
    return {
        "body": event.body.decode("utf-8"),
        "salt": event.salt.hex(),
        "leaf_index": event.leaf_index,
        "proof": event.proof,
    }


def _events(fields: Fields, name: str) -> tuple[ReceiptEvent, ...]:
    return tuple(parse_shown_event(item) for item in fields.items(name, max_items=MAX_EVENTS))


def parse_shown_event(value: Json) -> ReceiptEvent:
    """The event of a receipt's JSON; FormatError if malformed."""
    fields = Fields(value, "receipt: event", required=("body", "salt", "leaf_index", "proof"))
    return ReceiptEvent(
        body=fields.text("body", max_length=MAX_BODY).encode("utf-8"),
        salt=fields.hex("salt", size=SALT_SIZE),
        leaf_index=LeafIndex(fields.integer("leaf_index")),
        proof=fields.text("proof", max_length=MAX_PROOF),
    )


def _parse_document(value: Json) -> ReceiptDocument:
    fields = Fields(value, "receipt: document", required=("commitment",), optional=("salt", "size"))
    return ReceiptDocument(
        commitment=fields.hex("commitment", size=32),
        salt=fields.hex("salt", size=SALT_SIZE) if fields.has("salt") else None,
        size=fields.integer("size") if fields.has("size") else None,
    )
