"""The checks behind the numbered steps of `verify`: values in, VerificationError or nothing out.

Each function's first line names its step. Order and times (step 9) are in `order`,
witnesses and timestamps (13 and 14) in `dating`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from siegelpost.evidence import acknowledgement, key_binding
from siegelpost.evidence.acceptance import Acceptance, open_acceptance, submission_facts
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint
from siegelpost.evidence.commitments import commitment, document_commitment
from siegelpost.evidence.errors import FormatError, InclusionError, LogError, SignatureError
from siegelpost.evidence.events import Event, EventType, parse_event
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.merkle import leaf_hash, verify_inclusion
from siegelpost.evidence.proofs import LogProof, parse_proof
from siegelpost.evidence.receipt import Receipt, ReceiptEvent
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Purpose, Trust, TrustedKey, parse_trust

#: Tells whether all of a receipt lay under a checkpoint before the first of these keys was stolen.
OlderThanTheft = Callable[[Sequence[TrustedKey], Checkpoint], bool]

_MAILBOX_TYPES = frozenset(
    {
        EventType.KEY_BOUND,
        EventType.KEY_RETIRED,
        EventType.CONSENT_GIVEN,
        EventType.CONSENT_REVOKED,
        EventType.ADDRESS_CHANGED,
    }
)


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    """An event that is in the log."""

    event: Event
    leaf_index: int
    #: Leaf data.
    commitment: bytes


def check_trust(data: bytes, receipt: Receipt) -> Trust:
    """Step 2: the pinned keys, once they are of the receipt's log."""
    try:
        trust = parse_trust(data)
    except FormatError as error:
        raise failure("trust-malformed", error) from error
    if trust.origin != receipt.origin:
        raise failure(
            "trust-origin", f"trust file of {trust.origin!r}, receipt of {receipt.origin!r}"
        )
    if not trust.verifiers(Purpose.LOG):
        raise failure("trust-no-log-key", "no key with purpose log")
    return trust


def check_checkpoint(
    receipt: Receipt, trust: Trust, older: OlderThanTheft
) -> tuple[Checkpoint, bool]:
    """Step 3: the tree head that a log key in force signed; whether that key was stolen later.

    `older` tells whether everything in the receipt was under this tree before the theft.
    """
    try:
        checkpoint, opened = open_checkpoint(
            receipt.checkpoint, trust.origin, trust.verifiers(Purpose.LOG)
        )
    except LogError as error:
        raise failure("checkpoint-origin", error, error.evidence) from error
    except SignatureError as error:
        raise failure("checkpoint-signature", error) from error
    except FormatError as error:
        raise failure("checkpoint-malformed", error) from error
    keys = [trust.key_of(Purpose.LOG, signature) for signature in opened.signatures]
    sound = [key for key in keys if key.compromised_at is None]
    stolen = not sound
    if stolen:
        if not older(keys, checkpoint):
            raise failure("checkpoint-key-compromised", f"{keys[0].verifier.vkey} is compromised")
        sound = keys
    if not any(key.in_force(receipt.made_at) for key in sound):
        raise failure(
            "checkpoint-key-validity",
            f"{sound[0].verifier.vkey} is not in force at {format_time(receipt.made_at)}",
        )
    return checkpoint, stolen


def check_proofs(receipt: Receipt, every: Sequence[ReceiptEvent]) -> list[LogProof]:
    """Step 4: the proofs, all under the receipt's checkpoint and of different leaves."""
    proofs: list[LogProof] = []
    for number, item in enumerate(every, 1):
        try:
            proof = parse_proof(item.proof)
        except FormatError as error:
            raise failure("proof-malformed", f"event {number}: {error}") from error
        if proof.checkpoint != receipt.checkpoint:
            raise failure("proof-other-checkpoint", f"event {number}: checkpoint differs")
        if proof.index != item.leaf_index:
            raise failure(
                "proof-other-leaf",
                f"event {number}: leaf {item.leaf_index}, but the proof is of {proof.index}",
            )
        proofs.append(proof)
    if len({proof.index for proof in proofs}) != len(proofs):
        raise failure("proof-leaf-twice", "two events have one leaf index")
    return proofs


