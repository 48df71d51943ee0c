"""One tampering, one failure: each with its own code, step and explanation.

Longer than others: the list of all tamperings, in the order of the steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from siegelpost.evidence.acceptance import parse_acceptance
from siegelpost.evidence.blackening import redact
from siegelpost.evidence.canonical import Json, encode
from siegelpost.evidence.checkpoint import Checkpoint, sign_checkpoint
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.explanations import FAILURES, STEPS
from siegelpost.evidence.ids import AgencyId, EventId, KeyId, LeafIndex, MailboxId, NoticeId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.key_succession import KeySuccession
from siegelpost.evidence.notes import Ed25519Signer, sign_note, split_note
from siegelpost.evidence.proofs import parse_proof
from siegelpost.evidence.receipt import Receipt, ReceiptDocument, ReceiptEvent, write_receipt
from siegelpost.evidence.redacted import Redaction, write_redacted
from siegelpost.evidence.seal import seal_receipt, seal_redacted
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Purpose, Trust, write_trust
from siegelpost.evidence.verify import verify_receipt
from tests.support.receipts import (
    ACCEPTANCE,
    DOCUMENTS,
    KEY,
    LOG,
    MAILBOX_KEY,
    ORIGIN,
    START,
    STRANGER,
    Sample,
    digest,
    sample_trust,
)

E = EventType


def test_the_seal_says_what_the_service_knew_and_when() -> None:
    step = verify_receipt(write_receipt(Sample().receipt()), write_trust(sample_trust())).steps[15]
    assert (step.number, step.name, step.checked) == (16, "seal", True)
    assert "Mo, 23.11.2026, 10:30:00,000 MEZ" in step.result_de


def test_untouched_receipt_verifies_in_every_step() -> None:
    verification = verify_receipt(
        write_receipt(Sample().receipt()), write_trust(sample_trust()), documents=DOCUMENTS
    )
    assert [step.number for step in verification.steps] == list(STEPS)
    assert [item.event.type for item in verification.events] == [kind for kind, _ in Sample().plan]
    assert "2 vorgelegt" in verification.steps[11].result_de


def test_what_an_agency_states_of_what_it_sealed_itself_is_called_its_word() -> None:
    def by_agency(event: Event) -> Event:
        said = {"sealed_by": "agency"} if event.type is E.SUBMISSION_ACCEPTED else {}
        return replace(event, facts={**event.facts, **said})

    for change, word in ((by_agency, True), (lambda event: event, False)):
        receipt = Sample(change_event=change).receipt()
        trust = write_trust(sample_trust())
        step = verify_receipt(write_receipt(receipt), trust, documents=DOCUMENTS).steps[11]
        assert ("sagt sie" in step.result_de) is ("its word" in step.result_en) is word


def test_receipt_with_other_spacing_still_verifies() -> None:
    compact = json.dumps(json.loads(write_receipt(Sample().receipt()))).encode()
    verify_receipt(compact, write_trust(sample_trust()))


def test_receipt_before_retrieval_verifies_and_says_that_nothing_was_acknowledged() -> None:
    receipt = Sample(plan=Sample().plan[:3], mailbox_plan=()).receipt()
    verification = verify_receipt(write_receipt(receipt), write_trust(sample_trust()))
    assert "Keine Empfangsbestätigung" in verification.steps[10].result_de


def test_receipt_made_before_rotation_of_the_log_key_still_verifies() -> None:
    trust = _with_key(Purpose.LOG, valid_until=START + timedelta(days=2))
    verify_receipt(write_receipt(Sample().receipt()), write_trust(trust))


def test_package_provided_anew_may_be_acknowledged() -> None:
    plan = Sample().plan
    sample = Sample(
        plan=(*plan[:4], (E.REPROVIDED, 100), *plan[4:]),
        acknowledged_payload=digest("second package"),
        change_event=lambda event: (
            replace(event, facts=_second_package(KEY)) if event.type is E.REPROVIDED else event
        ),
    )
    verify_receipt(write_receipt(sample.receipt()), write_trust(sample_trust()))


def _second_package(key: str) -> dict[str, Json]:
    return {"package_payload_sha256": digest("second package").hex(), "keys": [key]}


def test_consent_revoked_after_submission_leaves_the_notice_as_it_was() -> None:
    sample = Sample(plan=PLAN[:3], mailbox_plan=((E.CONSENT_REVOKED, -60),), mailbox_last=True)
    verify_receipt(write_receipt(sample.receipt()), write_trust(sample_trust()))


def _consents(*kinds: str) -> Callable[[Event], Event]:
    """The sample's events of consents, in turn, with these kinds."""
    left = list(kinds)

    def change(event: Event) -> Event:
        if event.type not in (E.CONSENT_GIVEN, E.CONSENT_REVOKED):
            return event
        return replace(event, facts={"consent": event.id, "kind": left.pop(0)})

    return change


