"""Receipts of which parts are withheld, as JSON `siegelpost/redacted-receipt/v1`.

Events are salted commitments, so an event whose body is withheld keeps its place: its commitment is
still the leaf that its proof leads from, and still what the next event names. What such an event
was and when is then stated by the service alone, under its seal; salts of withheld documents and
bodies are withheld too, or a guess could be confirmed.
The service seals a redacted receipt anew, and names the digest of the whole one that it was made
of: whoever is shown both can tell that they belong together.
Reading and writing only: `blackening` redacts, `verify` says what it proves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import EventId, LeafIndex, check_id
from siegelpost.evidence.proofs import MAX_PROOF
from siegelpost.evidence.receipt import (
    FORMAT as WHOLE_FORMAT,
)
from siegelpost.evidence.receipt import (
    MAX_EVENTS,
    MAX_RECEIPT,
    Receipt,
    ReceiptEvent,
    parse_receipt_members,
    parse_shown_event,
    receipt_members,
    shown_event_json,
)
from siegelpost.evidence.times import format_time

FORMAT = "siegelpost/redacted-receipt/v1"


class Redaction(StrEnum):
    """How much of a notice's evidence is given away."""

    #: Everything.
    FULL = "full"
    #: No e-mail address and no raw report; what mail servers said, with addresses blacked out.
    WITHOUT_ADDRESSES = "without-addresses"
    #: Which event at which time, and nothing else.
    TIMES_ONLY = "times-only"


@dataclass(frozen=True, kw_only=True)
class WithheldEvent:
    """An event without body and salt."""

    #: Leaf data, 32 bytes.
    commitment: bytes
    leaf_index: LeafIndex
    #: tlog-proof text under the receipt's checkpoint.
    proof: str
    #: What the service says that it was; proven by its seal only, as is all below.
    id: EventId
    type: EventType
    time_at: datetime
    #: Facts with addresses blacked out; None if these are withheld, too.
    facts: Mapping[str, Json] | None = None


AnyEvent: TypeAlias = ReceiptEvent | WithheldEvent


@dataclass(frozen=True, kw_only=True)
class RedactedReceipt:
    """A redacted receipt. None of it is to be believed before `verify`."""

    level: Redaction
    #: SHA-256 of the whole receipt (`receipt_digest`) that this one was made of.
    whole: bytes
    #: All but the events, whose lists are empty here; the seal is the redacted receipt's.
    frame: Receipt
    #: The notice's events, in the order of their chain.
    events: tuple[AnyEvent, ...]
    mailbox_events: tuple[AnyEvent, ...]


def write_redacted(receipt: RedactedReceipt) -> bytes:
    """The redacted receipt as indented UTF-8 JSON."""
    value = {**_unsealed(receipt), "seal": receipt.frame.seal}
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def redacted_digest(receipt: RedactedReceipt) -> bytes:
    """What its seal is over: SHA-256 of its canonical JSON without the member `seal`."""
    return hashlib.sha256(canonical.encode(_unsealed(receipt))).digest()


def parse_any(data: bytes) -> Receipt | RedactedReceipt:
    """The whole or redacted receipt in `data`, with nothing verified; FormatError if malformed."""
    value = canonical.parse(data, max_size=MAX_RECEIPT)
    if isinstance(value, Mapping) and value.get("format") == FORMAT:
        return _parse_redacted(value)
    return parse_receipt_members(value)


def _parse_redacted(value: Mapping[str, Json]) -> RedactedReceipt:
    fields = Fields(
        value,
        "receipt",
        required=("format", "redaction", "whole_sha256", "events"),
        open_ended=True,
    )
    fields.expect("format", FORMAT)
    level = fields.text("redaction")
    if level not in (Redaction.WITHOUT_ADDRESSES.value, Redaction.TIMES_ONLY.value):
        raise FormatError("receipt: redaction is no level that withholds something")
    rest = {
        **{name: part for name, part in value.items() if name not in ("redaction", "whole_sha256")},
        "format": WHOLE_FORMAT,
        "events": [],
        "mailbox_events": [],
    }
    return RedactedReceipt(
        level=Redaction(level),
        whole=fields.hex("whole_sha256", size=32),
        frame=parse_receipt_members(rest),
        events=_events(fields, "events"),
        mailbox_events=_events(fields, "mailbox_events") if fields.has("mailbox_events") else (),
    )


def _unsealed(receipt: RedactedReceipt) -> dict[str, Json]:
    return {
        **receipt_members(receipt.frame),
        "format": FORMAT,
        "redaction": receipt.level.value,
        "whole_sha256": receipt.whole.hex(),
        "events": [_event_json(event) for event in receipt.events],
        "mailbox_events": [_event_json(event) for event in receipt.mailbox_events],
    }


def _event_json(event: AnyEvent) -> dict[str, Json]:
    if isinstance(event, ReceiptEvent):
        return shown_event_json(event)
    stated: dict[str, Json] = {
        "id": event.id,
        "type": event.type.value,
        "time_at": format_time(event.time_at),
    }
    if event.facts is not None:
        stated["facts"] = event.facts
    return {
        "commitment": event.commitment.hex(),
        "leaf_index": event.leaf_index,
        "proof": event.proof,
        "stated": stated,
    }


def _events(fields: Fields, name: str) -> tuple[AnyEvent, ...]:
    return tuple(_parse_event(item) for item in fields.items(name, max_items=MAX_EVENTS))


def _parse_event(value: Json) -> AnyEvent:
    if not isinstance(value, Mapping) or "stated" not in value:
        return parse_shown_event(value)
    fields = Fields(
        value, "receipt: event", required=("commitment", "leaf_index", "proof", "stated")
    )
    stated = Fields(
        fields.mapping("stated"),
        "receipt: withheld event",
        required=("id", "type", "time_at"),
        optional=("facts",),
    )
    try:
        kind = EventType(stated.text("type"))
    except ValueError:
        raise FormatError("receipt: withheld event: unknown type") from None
    return WithheldEvent(
        commitment=fields.hex("commitment", size=32),
        leaf_index=LeafIndex(fields.integer("leaf_index")),
        proof=fields.text("proof", max_length=MAX_PROOF),
        id=EventId(check_id(stated.text("id"), "event id")),
        type=kind,
        time_at=stated.time("time_at"),
        facts=stated.mapping("facts") if stated.has("facts") else None,
    )
