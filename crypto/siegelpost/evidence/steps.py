"""The checks behind the numbered steps of `verify`: values in, VerificationError or nothing out.

Each function's first line names its step. Order and times (step 9) are in `order`,
acknowledgements (11) in `acknowledged`, witnesses and timestamps (13 and 14) in `dating`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from siegelpost.evidence.acceptance import Acceptance, open_acceptance, submission_facts
from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint
from siegelpost.evidence.commitments import commitment, document_commitment
from siegelpost.evidence.errors import FormatError, InclusionError, LogError, SignatureError
from siegelpost.evidence.events import Event, EventType, parse_event
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.merkle import leaf_hash, verify_inclusion
from siegelpost.evidence.proofs import LogProof, parse_proof
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.redacted import AnyEvent, WithheldEvent
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
    #: The body is withheld: id, type and time are the service's word (step 16), and facts and
    #: predecessor unknown.
    withheld: bool = False


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


def check_proofs(receipt: Receipt, every: Sequence[AnyEvent]) -> list[LogProof]:
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


def check_events(receipt: Receipt, every: Sequence[AnyEvent]) -> list[LoggedEvent]:
    """Step 5: the events, each in canonical form and only once; withheld ones by what is stated."""
    logged: list[LoggedEvent] = []
    for number, item in enumerate(every, 1):
        try:
            if isinstance(item, WithheldEvent):
                logged.append(_stated(receipt, item))
                continue
            event = parse_event(item.body)
            leaf = commitment(item.salt, item.body)
        except FormatError as error:
            raise failure("event-malformed", f"event {number}: {error}") from error
        logged.append(LoggedEvent(event=event, leaf_index=item.leaf_index, commitment=leaf))
    if len({item.event.id for item in logged}) != len(logged):
        raise failure("event-twice", "two events have one id")
    return logged


def _stated(receipt: Receipt, item: WithheldEvent) -> LoggedEvent:
    """A withheld event as far as it is stated, of the receipt's own subject."""
    event = Event(
        id=item.id,
        type=item.type,
        time_at=item.time_at,
        agency=receipt.agency,
        notice=None if item.type in _MAILBOX_TYPES else receipt.notice,
        mailbox=receipt.mailbox,
        actor="service",
        facts={},
    )
    return LoggedEvent(
        event=event, leaf_index=item.leaf_index, commitment=item.commitment, withheld=True
    )


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
    """Step 8: each event names its predecessor, from submission-accepted on.

    What a withheld event names is unknown; what follows it names it, and leaves are in order.
    """
    first = events[0].event
    if first.type is not EventType.SUBMISSION_ACCEPTED or first.previous is not None:
        raise failure("chain-start", f"the first event is {first.type.value} {first.id}")
    for before, after in pairwise(events):
        label = f"{after.event.type.value} {after.event.id}"
        if not after.withheld and after.event.previous != before.commitment:
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
        **{
            name: submission.withheld or event.facts.get(name) == value
            for name, value in expected.items()
        },
    }
    for name, agrees in agreements.items():
        if not agrees:
            raise failure("acceptance-differs", f"{name} differs from the event")
    if tuple(document.commitment for document in receipt.documents) != acceptance.documents:
        raise failure("acceptance-documents", "other document commitments than accepted")
    return acceptance, stolen


def check_document(receipt: Receipt, document: bytes, number: int) -> None:
    """Step 12: the document opens one of the receipt's commitments."""
    salted = [(item.salt, item.commitment) for item in receipt.documents if item.salt is not None]
    if any(document_commitment(salt, document) == expected for salt, expected in salted):
        return
    if len(salted) < len(receipt.documents):
        raise failure("document-no-salt", f"document {number}: a commitment has no salt")
    raise failure("document-differs", f"document {number} matches no commitment")
