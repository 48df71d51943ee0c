"""Verifying a receipt offline, in numbered steps (DESIGN section 4 step 10, section 7).

`verify_receipt` needs the receipt, a trust file from elsewhere, and nothing else: no network, no
clock, no service; timestamps alone need rfc3161-client. Each step either holds or raises with a
plain explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence.acceptance import Acceptance
from siegelpost.evidence.acknowledged import check_acknowledgements
from siegelpost.evidence.checkpoint import Checkpoint
from siegelpost.evidence.cosignature import Cosignature
from siegelpost.evidence.dating import (
    Dating,
    check_dates,
    check_tokens,
    check_witnesses,
    older_than_theft,
)
from siegelpost.evidence.deadline import check_deadline
from siegelpost.evidence.errors import FormatError, VerificationError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.explanations import STEPS, Text, failure
from siegelpost.evidence.order import check_consent, check_order, check_times
from siegelpost.evidence.receipt import Receipt
from siegelpost.evidence.redacted import RedactedReceipt, Redaction, parse_any, redacted_digest
from siegelpost.evidence.replied import check_replies
from siegelpost.evidence.seal import check_seal
from siegelpost.evidence.spoken import exact
from siegelpost.evidence.steps import (
    LoggedEvent,
    check_acceptance,
    check_belong,
    check_chain,
    check_checkpoint,
    check_document,
    check_events,
    check_inclusion,
    check_proofs,
    check_trust,
)
from siegelpost.evidence.trust import TrustedKey
from siegelpost.evidence.wording import (
    acknowledgement_result,
    chain_result,
    dating_result,
    deadline_result,
    documents_result,
    events_result,
    replies_result,
    witness_result,
)

_OLDER = Text(
    de=" Der Schlüssel wurde später entwendet; Zeitstempel zeigen, dass dies hier älter ist.",
    en=" The key was stolen later; timestamps show that this here is older.",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step that held."""

    #: From 1.
    number: int
    #: Stable name for programs.
    name: str
    title_de: str
    title_en: str
    #: What was found, one sentence.
    result_de: str
    result_en: str
    #: False if there was nothing to check, or no means to check it; the result says which.
    checked: bool = True
    #: False if the step's question did not come up, such as documents that nobody gave: neither a
    #: point in favour nor a gap.
    asked: bool = True


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome when every step held."""

    steps: tuple[Step, ...]
    receipt: Receipt
    checkpoint: Checkpoint
    acceptance: Acceptance
    #: The notice's events in order.
    events: tuple[LoggedEvent, ...]
    mailbox_events: tuple[LoggedEvent, ...]
    #: Witnesses of the trust file that cosigned the checkpoint.
    witnesses: tuple[Cosignature, ...]
    #: What timestamps prove about the events' times.
    dating: Dating
    #: What the receipt withholds; then `receipt` holds no events, and `events` tell which are.
    redaction: Redaction = Redaction.FULL


def verify_receipt(
    data: bytes,
    trust: bytes,
    *,
    documents: Sequence[bytes] = (),
    at: datetime | None = None,
    now: datetime | None = None,
) -> Verification:
    """Verify the receipt in `data` with the keys of the trust file `trust`.

    `at` is the moment at which timestamps must still be good; `now` is the verifier's own clock.

    1. The receipt is well-formed, in a known version, within limits.
    2. The trust file is well-formed, is of the receipt's log, and has a key for it.
    3. The checkpoint is signed by a log key that was in force when the receipt was made.
    4. Every proof leads to this one checkpoint, and no two events share a leaf.
    5. Every event's body is canonical and well-formed; none appears twice.
    6. Every event's commitment (salt and body) is the leaf that its inclusion proof leads from.
    7. Every event belongs to the receipt's notice, agency and mailbox.
    8. The notice's events form a chain without gap from submission-accepted, in leaf order.
    9. Order and times are possible: provided before alerts and retrieval, no time runs backwards
       by more than a minute, the receipt is not older than its events, and no consent that the
       receipt shows was revoked before submission.
    10. The acceptance is signed by a key in force and agrees with submission-accepted.
    11. Each acknowledgement is about a package that was accepted or provided anew, and is signed
        by a key that the package was sealed to, that was bound to the mailbox in the log before,
        was not retired, and proved itself.
    12. Each of `documents` is one of the notice's documents; of a notice that its agency sealed
        itself, by the agency's word, which the citizen's browser compares with what it opens.
    13. The witnesses that the trust file demands have cosigned the checkpoint.
    14. Each timestamp is of a trusted authority, is over a checkpoint that the receipt's extends,
        and was renewed in time (with `at`: is still good then); no event claims a time that they
        contradict, and each was dated as soon as the trust file demands. How long an event has
        gone without is told by the later of `now` and `at`, not by the receipt; with neither, it
        is too long.
    15. The legal clock's result names only events that the receipt shows, and was computed when the
        receipt was made. That is all: it is a computation, not evidence, and not repeated here.
    16. The service sealed this very receipt, with a key in force when it was made: these were all
        events of the notice then, and all of the mailbox that bear on it.
    17. Each reply's statement, made again of what is recorded, is signed by the key that the event
        states; for the citizen's own replies that is a key of the mailbox, bound in the log before
        and not retired. Each was sent once, before any withdrawal, and fetched at most once, after
        it had come in. Whose key signed a delegate's reply no receipt shows: the mandate is on the
        mailbox's own chain.

    In a redacted receipt, what is stated of withheld events (type and time, masked facts) is the
    service's word under the seal of step 16; that something with this commitment stands at this
    place of the log is proven all the same, and shown events name the withheld one before them.
    A key that was compromised later (steps 3 and 10) counts if timestamps show that everything it
    is needed for was in the log before. A seal of it (16) does not: a new receipt has a new seal.
    Steps 13 and 14 hold unchecked if the trust file names nobody for them, and 14 if rfc3161-client
    is not installed; `checked` tells.
    Raises VerificationError at the first step that does not hold.

    What the caller still owes: a trust file from a source other than the receipt; comparing the
    notice id with the matter at hand; `documents`, without which no content is checked.
    What a receipt does not prove: that nothing happened after it was made (ask for a fresh one),
    and, beyond the service's word in the seal, that nothing was left out; that the alert was read
    or even arrived, unless alert-delivered says so; unless step 14 was checked, that the times are
    right beyond the service's own clock; unless step 13 was, that the log shows everybody the same
    tree; the deadline, which is computed and not proven; the contents of facts beyond those named
    above, which the service states.
    """
    steps: list[Step] = []

    def held(de: str, en: str, *, checked: bool = True, asked: bool = True) -> None:
        number = len(steps) + 1
        name, title = STEPS[number]
        steps.append(
            Step(
                number=number,
                name=name,
                title_de=title.de,
                title_en=title.en,
                result_de=de,
                result_en=en,
                checked=checked,
                asked=asked,
            )
        )

    # 1
    try:
        given = parse_any(data)
    except FormatError as error:
        raise failure("receipt-malformed", error) from error
    redacted = given if isinstance(given, RedactedReceipt) else None
    receipt = given.frame if isinstance(given, RedactedReceipt) else given
    every = (*given.events, *given.mailbox_events)
    made_de, made_en = exact(receipt.made_at, "de"), exact(receipt.made_at, "en")
    held(
        f"Quittung über das Schreiben {receipt.notice}, erstellt {made_de}.",
        f"Receipt about notice {receipt.notice}, made {made_en}.",
    )
    # 2
    trusted = check_trust(trust, receipt)
    held(
        f"Vertrauensdatei für das Protokoll {trusted.origin}.",
        f"Trust file for the log {trusted.origin}.",
    )
    # 3
    leaves = [item.leaf_index for item in every]

    def all_older(keys: Sequence[TrustedKey], head: Checkpoint) -> bool:
        try:
            return older_than_theft(keys, leaves, check_tokens(receipt, trusted, head, at))
        except VerificationError:  # a timestamp that fails in step 14 shows nothing here
            return False

    checkpoint, stolen = check_checkpoint(receipt, trusted, all_older)
    held(
        f"Prüfpunkt mit {checkpoint.size} Einträgen, Unterschrift gültig."
        + (_OLDER.de if stolen else ""),
        f"Checkpoint of {checkpoint.size} entries, signature valid."
        + (_OLDER.en if stolen else ""),
    )
    # 4
    proofs = check_proofs(receipt, every)
    held(
        f"{len(every)} Beweise führen zu diesem Prüfpunkt.",
        f"{len(every)} proofs lead to this checkpoint.",
    )
    # 5
    logged = check_events(receipt, every)
    held(*events_result(logged))
    # 6
    for item, proof in zip(logged, proofs, strict=True):
        check_inclusion(item, proof, checkpoint)
    held("Alle Ereignisse stehen im Protokoll.", "All events are in the log.")
    # 7
    events = logged[: len(given.events)]
    mailbox_events = logged[len(given.events) :]
    check_belong(receipt, events, mailbox_events)
    held(
        "Alle Ereignisse gehören zu Schreiben, Behörde und Postfach der Quittung.",
        "All events belong to the receipt's notice, agency and mailbox.",
    )
    # 8
    check_chain(events)
    held(*chain_result(events))
    # 9
    check_order([item.event for item in events])
    check_times([item.event for item in events], receipt.made_at)
    check_consent(
        [(item.event, item.leaf_index) for item in mailbox_events],
        before=events[0].leaf_index,
        agency=receipt.agency,
    )
    held("Reihenfolge und Zeiten sind schlüssig.", "Order and times are plausible.")
    # 10
    submission = events[0]

    def submission_older(keys: Sequence[TrustedKey]) -> bool:
        try:
            dating = check_tokens(receipt, trusted, checkpoint, at)
        except VerificationError:
            return False
        return older_than_theft(keys, [submission.leaf_index], dating)

    acceptance, stolen = check_acceptance(receipt, trusted, submission, submission_older)
    accepted = acceptance.accepted_at
    held(
        f"Angenommen {exact(accepted, 'de')}, Unterschrift gültig, stimmt mit dem Protokoll "
        "überein." + (_OLDER.de if stolen else ""),
        f"Accepted {exact(accepted, 'en')}, signature valid, agrees with the log."
        + (_OLDER.en if stolen else ""),
    )
    # 11
    found = check_acknowledgements(receipt, events, mailbox_events)
    hidden = _hides_acknowledgement(events)
    held(
        *acknowledgement_result(found, events),
        checked=not hidden,
        asked=bool(found.count) or hidden,
    )
    # 12
    for number, document in enumerate(documents, 1):
        check_document(receipt, document, number)
    held(*documents_result(len(documents), receipt, submission), asked=bool(documents))
    # 13
    witnesses = check_witnesses(receipt, trusted)
    held(*witness_result(witnesses, trusted), checked=trusted.policy.quorum is not None)
    # 14
    dating = check_tokens(receipt, trusted, checkpoint, at)
    clock = max((moment for moment in (at, now) if moment is not None), default=None)
    check_dates(logged, clock, dating, trusted.dating)
    held(*dating_result(dating, logged), checked=dating.unchecked is None)
    # 15
    computed = check_deadline(receipt, logged)
    held(*deadline_result(computed), checked=computed is not None, asked=computed is not None)
    # 16
    check_seal(receipt, trusted, None if redacted is None else redacted_digest(redacted))
    held(
        f"Der Dienst hat gesiegelt, was er zu diesem Schreiben wusste: {made_de}.",
        f"The service sealed what it knew about this notice at {made_en}.",
    )
    # 17
    replies = check_replies(receipt, events, mailbox_events)
    held(
        *replies_result(replies),
        checked=not replies.withheld,
        asked=bool(replies.own or replies.by_delegates or replies.withheld),
    )
    return Verification(
        steps=tuple(steps),
        receipt=receipt,
        checkpoint=checkpoint,
        acceptance=acceptance,
        events=tuple(events),
        mailbox_events=tuple(mailbox_events),
        witnesses=witnesses,
        dating=dating,
        redaction=Redaction.FULL if redacted is None else redacted.level,
    )


def _hides_acknowledgement(events: Sequence[LoggedEvent]) -> bool:
    return any(item.withheld and item.event.type is EventType.ACKNOWLEDGED for item in events)