GIVEN_REVOKED = (*Sample().mailbox_plan, (E.CONSENT_GIVEN, 80), (E.CONSENT_REVOKED, 60))
REVOKED_GIVEN = (*Sample().mailbox_plan, (E.CONSENT_REVOKED, 80), (E.CONSENT_GIVEN, 60))


def test_consent_to_sending_that_ends_is_no_end_of_receiving() -> None:
    sample = Sample(mailbox_plan=GIVEN_REVOKED, change_event=_consents("receive", "send", "send"))
    verify_receipt(write_receipt(sample.receipt()), write_trust(sample_trust()))


def test_consent_to_sending_that_is_given_gives_none_to_receiving() -> None:
    sample = Sample(
        mailbox_plan=REVOKED_GIVEN, change_event=_consents("receive", "receive", "send")
    )
    with pytest.raises(VerificationError) as caught:
        verify_receipt(write_receipt(sample.receipt()), write_trust(sample_trust()))
    assert caught.value.code == "consent-revoked"


def test_withheld_consent_contradicts_nothing() -> None:
    sample = Sample(mailbox_plan=GIVEN_REVOKED, change_event=_consents("receive", "send", "send"))
    redacted = seal_redacted(redact(sample.receipt(), Redaction.TIMES_ONLY), ACCEPTANCE)
    verify_receipt(write_redacted(redacted), write_trust(sample_trust()))


def _with_key(purpose: Purpose, **changes: Any) -> Trust:
    trust = sample_trust()
    return replace(
        trust,
        keys=tuple(
            replace(key, **changes) if key.purpose is purpose else key for key in trust.keys
        ),
    )


def _on(kind: EventType, **changes: Any) -> Callable[[Event], Event]:
    return lambda event: replace(event, **changes) if event.type is kind else event


def _one(number: int, **changes: Any) -> Receipt:
    receipt = Sample().receipt()
    events = list(receipt.events)
    events[number] = replace(events[number], **changes)
    return replace(receipt, events=tuple(events))


def _without(number: int) -> Receipt:
    receipt = Sample().receipt()
    return replace(receipt, events=receipt.events[:number] + receipt.events[number + 1 :])


def _proof_with(number: int, **changes: Any) -> Receipt:
    proof = parse_proof(Sample().receipt().events[number].proof)
    return _one(number, proof=replace(proof, **changes).text())


def _body_with(number: int, old: bytes, new: bytes) -> Receipt:
    body = Sample().receipt().events[number].body
    assert old in body
    return _one(number, body=body.replace(old, new))


def _all_checkpoints(note: str) -> Receipt:
    receipt = Sample().receipt()

    def swap(event: ReceiptEvent) -> ReceiptEvent:
        return replace(event, proof=replace(parse_proof(event.proof), checkpoint=note).text())

    return replace(
        receipt,
        checkpoint=note,
        events=tuple(map(swap, receipt.events)),
        mailbox_events=tuple(map(swap, receipt.mailbox_events)),
    )


def _forged_checkpoint() -> Receipt:
    note = Sample().receipt().checkpoint
    assert "\n317\n" in note
    return _all_checkpoints(note.replace("\n317\n", "\n316\n"))


def _other_tree() -> Receipt:
    """A checkpoint that the log did sign, of another tree: no event is in it."""
    return _all_checkpoints(
        sign_checkpoint(Checkpoint(origin=ORIGIN, size=400, root=digest("fork")), LOG)
    )


def _deadline_put_in() -> Receipt:
    receipt = Sample().receipt()
    computed_at = format_time(receipt.made_at)
    first = json.loads(receipt.events[0].body)["id"]
    return replace(
        receipt,
        deadline={
            "computed_at": computed_at,
            "rule": "sgb10-37-2a/A1",
            "deemed": "2026-11-26",
            "reasons": [],
            "events": [first],
        },
    )