def check_events(every: Sequence[ReceiptEvent]) -> list[LoggedEvent]:
    """Step 5: the events, each in canonical form and only once."""
    logged: list[LoggedEvent] = []
    for number, item in enumerate(every, 1):
        try:
            event = parse_event(item.body)
            leaf = commitment(item.salt, item.body)
        except FormatError as error:
            raise failure("event-malformed", f"event {number}: {error}") from error
        logged.append(LoggedEvent(event=event, leaf_index=item.leaf_index, commitment=leaf))
    if len({item.event.id for item in logged}) != len(logged):
        raise failure("event-twice", "two events have one id")
    return logged


def check_inclusion(item: LoggedEvent, proof: LogProof, checkpoint: Checkpoint) -> None:
    """Step 6: the event's commitment is the leaf of its proof."""
    try:
        verify_inclusion(
            leaf_hash(item.commitment),
            item.leaf_index,
            checkpoint.size,
            proof.hashes,
            checkpoint.root,
        )
    except InclusionError as error:
        raise failure(
            "event-not-in-log",
            f"{item.event.type.value} {item.event.id}: {error}",
            error.evidence,
        ) from error


def check_belong(
    receipt: Receipt, events: Sequence[LoggedEvent], mailbox_events: Sequence[LoggedEvent]
) -> None:
    """Step 7: the events are of the receipt's notice, agency and mailbox."""
    if not events:
        raise failure("no-events", "the list of events is empty")
    for event in (item.event for item in events):
        if (event.notice, event.agency, event.mailbox) != (
            receipt.notice,
            receipt.agency,
            receipt.mailbox,
        ):
            raise failure("foreign-event", f"{event.type.value} {event.id} is of {event.subject}")
    for event in (item.event for item in mailbox_events):
        if (
            event.type not in _MAILBOX_TYPES
            or event.notice is not None
            or event.mailbox != receipt.mailbox
            or event.agency not in (None, receipt.agency)
        ):
            raise failure(
                "foreign-mailbox-event", f"{event.type.value} {event.id} is of {event.subject}"
            )


def check_chain(events: Sequence[LoggedEvent]) -> None:
    """Step 8: each event names its predecessor, from submission-accepted on."""
    first = events[0].event
    if first.type is not EventType.SUBMISSION_ACCEPTED or first.previous is not None:
        raise failure("chain-start", f"the first event is {first.type.value} {first.id}")
    for before, after in pairwise(events):
        label = f"{after.event.type.value} {after.event.id}"
        if after.event.previous != before.commitment:
            raise failure("chain-gap", f"{label} does not follow {before.event.id}")
        if after.leaf_index <= before.leaf_index:
            raise failure("leaf-order", f"{label} is at a lower leaf than its predecessor")


