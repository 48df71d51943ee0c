"""Step 11 of `verify`: acknowledgements, by a key that may speak for the package.

That is a key to which the package was sealed and which was bound before it; or one that follows
such a key, each vouched for by the one before, while it was in force (`key_succession`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from siegelpost.evidence import acknowledgement, key_binding, key_succession
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.steps import LoggedEvent

#: How a key is kept, as key-bound events say: by the citizen alone, or by the service, too.
OWN, MANAGED = "own", "managed"


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """What step 11 found."""

    #: How many acknowledgements are shown, all good.
    count: int
    #: Whether one of them rests on a key that the service, too, could open.
    managed: bool


@dataclass(frozen=True, kw_only=True)
class _Package:
    #: Of submission-accepted or reprovided.
    leaf_index: int
    #: Ids of the keys that it was sealed to, as the service states.
    keys: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class _Bound:
    leaf_index: int
    binding: KeyBinding
    signature: bytes
    facts: Mapping[str, Json]


def check_acknowledgements(
    receipt: Receipt, events: Sequence[LoggedEvent], mailbox_events: Sequence[LoggedEvent]
) -> Acknowledged:
    """Step 11: the acknowledgements that are shown, each by a key that speaks for its package."""
    packages = _packages(events)
    count, managed = 0, False
    for item in events:
        if item.event.type is not EventType.ACKNOWLEDGED or item.withheld:
            continue
        count += 1
        try:
            ack, key, signature = acknowledgement.from_facts(
                item.event.facts, mailbox=receipt.mailbox, notice=receipt.notice
            )
            package = packages.get(ack.payload_sha256.hex())
            if package is None or package.leaf_index >= item.leaf_index:
                raise failure(
                    "acknowledgement-payload", "payload_sha256 is of no package provided before"
                )
            line = _line(receipt, key, item.leaf_index, package, mailbox_events)
        except FormatError as error:
            raise failure("acknowledgement-malformed", error) from error
        for bound in line:
            try:
                bound.binding.verify(bound.signature)
            except SignatureError as error:
                raise failure("binding-signature", error) from error
        try:
            ack.verify(line[0].binding.acknowledgement_key, signature)
        except SignatureError as error:
            raise failure("acknowledgement-signature", error) from error
        managed |= any(bound.facts.get("custody") == MANAGED for bound in line)
    return Acknowledged(count=count, managed=managed)


def _packages(events: Sequence[LoggedEvent]) -> dict[object, _Package]:
    """The packages by the SHA-256 of their payload, in hex."""
    found: dict[object, _Package] = {}
    payload: object = None
    for item in events:
        kind, facts = item.event.type, item.event.facts
        if kind in (EventType.SUBMISSION_ACCEPTED, EventType.REPROVIDED):
            payload = facts.get("package_payload_sha256")
            found[payload] = _Package(leaf_index=item.leaf_index, keys=_keys(facts))
        elif kind is EventType.PROVIDED and payload in found:
            found[payload] = replace(found[payload], keys=_keys(facts))
    return found


def _keys(facts: Mapping[str, Json]) -> frozenset[str]:
    keys = facts.get("keys")
    return frozenset(str(key) for key in keys) if isinstance(keys, list) else frozenset()


def _line(
    receipt: Receipt,
    key: str,
    acknowledged: int,
    package: _Package,
    mailbox_events: Sequence[LoggedEvent],
) -> list[_Bound]:
    """The binding of `key`, then those of its predecessors back to one sealed to.

    Each was in force when it was used. That no key-retired is left out the service vouches for
    with the seal (step 16).
    """
    line = [_bound(receipt, key, acknowledged, mailbox_events)]
    # Each predecessor is bound at a lower leaf than its successor, so this ends.
    while (newest := line[-1]).leaf_index > package.leaf_index:
        successor = newest.binding
        found = key_succession.from_facts(newest.facts, successor=successor)
        if found is None:
            raise failure("key-not-bound", f"key {key} is bound 0 times before the package")
        succession, signature = found
        older = _bound(receipt, succession.predecessor, newest.leaf_index, mailbox_events)
        try:
            succession.verify(older.binding.acknowledgement_key, signature)
        except SignatureError as error:
            raise failure("succession-signature", error) from error
        line.append(older)
    sealed_to = line[-1].binding.key
    if sealed_to not in package.keys:
        raise failure("key-not-sealed-to", f"the package was not sealed to key {sealed_to}")
    return line


def _bound(
    receipt: Receipt, key: str, before: int, mailbox_events: Sequence[LoggedEvent]
) -> _Bound:
    """The one binding of `key` below leaf `before`, where it is not retired yet."""
    earlier = [
        item
        for item in mailbox_events
        if item.leaf_index < before and item.event.facts.get("key") == key
    ]
    if any(item.event.type is EventType.KEY_RETIRED for item in earlier):
        raise failure("key-retired", f"key {key} was retired before it was used")
    bound = [item for item in earlier if item.event.type is EventType.KEY_BOUND]
    if len(bound) != 1:
        raise failure("key-not-bound", f"key {key} is bound {len(bound)} times before its use")
    facts = bound[0].event.facts
    binding, signature = key_binding.from_facts(facts, mailbox=receipt.mailbox)
    return _Bound(leaf_index=bound[0].leaf_index, binding=binding, signature=signature, facts=facts)
