"""Blackening a receipt: which events keep their bodies, and what of the others may still be said.

Pure. An allowance, not a ban: only events of types that hold no address are shown, and of these
only such without an at sign. In facts of the others every occurrence of the citizen's e-mail
address, of its two halves and of any other e-mail address is replaced, and network addresses too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import commitment
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.receipt import Receipt, ReceiptEvent, receipt_digest
from siegelpost.evidence.redacted import AnyEvent, RedactedReceipt, Redaction, WithheldEvent

#: Stands where something was.
BLACK = "█████"

#: Types whose facts hold no address of anybody.
_WITHOUT_ADDRESS = frozenset(
    {
        EventType.SUBMISSION_ACCEPTED,
        EventType.PROVIDED,
        EventType.ALERT_DISPUTED,
        EventType.ALERT_RECEIVED,
        EventType.RETRIEVED,
        EventType.ACKNOWLEDGED,
        EventType.WITHDRAWN,
        EventType.CLOSED,
        EventType.REPROVIDED,
        EventType.PAPER_SENT,
        EventType.REMEDY_FAULTY,
        EventType.REPLIED,
        EventType.REPLY_FETCHED,
        EventType.CONSENT_GIVEN,
        EventType.CONSENT_REVOKED,
        EventType.KEY_BOUND,
        EventType.KEY_RETIRED,
    }
)
#: Members of facts that are addresses as a whole, or may spell one in a way of their own.
_ADDRESS_MEMBERS = frozenset(
    {"address", "email", "recipient", "original_recipient", "received_from", "peer", "helo"}
)
_EMAIL = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")
#: Of the legal clock's result, what is left of it when only times are given.
_TIMES = ("computed_at", "deemed", "end", "rule", "rule_set", "state", "events")


def redact(receipt: Receipt, level: Redaction) -> RedactedReceipt:
    """`receipt` without what `level` withholds, not yet sealed; ValueError for `full`."""
    if level is Redaction.FULL:
        raise ValueError("a full receipt withholds nothing")
    documents = receipt.documents
    if level is Redaction.TIMES_ONLY:
        documents = tuple(replace(document, salt=None, size=None) for document in documents)
    return RedactedReceipt(
        level=level,
        whole=receipt_digest(receipt),
        frame=replace(
            receipt,
            events=(),
            mailbox_events=(),
            documents=documents,
            deadline=redacted_deadline(receipt.deadline, level),
            seal=None,
        ),
        events=tuple(redacted_event(event, level) for event in receipt.events),
        mailbox_events=tuple(redacted_event(event, level) for event in receipt.mailbox_events),
    )


def redacted_event(event: ReceiptEvent, level: Redaction) -> AnyEvent:
    """The event as `level` shows it; FormatError if its body is none."""
    parsed = parse_event(event.body)
    open_enough = (
        level is Redaction.WITHOUT_ADDRESSES
        and parsed.type in _WITHOUT_ADDRESS
        and b"@" not in event.body
    )
    if open_enough:
        return event
    facts = blackened(parsed.facts) if level is Redaction.WITHOUT_ADDRESSES else None
    return WithheldEvent(
        commitment=commitment(event.salt, event.body),
        leaf_index=event.leaf_index,
        proof=event.proof,
        id=parsed.id,
        type=parsed.type,
        time_at=parsed.time_at,
        facts=facts,
    )


def redacted_deadline(
    deadline: Mapping[str, Json] | None, level: Redaction
) -> Mapping[str, Json] | None:
    """The legal clock's result as `level` shows it."""
    if deadline is None:
        return None
    if level is Redaction.TIMES_ONLY:
        kept = {name: deadline[name] for name in _TIMES if name in deadline}
        return {**kept, "reasons": []}
    return blackened(deadline) if b"@" in canonical.encode(deadline) else deadline


def blackened(facts: Mapping[str, Json]) -> dict[str, Json]:
    """`facts` with every address replaced, wherever it stands."""
    address = facts.get("address")
    halves: list[str] = []
    if isinstance(address, str):
        halves = [part for part in (address, *address.rpartition("@")[::2]) if part]
    own = re.compile("|".join(map(re.escape, halves)), re.IGNORECASE) if halves else None

    def text(value: str) -> str:
        value = _EMAIL.sub(BLACK, value)
        return value if own is None else own.sub(BLACK, value)

    def walk(value: Json) -> Json:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, Mapping):
            return members(value)
        if isinstance(value, (list, tuple)):
            return [walk(item) for item in value]
        return value

    def members(value: Mapping[str, Json]) -> dict[str, Json]:
        return {
            text(name): BLACK if name in _ADDRESS_MEMBERS and part is not None else walk(part)
            for name, part in value.items()
        }

    return members(facts)
