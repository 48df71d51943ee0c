"""The computed deadline in a receipt: step 15 says that it is no evidence, and what it checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.explanations import FAILURES
from siegelpost.evidence.receipt import Receipt, write_receipt
from siegelpost.evidence.seal import seal_receipt
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import write_trust
from siegelpost.evidence.verify import Step, verify_receipt
from tests.support.receipts import ACCEPTANCE, Sample, sample_trust


def computed(receipt: Receipt) -> dict[str, Any]:
    """What the service puts in, shortened."""
    sent = parse_event(receipt.events[2].body)
    return {
        "computed_at": format_time(receipt.made_at),
        "state": "expected",
        "deemed": "2026-11-27",
        "rule": "sgb10-37-2a/A7",
        "reasons": [
            {"de": "…", "used": [{"fact": "alert_sent", "at": None, "event": sent.id}]},
            {"de": "…", "used": [{"fact": "alert_failed", "at": None, "event": None}]},
        ],
        "events": [sent.id],
    }


def with_deadline(change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    receipt = Sample().receipt()
    deadline = computed(receipt)
    change(deadline)
    return write_receipt(seal_receipt(replace(receipt, deadline=deadline), ACCEPTANCE))


def last_step(data: bytes) -> Step:
    return verify_receipt(data, write_trust(sample_trust())).steps[14]


def test_deadline_is_called_a_computation_and_no_evidence() -> None:
    step = last_step(with_deadline())
    assert (step.number, step.name, step.checked) == (15, "deadline", True)
    assert "kein Beweis" in step.title_de + step.result_de
    assert "no evidence" in step.title_en + step.result_en
    assert "Fr, 27.11.2026" in step.result_de
    assert "sgb10-37-2a/A7" in step.result_de


def test_receipt_without_deadline_holds_and_says_so() -> None:
    step = last_step(write_receipt(Sample().receipt()))
    assert not step.checked
    assert "Keine Fristberechnung" in step.result_de


def test_notice_that_is_not_served_has_no_day() -> None:
    step = last_step(with_deadline(lambda deadline: deadline.update(deemed=None)))
    assert "kein Tag" in step.result_de


_STRANGE = "019a2b3c-4d5e-7f60-8123-456789abcdef"
TAMPERED: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "event that is not shown": ("deadline-event", lambda d: d["events"].append(_STRANGE)),
    "reason on an event that is not shown": (
        "deadline-event",
        lambda d: d["reasons"][0]["used"][0].update(event=_STRANGE),
    ),
    "result of another time": (
        "deadline-time",
        lambda d: d.update(computed_at="2026-01-01T00:00:00.000000Z"),
    ),
    "no reasons": ("deadline-malformed", lambda d: d.pop("reasons")),
    "day that rests on nothing": (
        "deadline-groundless",
        lambda d: d.update(events=[], reasons=[]),
    ),
    "no rule": ("deadline-malformed", lambda d: d.update(rule=7)),
    "events that are no texts": ("deadline-malformed", lambda d: d.update(events=[1])),
}


@pytest.mark.parametrize("tampering", TAMPERED)
def test_deadline_that_was_put_in_later_is_refused(tampering: str) -> None:
    code, change = TAMPERED[tampering]
    with pytest.raises(VerificationError) as refused:
        last_step(with_deadline(change))
    assert (refused.value.code, refused.value.step) == (code, 15)


def test_every_failure_of_the_deadline_has_a_test() -> None:
    tested = {code for code, _ in TAMPERED.values()}
    assert tested == {code for code, (step, _) in FAILURES.items() if step == 15}