def _sealed_as(text: str) -> Receipt:
    return replace(Sample().receipt(), seal=sign_note(text, ACCEPTANCE))


class _BoundLater(Sample):
    """The key is bound when the notice has been provided, and acknowledges it all the same."""

    def log_order(self, mailbox_events: list[Event], notice_events: list[Event]) -> list[Event]:
        return [*notice_events[:-1], *mailbox_events, notice_events[-1]]


NEW_KEY = KeyId("018f0000-0000-7000-8000-00000000000e")


@dataclass(kw_only=True)
class _Succeeded(Sample):
    """The key is exchanged when the notice has been provided; the new one acknowledges it."""

    vouching: Ed25519Signer = MAILBOX_KEY

    def facts(self, kind: EventType, moment: datetime) -> dict[str, Json]:
        facts = super().facts(kind, moment)
        return {**facts, "key": NEW_KEY} if kind is E.ACKNOWLEDGED else facts

    def mailbox_events(self) -> list[Event]:
        (old,) = Sample(mailbox_plan=BOUND[:1]).mailbox_events()
        binding = KeyBinding(
            mailbox=self.mailbox,
            key=NEW_KEY,
            recipient_sha256=digest("new recipient"),
            acknowledgement_key=MAILBOX_KEY.verifier.public_key,
        )
        succession = KeySuccession(predecessor=KEY, successor=binding)
        new = replace(
            old,
            id=EventId("018f0000-0000-7000-8000-00000000000f"),
            facts={
                **binding.facts(signature=MAILBOX_KEY.sign(binding.message())),
                **succession.facts(signature=self.vouching.sign(succession.message())),
            },
        )
        return [old, new]

    def log_order(self, mailbox_events: list[Event], notice_events: list[Event]) -> list[Event]:
        old, new = mailbox_events
        return [old, *notice_events[:-1], new, notice_events[-1]]


def test_key_that_the_old_one_vouches_for_may_acknowledge_older_notices() -> None:
    verify_receipt(write_receipt(_Succeeded().receipt()), write_trust(sample_trust()))


def _swapped() -> Receipt:
    receipt = Sample().receipt()
    events = list(receipt.events)
    events[2], events[3] = events[3], events[2]
    return replace(receipt, events=tuple(events))


def _proofs_exchanged() -> Receipt:
    receipt = Sample().receipt()
    events = list(receipt.events)
    one, two = events[3], events[4]
    events[3] = replace(one, proof=two.proof, leaf_index=two.leaf_index)
    events[4] = replace(two, proof=one.proof, leaf_index=one.leaf_index)
    return replace(receipt, events=tuple(events))


def _leaf_twice() -> Receipt:
    receipt = Sample().receipt()
    return replace(receipt, events=(*receipt.events, receipt.events[-1]))


def _same_id(event: Event) -> Event:
    return replace(event, id=EventId("018f0000-0000-7000-8000-000000000001"))


def _leaves_reversed() -> Receipt:
    """The chain is whole, but the log holds its links in another order."""
    sample = Sample()
    chain, mailbox = sample.notice_events(), sample.mailbox_events()

    class Reversed(Sample):
        def notice_events(self) -> list[Event]:
            return [chain[0], chain[1], chain[3], chain[2], *chain[4:]]

        def mailbox_events(self) -> list[Event]:
            return mailbox

    events = list(Reversed().receipt().events)
    receipt = Reversed().receipt()
    events[2], events[3] = events[3], events[2]
    return replace(receipt, events=tuple(events))


def _acceptance_text(old: str, new: str) -> Receipt:
    receipt = Sample().receipt()
    assert old in receipt.acceptance
    return replace(receipt, acceptance=receipt.acceptance.replace(old, new, 1))


def _accepted(**changes: Any) -> Receipt:
    return Sample(change_acceptance=lambda acceptance: replace(acceptance, **changes)).receipt()


