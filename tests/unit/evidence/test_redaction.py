"""Redacted receipts: they verify, they tell no address, and what they state is under the seal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from siegelpost.evidence.blackening import BLACK, blackened, redact
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.receipt import Receipt, parse_receipt, write_receipt
from siegelpost.evidence.redacted import (
    RedactedReceipt,
    Redaction,
    WithheldEvent,
    parse_any,
    write_redacted,
)
from siegelpost.evidence.seal import seal_receipt, seal_redacted
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import write_trust
from siegelpost.evidence.verify import verify_receipt
from tests.support.receipts import (
    ACCEPTANCE,
    DOCUMENTS,
    START,
    STRANGER,
    Sample,
    digest,
    sample_trust,
)

LEVELS = [Redaction.WITHOUT_ADDRESSES, Redaction.TIMES_ONLY]
TRUST = write_trust(sample_trust())
ADDRESS = "Alice.Beispiel@post.beispiel.example"
FACTS: dict[str, Json] = {
    "address": ADDRESS,
    "submission": {
        "words": f"250 2.1.5 <{ADDRESS.lower()}> ok, box alice.beispiel, queued",
        "lines": [{"said": f"RCPT TO:<{ADDRESS}>"}],
        "server": {"name": "mx.post.beispiel.example", "address": "192.0.2.7"},
    },
}


def with_addresses() -> Receipt:
    def change(event: Event) -> Event:
        return replace(event, facts=FACTS) if event.type is EventType.ALERT_SENT else event

    receipt = Sample(change_event=change).receipt()
    deadline = {
        "computed_at": format_time(receipt.made_at),
        "rule": "sgb10-37-2a/A7",
        "deemed": "2026-11-26",
        "reasons": [{"de": "vier Tage", "used": []}],
        "events": [json.loads(receipt.events[2].body)["id"]],
    }
    return seal_receipt(replace(receipt, deadline=deadline), ACCEPTANCE)


def redacted(level: Redaction) -> RedactedReceipt:
    return seal_redacted(redact(with_addresses(), level), ACCEPTANCE)


@pytest.mark.parametrize("level", LEVELS)
def test_redacted_receipt_verifies_and_holds_no_address(level: Redaction) -> None:
    data = write_redacted(redacted(level))
    verification = verify_receipt(data, TRUST)
    assert [step.number for step in verification.steps] == list(range(1, 18))
    assert verification.redaction is level
    text = data.decode().lower()
    for part in ("alice", "beispiel@", "post.beispiel", "192.0.2.7"):
        assert part not in text
    assert parse_any(data) == redacted(level)


def test_without_addresses_keeps_what_the_mail_server_said() -> None:
    receipt = redacted(Redaction.WITHOUT_ADDRESSES)
    hidden, _ = [event for event in receipt.events if isinstance(event, WithheldEvent)]
    assert hidden.type is EventType.ALERT_SENT
    assert hidden.facts is not None
    assert hidden.facts["submission"] == {
        "words": f"250 2.1.5 <{BLACK}> ok, box {BLACK}, queued",
        "lines": [{"said": f"RCPT TO:<{BLACK}>"}],
        "server": {"name": f"mx.{BLACK}", "address": BLACK},
    }
    verification = verify_receipt(write_redacted(receipt), TRUST, documents=DOCUMENTS)
    assert "gültig" in verification.steps[10].result_de
    assert "2 davon ist der Inhalt geschwärzt" in verification.steps[4].result_de


def test_times_only_gives_each_event_its_time_and_nothing_else() -> None:
    receipt = redacted(Redaction.TIMES_ONLY)
    assert all(isinstance(event, WithheldEvent) and event.facts is None for event in receipt.events)
    verification = verify_receipt(write_redacted(receipt), TRUST)
    assert [item.event.type for item in verification.events] == [kind for kind, _ in Sample().plan]
    assert not verification.steps[10].checked
    assert verification.receipt.deadline is not None
    assert verification.receipt.deadline["deemed"] == "2026-11-26"
    with pytest.raises(VerificationError) as caught:
        verify_receipt(write_redacted(receipt), TRUST, documents=DOCUMENTS)
    assert caught.value.code == "document-no-salt"


def test_redacted_receipt_names_the_whole_one() -> None:
    whole = with_addresses()
    parsed = parse_any(write_redacted(redacted(Redaction.TIMES_ONLY)))
    assert isinstance(parsed, RedactedReceipt)
    assert whole.seal is not None
    assert json.loads(whole.seal.splitlines()[0])["receipt_sha256"] == parsed.whole.hex()
    assert parse_receipt(write_receipt(whole)) == whole


def _event(number: int, **changes: Any) -> Callable[[RedactedReceipt], RedactedReceipt]:
    def change(receipt: RedactedReceipt) -> RedactedReceipt:
        events = list(receipt.events)
        events[number] = replace(events[number], **changes)
        return replace(receipt, events=tuple(events))

    return change


def _same_id(receipt: RedactedReceipt) -> RedactedReceipt:
    third = receipt.events[3]
    assert isinstance(third, WithheldEvent)
    return _event(4, id=third.id)(receipt)


def _without(number: int) -> Callable[[RedactedReceipt], RedactedReceipt]:
    return lambda receipt: replace(
        receipt, events=receipt.events[:number] + receipt.events[number + 1 :]
    )


def _sealed(
    change: Callable[[RedactedReceipt], RedactedReceipt],
) -> Callable[[RedactedReceipt], RedactedReceipt]:
    """The service itself seals the changed receipt: the log must still contradict it."""
    return lambda receipt: seal_redacted(change(receipt), ACCEPTANCE)


#: Name → (code, level, change).
TAMPERED: dict[str, tuple[str, Redaction, Callable[[RedactedReceipt], RedactedReceipt]]] = {
    "stated time of a withheld alert": (
        "seal-differs",
        LEVELS[0],
        _event(2, time_at=START + timedelta(seconds=1)),
    ),
    "stated facts of a withheld alert": ("seal-differs", LEVELS[0], _event(2, facts={})),
    "type of a withheld event": ("seal-differs", LEVELS[1], _event(3, type=EventType.PAPER_SENT)),
    "withheld event exchanged for another": (
        "event-not-in-log",
        LEVELS[0],
        _sealed(_event(2, commitment=digest("other"))),
    ),
    "withheld event left out before a shown one": ("chain-gap", LEVELS[0], _sealed(_without(3))),
    "withheld event left out at the end": ("seal-differs", LEVELS[1], _without(5)),
    "withheld submission left out": (
        "chain-start",
        LEVELS[1],
        _sealed(_without(0)),
    ),
    "withheld event twice": ("event-twice", LEVELS[1], _sealed(_same_id)),
    "times run backwards": (
        "made-before-events",
        LEVELS[1],
        _sealed(_event(5, time_at=Sample().made_at.replace(year=2027))),
    ),
    "sealed by a stranger": (
        "seal-signature",
        LEVELS[0],
        lambda receipt: seal_redacted(receipt, STRANGER),
    ),
    "no seal": (
        "seal-missing",
        LEVELS[0],
        lambda receipt: replace(receipt, frame=replace(receipt.frame, seal=None)),
    ),
    "other whole receipt": (
        "seal-differs",
        LEVELS[0],
        lambda receipt: replace(receipt, whole=digest("other")),
    ),
    "level relabelled": (
        "seal-differs",
        LEVELS[0],
        lambda receipt: replace(receipt, level=Redaction.TIMES_ONLY),
    ),
    "seal of the whole receipt": (
        "seal-differs",
        LEVELS[0],
        lambda receipt: replace(receipt, frame=replace(receipt.frame, seal=with_addresses().seal)),
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_redacted_receipt_is_refused(name: str) -> None:
    code, level, change = TAMPERED[name]
    with pytest.raises(VerificationError) as caught:
        verify_receipt(write_redacted(change(redacted(level))), TRUST)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "value",
    [
        {"address": "a@b.example", "x": "to A@B.Example!"},
        {"y": ["mailto:c@d.example", {"c@d.example": 1}]},
        {"recipient": "rfc822; nobody", "report": {"original_recipient": "x"}},
    ],
)
def test_blackening_leaves_no_address(value: dict[str, Any]) -> None:
    text = json.dumps(blackened(value)).lower()
    assert "@" not in text
    assert "nobody" not in text


def test_a_full_receipt_is_no_redaction() -> None:
    with pytest.raises(ValueError, match="withholds nothing"):
        redact(with_addresses(), Redaction.FULL)
