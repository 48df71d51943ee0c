"""Replies in a receipt: what verifies, what does not, and what a receipt does not claim."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from siegelpost.evidence.blackening import redact
from siegelpost.evidence.canonical import Json, encode
from siegelpost.evidence.errors import FormatError, SignatureError, VerificationError
from siegelpost.evidence.events import Event, EventType, parse_event
from siegelpost.evidence.explanations import FAILURES
from siegelpost.evidence.ids import KeyId, ReplyId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.receipt import write_receipt
from siegelpost.evidence.redacted import Redaction, write_redacted
from siegelpost.evidence.reply import PREFIX, from_facts, parse_reply
from siegelpost.evidence.seal import seal_redacted
from siegelpost.evidence.trust import write_trust
from siegelpost.evidence.verify import Step, verify_receipt
from tests.support.receipts import (
    ACCEPTANCE,
    AGENCY,
    MAILBOX,
    MAILBOX_KEY,
    NOTICE,
    REPLY,
    START,
    STRANGER,
    Sample,
    digest,
    sample_id,
    sample_trust,
)

E = EventType
PLAN = (
    (E.SUBMISSION_ACCEPTED, 0.0),
    (E.PROVIDED, 0.1),
    (E.ALERT_SENT, 2.0),
    (E.REPLIED, 60.0),
    (E.REPLY_FETCHED, 90.0),
)
MANDATE = sample_id("mandate")


def step(sample: Sample) -> Step:
    data = write_receipt(sample.receipt())
    return verify_receipt(data, write_trust(sample_trust())).steps[16]


def test_citizen_s_reply_verifies_by_the_mailbox_s_key() -> None:
    found = step(Sample(plan=PLAN))
    assert (found.number, found.name, found.checked, found.asked) == (17, "replies", True, True)
    assert "1 vom Postfach, mit seinem Schlüssel unterschrieben" in found.result_de
    assert "Die Behörde hat 1 abgerufen" in found.result_de


def test_delegate_s_reply_verifies_and_says_that_the_key_is_not_proven() -> None:
    found = step(Sample(plan=PLAN[:4], mandate=MANDATE, reply_signer=STRANGER))
    assert found.checked
    assert "wessen er ist, sagt diese Quittung nicht" in found.result_de
    assert "whose it is this receipt does not show" in found.result_en
    assert "Die Behörde hat 0 abgerufen" in found.result_de


def test_receipt_without_replies_does_not_ask() -> None:
    found = step(Sample())
    assert (found.checked, found.asked) == (True, False)


def test_reply_may_come_before_the_notice_is_retrieved_and_after_it_is_closed() -> None:
    step(Sample(plan=(*PLAN[:3], (E.CLOSED, 10.0), *PLAN[3:])))
    # A withdrawal afterwards takes nothing back, and the agency may still fetch it.
    step(Sample(plan=(*PLAN[:4], (E.WITHDRAWN, 70.0), PLAN[4])))


def _stated(**changes: Json) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        if event.type is not E.REPLIED:
            return event
        facts = {name: value for name, value in {**event.facts, **changes}.items() if value != ""}
        return replace(event, facts=facts)

    return change


def _bound(**changes: Json) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        return (
            replace(event, facts={**event.facts, **changes}) if event.type is E.KEY_BOUND else event
        )

    return change


def _bound_to(label: str) -> Callable[[Event], Event]:
    """The mailbox's key, rightly bound, is another than the one that replies are sealed to."""
    binding = KeyBinding(
        mailbox=MAILBOX,
        key=Sample().key,
        recipient_sha256=digest(label),
        acknowledgement_key=MAILBOX_KEY.verifier.public_key,
    )
    return _bound(**binding.facts(signature=MAILBOX_KEY.sign(binding.message())))


def _actor(actor: str) -> Callable[[Event], Event]:
    return lambda event: replace(event, actor=actor) if event.type is E.REPLIED else event


def _fetched(facts: dict[str, Json]) -> Callable[[Event], Event]:
    return lambda event: replace(event, facts=facts) if event.type is E.REPLY_FETCHED else event