def _raw_receipt(change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(write_receipt(Sample().receipt()))
    change(value)
    return json.dumps(value).encode()


PLAN = Sample().plan
BOUND = Sample().mailbox_plan

#: Name → (expected code, the tampered receipt).
TAMPERED: dict[str, tuple[str, Callable[[], Receipt | bytes]]] = {
    "receipt cut off": ("receipt-malformed", lambda: write_receipt(Sample().receipt())[:-100]),
    "receipt of another version": (
        "receipt-malformed",
        lambda: _raw_receipt(lambda value: value.update(format="siegelpost/receipt/v2")),
    ),
    "receipt with an unknown field": (
        "receipt-malformed",
        lambda: _raw_receipt(lambda value: value.update(verified=True)),
    ),
    "receipt without acceptance": (
        "receipt-malformed",
        lambda: _raw_receipt(lambda value: value.pop("acceptance")),
    ),
    "other origin": (
        "trust-origin",
        lambda: replace(Sample().receipt(), origin="other.example/log"),
    ),
    "checkpoint without signature": (
        "checkpoint-malformed",
        lambda: _all_checkpoints(f"{ORIGIN}\n3\n{'A' * 43}=\n\n"),
    ),
    "checkpoint text that is no checkpoint": (
        "checkpoint-malformed",
        lambda: _all_checkpoints(sign_note(f"{ORIGIN}\n3\n", LOG)),
    ),
    "checkpoint of another log": (
        "checkpoint-origin",
        lambda: _all_checkpoints(
            sign_checkpoint(Checkpoint(origin="x.example/log", size=9, root=digest("x")), LOG)
        ),
    ),
    "checkpoint with another size": ("checkpoint-signature", _forged_checkpoint),
    "checkpoint signed by a stranger": (
        "checkpoint-signature",
        lambda: Sample(log=STRANGER).receipt(),
    ),
    "proof is no proof": ("proof-malformed", lambda: _one(2, proof="c2sp.org/tlog-proof@v2\n\n")),
    "proof under another checkpoint": (
        "proof-other-checkpoint",
        lambda: _proof_with(
            1, checkpoint=sign_checkpoint(Checkpoint(origin=ORIGIN, size=1, root=digest("")), LOG)
        ),
    ),
    "leaf index changed": ("proof-other-leaf", lambda: _one(2, leaf_index=LeafIndex(7))),
    "event given twice": ("proof-leaf-twice", _leaf_twice),
    "body not canonical": ("event-malformed", lambda: _body_with(2, b'{"actor', b'{ "actor')),
    "body of unknown type": (
        "event-malformed",
        lambda: _body_with(2, b'"alert-sent"', b'"alert-read"'),
    ),
    "two events of one id": ("event-twice", lambda: Sample(change_event=_same_id).receipt()),
    "mail server's reply changed": (
        "event-not-in-log",
        lambda: _body_with(2, b"250 2.0.0", b"250 2.1.5"),
    ),
    "time of an alert changed": (
        "event-not-in-log",
        lambda: _body_with(2, b"2026-11-22T09:30:02", b"2026-11-21T09:30:02"),
    ),
    "salt changed": ("event-not-in-log", lambda: _one(3, salt=digest("other"))),
    "proof of another leaf": (
        "event-not-in-log",
        _proofs_exchanged,
    ),
    "proof with a changed hash": (
        "event-not-in-log",
        lambda: _proof_with(0, hashes=(digest("x"),) * 9),
    ),
    "proof cut short": (
        "event-not-in-log",
        lambda: _proof_with(0, hashes=parse_proof(Sample().receipt().events[0].proof).hashes[:-1]),
    ),
    "fork of the log": ("event-not-in-log", _other_tree),
    "no events": ("no-events", lambda: replace(Sample().receipt(), events=())),
    "receipt of another notice": (
        "foreign-event",
        lambda: replace(Sample().receipt(), notice=NoticeId("another")),
    ),
    "receipt of another agency": (
        "foreign-event",
        lambda: replace(Sample().receipt(), agency=AgencyId("another")),
    ),
    "receipt of another mailbox": (
        "foreign-event",
        lambda: replace(Sample().receipt(), mailbox=MailboxId("another")),
    ),
    "key binding of another mailbox": (
        "foreign-mailbox-event",
        lambda: Sample(change_event=_on(E.KEY_BOUND, mailbox=MailboxId("charlie"))).receipt(),
    ),
    "consent towards another agency": (
        "foreign-mailbox-event",
        lambda: Sample(change_event=_on(E.CONSENT_GIVEN, agency=AgencyId("finanzamt"))).receipt(),
    ),
    "mailbox event that is of a notice": (
        "foreign-mailbox-event",
        lambda: Sample(change_event=_on(E.CONSENT_GIVEN, notice=NoticeId("another"))).receipt(),
    ),
    "mailbox event of an unfit kind": (
        "foreign-mailbox-event",
        lambda: Sample(mailbox_plan=(*BOUND, (E.RETRIEVED, 60))).receipt(),
    ),
    "submission left out": ("chain-start", lambda: _without(0)),
    "failed alert left out": (
        "chain-gap",
        lambda: (lambda receipt: replace(receipt, events=receipt.events[:2] + receipt.events[3:]))(
            Sample(plan=(*PLAN[:2], (E.ALERT_FAILED, 1), *PLAN[2:])).receipt()
        ),
    ),
    "events swapped": ("chain-gap", _swapped),
    "log holds the chain in another order": ("leaf-order", _leaves_reversed),
    "alert before providing": (
        "order",
        lambda: Sample(plan=(PLAN[0], PLAN[2], PLAN[1])).receipt(),
    ),
    "acknowledged without retrieval": (
        "order",
        lambda: Sample(plan=(*PLAN[:4], PLAN[5])).receipt(),
    ),
    "provided twice": ("order", lambda: Sample(plan=(*PLAN[:2], PLAN[1])).receipt()),
    "rejection in an accepted notice": (
        "order",
        lambda: Sample(plan=(PLAN[0], (E.SUBMISSION_REJECTED, 1))).receipt(),
    ),
    "back-dated alert": (
        "time-order",
        lambda: Sample(plan=(*PLAN[:2], (E.ALERT_SENT, -86400))).receipt(),
    ),
    "receipt older than its events": (
        "made-before-events",
        lambda: replace(Sample().receipt(), made_at=START + timedelta(minutes=5)),
    ),
    "consent revoked before": (
        "consent-revoked",
        lambda: Sample(
            mailbox_plan=(*BOUND, (E.CONSENT_REVOKED, 60)),
            change_event=_consents("receive", "receive"),
        ).receipt(),
    ),
    "acceptance is no note": (
        "acceptance-malformed",
        lambda: replace(Sample().receipt(), acceptance="accepted"),
    ),
    "acceptance text changed": ("acceptance-signature", lambda: _acceptance_text("T09", "T08")),
    "acceptance signed by a stranger": (
        "acceptance-signature",
        lambda: Sample(acceptance_signer=STRANGER).receipt(),
    ),
    "acceptance of another event": ("acceptance-differs", lambda: _accepted(event=digest("x"))),
    "acceptance of another notice": (
        "acceptance-differs",
        lambda: _accepted(notice=NoticeId("another")),
    ),
    "acceptance of another time": (
        "acceptance-differs",
        lambda: _accepted(accepted_at=START + timedelta(seconds=1)),
    ),
    "acceptance of another mailbox": (
        "acceptance-differs",
        lambda: _accepted(mailbox=MailboxId("another")),
    ),
    "acceptance of another agency": (
        "acceptance-differs",
        lambda: _accepted(agency=AgencyId("another")),
    ),
    "acceptance of another package": (
        "acceptance-differs",
        lambda: _accepted(package_payload_sha256=digest("x")),
    ),
    "acceptance of other documents": (
        "acceptance-differs",
        lambda: _accepted(documents=(digest("x"),)),
    ),
    "document left out of the list": (
        "acceptance-documents",
        lambda: replace(Sample().receipt(), documents=Sample().receipt().documents[:1]),
    ),
    "acknowledgement without signature": (
        "acknowledgement-malformed",
        lambda: Sample(change_event=_on(E.ACKNOWLEDGED, facts={"key": "x"})).receipt(),
    ),
    "key never bound": ("key-not-bound", lambda: Sample(mailbox_plan=BOUND[1:]).receipt()),
    "key bound after the acknowledgement": (
        "key-not-bound",
        lambda: Sample(mailbox_last=True).receipt(),
    ),
    "key bound between providing and acknowledging": (
        "key-not-bound",
        lambda: _BoundLater(mailbox_plan=((E.KEY_BOUND, -3600),)).receipt(),
    ),
    "key that the package was not sealed to": (
        "key-not-sealed-to",
        lambda: Sample(change_event=_on(E.PROVIDED, facts={"keys": ["another"]})).receipt(),
    ),
    "providing that names no keys": (
        "key-not-sealed-to",
        lambda: Sample(change_event=_on(E.PROVIDED, facts={"key": KEY})).receipt(),
    ),
    "package provided anew to another key": (
        "key-not-sealed-to",
        lambda: Sample(
            plan=(*PLAN[:4], (E.REPROVIDED, 100), *PLAN[4:]),
            acknowledged_payload=digest("second package"),
            change_event=_on(E.REPROVIDED, facts=_second_package("another")),
        ).receipt(),
    ),
    "package acknowledged before it was provided anew": (
        "acknowledgement-payload",
        lambda: Sample(
            plan=(*PLAN, (E.REPROVIDED, 4000)),
            acknowledged_payload=digest("second package"),
            change_event=_on(E.REPROVIDED, facts=_second_package(KEY)),
        ).receipt(),
    ),
    "key retired before": (
        "key-retired",
        lambda: Sample(mailbox_plan=(*BOUND, (E.KEY_RETIRED, 60))).receipt(),
    ),
    "exchange of the key signed by a stranger": (
        "succession-signature",
        lambda: _Succeeded(vouching=STRANGER).receipt(),
    ),
    "binding signed by a stranger": (
        "binding-signature",
        lambda: Sample(binding_signer=STRANGER).receipt(),
    ),
    "acknowledgement signed by a stranger": (
        "acknowledgement-signature",
        lambda: Sample(ack_signer=STRANGER).receipt(),
    ),
    "acknowledgement of another package": (
        "acknowledgement-payload",
        lambda: Sample(acknowledged_payload=digest("x")).receipt(),
    ),
    "no seal": ("seal-missing", lambda: replace(Sample().receipt(), seal=None)),
    "seal left out of the file": (
        "seal-missing",
        lambda: _raw_receipt(lambda value: value.pop("seal")),
    ),
    "seal is no note": ("seal-malformed", lambda: replace(Sample().receipt(), seal="sealed")),
    "acceptance in place of the seal": (
        "seal-malformed",
        lambda: replace(Sample().receipt(), seal=Sample().receipt().acceptance),
    ),
    "seal of another format": (
        "seal-malformed",
        lambda: _sealed_as(f'{{"format":"x/v1","receipt_sha256":"{"00" * 32}"}}\n'),
    ),
    "sealed by a stranger": (
        "seal-signature",
        lambda: seal_receipt(Sample().receipt(), STRANGER),
    ),
    "sealed by the log's key": ("seal-signature", lambda: seal_receipt(Sample().receipt(), LOG)),
    "seal of another receipt": (
        "seal-differs",
        lambda: replace(
            Sample().receipt(), seal=Sample(made_at=START + timedelta(days=2)).receipt().seal
        ),
    ),
    "end of the chain cut off": (
        "seal-differs",
        lambda: (lambda receipt: replace(receipt, events=receipt.events[:3]))(
            Sample(plan=(*PLAN[:3], (E.ALERT_FAILED, 3600), (E.ALERT_DISPUTED, 7200))).receipt()
        ),
    ),
    "made at another time": (
        "seal-differs",
        lambda: replace(Sample().receipt(), made_at=START + timedelta(days=900)),
    ),
    "deadline put in": ("seal-differs", _deadline_put_in),
    "retirement of a key left out": (
        "seal-differs",
        lambda: (lambda receipt: replace(receipt, mailbox_events=receipt.mailbox_events[:2]))(
            Sample(mailbox_plan=(*BOUND, (E.KEY_RETIRED, 60))).receipt()
        ),
    ),
    "revocation of the consent left out": (
        "seal-differs",
        lambda: (lambda receipt: replace(receipt, mailbox_events=receipt.mailbox_events[:2]))(
            Sample(mailbox_plan=(*BOUND, (E.CONSENT_REVOKED, 60))).receipt()
        ),
    ),
    "salts taken out": (
        "seal-differs",
        lambda: (
            lambda receipt: replace(
                receipt, documents=tuple(replace(item, salt=None) for item in receipt.documents)
            )
        )(Sample().receipt()),
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_receipt_fails_at_its_own_step(name: str) -> None:
    code, make = TAMPERED[name]
    made = make()
    data = made if isinstance(made, bytes) else write_receipt(made)
    _refused(code, data, write_trust(sample_trust()))


def _refused(
    code: str, data: bytes, trust: bytes, documents: tuple[bytes, ...] = ()
) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify_receipt(data, trust, documents=documents)
    error = caught.value
    assert error.code == code, error.reason
    number, text = FAILURES[code]
    assert (error.step, error.name) == (number, STEPS[number][0])
    assert (error.message_de, error.message_en) == (text.de, text.en)
    assert error.diagnostics()["reason"]
    return error


#: Name → (expected code, the trust file).
DISTRUSTED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "trust file cut off": ("trust-malformed", lambda: write_trust(sample_trust())[:-9]),
    "trust file with a key twice": (
        "trust-malformed",
        lambda: write_trust(replace(sample_trust(), keys=sample_trust().keys * 2)),
    ),
    "trust file of another log": (
        "trust-origin",
        lambda: write_trust(replace(sample_trust(), origin="other.example/log")),
    ),
    "trust file without log key": (
        "trust-no-log-key",
        lambda: write_trust(replace(sample_trust(), keys=sample_trust().keys[1:])),
    ),
    "log key ended before": (
        "checkpoint-key-validity",
        lambda: write_trust(_with_key(Purpose.LOG, valid_until=START)),
    ),
    "log key began later": (
        "checkpoint-key-validity",
        lambda: write_trust(_with_key(Purpose.LOG, valid_from=START + timedelta(days=9))),
    ),
    "log key compromised": (
        "checkpoint-key-compromised",
        lambda: write_trust(_with_key(Purpose.LOG, compromised_at=START + timedelta(days=9))),
    ),
    "no acceptance key": (
        "acceptance-signature",
        lambda: write_trust(replace(sample_trust(), keys=sample_trust().keys[:1])),
    ),
    "acceptance key of another agency": (
        "acceptance-signature",
        lambda: write_trust(_with_key(Purpose.ACCEPTANCE, agency=AgencyId("finanzamt"))),
    ),
    "acceptance key ended before": (
        "acceptance-key-validity",
        lambda: write_trust(_with_key(Purpose.ACCEPTANCE, valid_until=START)),
    ),
    "acceptance key compromised": (
        "acceptance-key-compromised",
        lambda: write_trust(_with_key(Purpose.ACCEPTANCE, compromised_at=START)),
    ),
    "acceptance key ended before the receipt was made": (
        "seal-key-validity",
        lambda: write_trust(_with_key(Purpose.ACCEPTANCE, valid_until=START + timedelta(hours=2))),
    ),
}


@pytest.mark.parametrize("name", DISTRUSTED)
def test_unfit_trust_file_fails_at_its_own_step(name: str) -> None:
    code, make = DISTRUSTED[name]
    _refused(code, write_receipt(Sample().receipt()), make())


def test_foreign_document_is_refused() -> None:
    data, trust = write_receipt(Sample().receipt()), write_trust(sample_trust())
    _refused("document-differs", data, trust, (DOCUMENTS[0], b"%PDF-1.7 Bob Muster"))


def test_document_cannot_be_checked_where_the_salt_is_withheld() -> None:
    receipt = Sample().receipt()
    withheld = tuple(ReceiptDocument(commitment=item.commitment) for item in receipt.documents)
    data = write_receipt(seal_receipt(replace(receipt, documents=withheld), ACCEPTANCE))
    trust = write_trust(sample_trust())
    verify_receipt(data, trust)
    _refused("document-no-salt", data, trust, (DOCUMENTS[0],))


def test_every_failure_has_a_test_and_both_languages() -> None:
    tested = {code for code, _ in (*TAMPERED.values(), *DISTRUSTED.values())}
    # Those of witnesses, timestamps and stolen keys are in test_outside, of the deadline in
    # test_deadline, of replies in test_replies.
    inside = {code for code, (step, _) in FAILURES.items() if step not in (13, 14, 15, 17)}
    elsewhere = {"document-differs", "document-no-salt", "seal-key-compromised"}
    assert tested | elsewhere == inside
    texts = [text for _, text in FAILURES.values()]
    assert len({text.de for text in texts}) == len({text.en for text in texts}) == len(texts)


def test_inclusion_failure_carries_the_proof_that_shows_it() -> None:
    data = write_receipt(_one(3, salt=digest("other")))
    error = _refused("event-not-in-log", data, write_trust(sample_trust()))
    assert {"leaf_hash", "root", "proof"} <= set(error.diagnostics())


def test_acceptance_is_the_same_bytes_each_time() -> None:
    first, second = Sample().receipt().acceptance, Sample().receipt().acceptance
    assert first == second
    text, _ = split_note(first)
    assert parse_acceptance(text).text() == text
    assert text.encode() == encode(json.loads(text)) + b"\n"