def check_acceptance(
    receipt: Receipt,
    trust: Trust,
    submission: LoggedEvent,
    older: Callable[[Sequence[TrustedKey]], bool],
) -> tuple[Acceptance, bool]:
    """Step 10: the acceptance, signed and in agreement with submission-accepted.

    Also whether its key was stolen later; `older` tells if the submission was logged before that.
    """
    try:
        acceptance, opened = open_acceptance(
            receipt.acceptance, trust.verifiers(Purpose.ACCEPTANCE, receipt.agency)
        )
    except SignatureError as error:
        raise failure("acceptance-signature", error) from error
    except FormatError as error:
        raise failure("acceptance-malformed", error) from error
    keys = [trust.key_of(Purpose.ACCEPTANCE, signature) for signature in opened.signatures]
    sound = [key for key in keys if key.compromised_at is None]
    stolen = not sound
    if stolen:
        if not older(keys):
            raise failure("acceptance-key-compromised", f"{keys[0].verifier.vkey} is compromised")
        sound = keys
    if not any(key.in_force(acceptance.accepted_at) for key in sound):
        raise failure(
            "acceptance-key-validity",
            f"{sound[0].verifier.vkey} is not in force at {format_time(acceptance.accepted_at)}",
        )
    event = submission.event
    expected = submission_facts(
        package_payload_sha256=acceptance.package_payload_sha256,
        cover_payload_sha256=acceptance.cover_payload_sha256,
        documents=acceptance.documents,
    )
    agreements: Mapping[str, bool] = {
        "event": acceptance.event == submission.commitment,
        "notice": acceptance.notice == event.notice,
        "agency": acceptance.agency == event.agency,
        "mailbox": acceptance.mailbox == event.mailbox,
        "accepted_at": acceptance.accepted_at == event.time_at,
        **{name: event.facts.get(name) == value for name, value in expected.items()},
    }
    for name, agrees in agreements.items():
        if not agrees:
            raise failure("acceptance-differs", f"{name} differs from the event")
    if tuple(document.commitment for document in receipt.documents) != acceptance.documents:
        raise failure("acceptance-documents", "other document commitments than accepted")
    return acceptance, stolen


def check_acknowledgements(
    receipt: Receipt, events: Sequence[LoggedEvent], mailbox_events: Sequence[LoggedEvent]
) -> int:
    """Step 11: how many acknowledgements there are, all good."""
    packages = _packages(events)
    count = 0
    for item in events:
        if item.event.type is not EventType.ACKNOWLEDGED:
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
            binding, proof = _binding(receipt, key, item.leaf_index, package, mailbox_events)
        except FormatError as error:
            raise failure("acknowledgement-malformed", error) from error
        try:
            binding.verify(proof)
        except SignatureError as error:
            raise failure("binding-signature", error) from error
        try:
            ack.verify(binding.acknowledgement_key, signature)
        except SignatureError as error:
            raise failure("acknowledgement-signature", error) from error
    return count


@dataclass(frozen=True, kw_only=True)
class _Package:
    #: Of submission-accepted or reprovided.
    leaf_index: int
    #: Ids of the keys that it was sealed to, as the service states.
    keys: frozenset[str]


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


def _binding(
    receipt: Receipt,
    key: str,
    acknowledged: int,
    package: _Package,
    mailbox_events: Sequence[LoggedEvent],
) -> tuple[key_binding.KeyBinding, bytes]:
    """The binding of `key`, which was sealed to, bound before the package, and not retired.

    That no key-retired is left out the service vouches for with the seal (step 16).
    """
    earlier = [
        item
        for item in mailbox_events
        if item.leaf_index < acknowledged and item.event.facts.get("key") == key
    ]
    if any(item.event.type is EventType.KEY_RETIRED for item in earlier):
        raise failure("key-retired", f"key {key} was retired before it acknowledged")
    bound = [
        item.event
        for item in earlier
        if item.event.type is EventType.KEY_BOUND and item.leaf_index < package.leaf_index
    ]
    if len(bound) != 1:
        raise failure("key-not-bound", f"key {key} is bound {len(bound)} times before the package")
    if key not in package.keys:
        raise failure("key-not-sealed-to", f"the package was not sealed to key {key}")
    return key_binding.from_facts(bound[0].facts, mailbox=receipt.mailbox)


def check_document(receipt: Receipt, document: bytes, number: int) -> None:
    """Step 12: the document opens one of the receipt's commitments."""
    salted = [(item.salt, item.commitment) for item in receipt.documents if item.salt is not None]
    if any(document_commitment(salt, document) == expected for salt, expected in salted):
        return
    if len(salted) < len(receipt.documents):
        raise failure("document-no-salt", f"document {number}: a commitment has no salt")
    raise failure("document-differs", f"document {number} matches no commitment")