KEY_BOUND = (E.KEY_BOUND, 86400.0)

#: One tampering each: expected code, and the sample; all else in it holds.
TAMPERED: dict[str, tuple[str, Sample]] = {
    "digest of the manifest": (
        "reply-signature",
        Sample(plan=PLAN, change_event=_stated(manifest_sha256="00" * 32)),
    ),
    "digest of the payload": (
        "reply-signature",
        Sample(plan=PLAN, change_event=_stated(payload_sha256="00" * 32)),
    ),
    "id of the reply": (
        "reply-signature",
        Sample(plan=PLAN[:4], change_event=_stated(reply=sample_id("other"))),
    ),
    "key that it is sealed to": (
        "reply-signature",
        Sample(plan=PLAN, change_event=_stated(recipient_sha256="00" * 32)),
    ),
    "time on the sender's device": (
        "reply-signature",
        Sample(plan=PLAN, change_event=_stated(replied_at="2026-11-22T09:30:00.000000Z")),
    ),
    "signature": (
        "reply-signature",
        Sample(plan=PLAN, change_event=_stated(signature="11" * 64)),
    ),
    "signed by a stranger in the mailbox's name": (
        "reply-key",
        Sample(plan=PLAN, reply_signer=STRANGER),
    ),
    "delegate's reply altered": (
        "reply-signature",
        Sample(plan=PLAN, mandate=MANDATE, change_event=_stated(payload_sha256="00" * 32)),
    ),
    "delegate's signature by another key than stated": (
        "reply-signature",
        Sample(
            plan=PLAN,
            mandate=MANDATE,
            reply_signer=STRANGER,
            change_event=_stated(acknowledgement_key=digest("another").hex()),
        ),
    ),
    "another mandate": (
        "reply-sender",
        Sample(plan=PLAN, mandate=MANDATE, change_event=_stated(mandate=sample_id("other"))),
    ),
    "delegate's reply as the citizen's own": (
        "reply-sender",
        Sample(plan=PLAN, mandate=MANDATE, change_event=_actor(f"mailbox:{MAILBOX}")),
    ),
    "key that was never bound": (
        "reply-key",
        Sample(plan=PLAN, change_event=_stated(key=KeyId(sample_id("other")))),
    ),
    "key retired before": (
        "reply-key",
        Sample(plan=PLAN, mailbox_plan=(KEY_BOUND, (E.KEY_RETIRED, 600.0))),
    ),
    "key bound with another acknowledgement key": (
        "reply-key",
        Sample(
            plan=PLAN,
            change_event=_bound(acknowledgement_key=STRANGER.verifier.public_key.hex()),
        ),
    ),
    "binding signed by a stranger": (
        "reply-key",
        Sample(plan=PLAN, binding_signer=STRANGER),
    ),
    "delegate's reply sealed to another key than the mailbox's": (
        "reply-copy",
        Sample(
            plan=PLAN,
            mandate=MANDATE,
            reply_signer=STRANGER,
            change_event=_bound_to("a key that was put in its place"),
        ),
    ),
    "delegate's reply sealed to a key that was retired before": (
        "reply-copy",
        Sample(
            plan=PLAN,
            mandate=MANDATE,
            reply_signer=STRANGER,
            mailbox_plan=(KEY_BOUND, (E.KEY_RETIRED, 600.0)),
        ),
    ),
    "delegate's reply sealed to a key that nobody vouched for": (
        "reply-copy",
        Sample(plan=PLAN, mandate=MANDATE, reply_signer=STRANGER, binding_signer=STRANGER),
    ),
    "no signature at all": (
        "reply-malformed",
        Sample(plan=PLAN, change_event=_stated(signature="")),
    ),
    "size that is none": ("reply-malformed", Sample(plan=PLAN, change_event=_stated(size=-1))),
    "fetched without saying what": (
        "reply-malformed",
        Sample(plan=PLAN, change_event=_fetched({})),
    ),
    "the same reply twice": ("reply-twice", Sample(plan=(*PLAN[:4], (E.REPLIED, 70.0)))),
    "reply to a withdrawn notice": (
        "reply-withdrawn",
        Sample(plan=(*PLAN[:3], (E.WITHDRAWN, 50.0), PLAN[3])),
    ),
    "fetched twice": ("reply-fetched", Sample(plan=(*PLAN, (E.REPLY_FETCHED, 95.0)))),
    "another reply fetched": (
        "reply-fetched",
        Sample(plan=PLAN, change_event=_fetched({"reply": sample_id("other")})),
    ),
    "fetched before any reply": ("order", Sample(plan=(*PLAN[:3], PLAN[4]))),
    "reply before the notice was provided": ("order", Sample(plan=(PLAN[0], PLAN[3]))),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_reply_fails_with_its_own_words(name: str) -> None:
    code, sample = TAMPERED[name]
    with pytest.raises(VerificationError) as caught:
        verify_receipt(write_receipt(sample.receipt()), write_trust(sample_trust()))
    assert caught.value.code == code, caught.value.reason
    assert caught.value.message_de == FAILURES[code][1].de


def test_every_way_to_fail_has_a_test() -> None:
    tested = {code for code, _ in TAMPERED.values()}
    assert {code for code, (number, _) in FAILURES.items() if number == 17} <= tested


def test_withheld_reply_is_not_called_checked() -> None:
    receipt = Sample(plan=PLAN).receipt()
    redacted = seal_redacted(redact(receipt, Redaction.TIMES_ONLY), ACCEPTANCE)
    found = verify_receipt(write_redacted(redacted), write_trust(sample_trust())).steps[16]
    assert (found.checked, found.asked) == (False, True)
    assert "Nicht geprüft: 2 geschwärzt." in found.result_de


def test_reply_without_addresses_is_shown_in_a_redacted_receipt() -> None:
    receipt = Sample(plan=PLAN).receipt()
    redacted = seal_redacted(redact(receipt, Redaction.WITHOUT_ADDRESSES), ACCEPTANCE)
    found = verify_receipt(write_redacted(redacted), write_trust(sample_trust())).steps[16]
    assert found.checked
    assert "1 vom Postfach" in found.result_de


def facts() -> dict[str, Json]:
    sample = Sample()
    return sample.facts(E.REPLIED, START)


def test_statement_is_read_as_it_is_written() -> None:
    signed = from_facts(facts(), notice=NOTICE, mailbox=MAILBOX, agency=AGENCY)
    assert signed.said.reply == REPLY
    signed.said.verify(signed.acknowledgement_key, signed.signature)
    message = signed.said.message()
    assert message.startswith(b"siegelpost/reply/v1\n{")
    assert parse_reply(message) == signed.said
    with pytest.raises(SignatureError):
        replace(signed.said, replied_at=START + timedelta(seconds=1)).verify(
            signed.acknowledgement_key, signed.signature
        )


@pytest.mark.parametrize(
    "change",
    [
        {"reply": None},
        {"reply": "a/b"},
        {"mandate": 7},
        {"mandate": "a b"},
        {"manifest_sha256": "ab"},
        {"recipient_sha256": None},
        {"mailbox_recipient_sha256": None},
        {"mailbox_recipient_sha256": "AB" * 32},
        {"replied_at": "yesterday"},
        {"more": "than there is"},
    ],
    ids=str,
)
def test_malformed_statement_is_refused(change: dict[str, Json]) -> None:
    signed = from_facts(facts(), notice=NOTICE, mailbox=MAILBOX, agency=AGENCY)
    value = json.loads(signed.said.message().removeprefix(PREFIX))
    with pytest.raises(FormatError):
        parse_reply(PREFIX + encode({**value, **change}))
    with pytest.raises(FormatError):
        parse_reply(b"siegelpost/acknowledgement/v1\n" + encode(value))


def test_event_of_a_reply_keeps_its_facts() -> None:
    (event,) = [e for e in Sample(plan=PLAN).notice_events() if e.type is E.REPLIED]
    again = parse_event(event.body())
    signed = from_facts(again.facts, notice=NOTICE, mailbox=MAILBOX, agency=AGENCY)
    assert (signed.size, signed.said.reply) == (4711, ReplyId(REPLY))
