"""What servers' answers mean."""

from __future__ import annotations

import pytest

from siegelpost.alerts.verdict import (
    Reason,
    Step,
    Verdict,
    address_at_fault,
    enhanced_status,
    queue_id,
    verdict_of,
)

ENVELOPE = [Step.MAIL, Step.RCPT, Step.DATA, Step.BODY]
BEFORE = [Step.GREETING, Step.EHLO, Step.STARTTLS, Step.AUTH]


@pytest.mark.parametrize("step", ENVELOPE)
def test_refusal_of_the_mail_is_final(step: Step) -> None:
    assert verdict_of(step, 554) == (Verdict.FAILED, Reason.REFUSED)


@pytest.mark.parametrize("step", BEFORE)
@pytest.mark.parametrize("code", [421, 554])
def test_server_that_refuses_us_says_nothing_about_the_citizen(step: Step, code: int) -> None:
    assert verdict_of(step, code)[0] is Verdict.DEFERRED


@pytest.mark.parametrize("step", [*ENVELOPE, *BEFORE])
def test_transient_reply_waits(step: Step) -> None:
    assert verdict_of(step, 451)[0] is Verdict.DEFERRED


def test_strange_reply_to_the_final_dot_may_mean_taken() -> None:
    assert verdict_of(Step.BODY, -1) == (Verdict.DEFERRED, Reason.ANSWER_LOST)
    assert verdict_of(Step.BODY, 354) == (Verdict.DEFERRED, Reason.ANSWER_LOST)
    assert verdict_of(Step.BODY, 251) == (Verdict.ACCEPTED, Reason.TAKEN)
    assert verdict_of(Step.MAIL, -1) == (Verdict.DEFERRED, Reason.UNINTELLIGIBLE)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2.0.0 Ok: queued as 4TxQb03Yz8z1J", "4TxQb03Yz8z1J"),
        ("OK id=1tEexa-000000-2B", "1tEexa-000000-2B"),
        ("2.0.0 4AMBe0ZJ012345 Message accepted for delivery", "4AMBe0ZJ012345"),
        ("2.6.0 <x@y> [InternalId=12345, Hostname=EX1] Queued mail for delivery", "12345"),
        ("ok 1699999999 qp 4711", "4711"),
        ("OK", None),
        ("2.0.0 Thank you", None),
    ],
)
def test_queue_ids_of_well_known_servers(words: str, expected: str | None) -> None:
    assert queue_id(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("5.1.1 unknown", "5.1.1"),
        ("4.7.0", "4.7.0"),
        ("5.1.1unknown", None),
        ("unknown 5.1.1", None),
        ("3.1.1 what", None),
    ],
)
def test_enhanced_status_stands_at_the_start(words: str, expected: str | None) -> None:
    assert enhanced_status(words) == expected


@pytest.mark.parametrize(
    ("step", "code", "status", "expected"),
    [
        (Step.RCPT, 550, "5.1.1", True),
        (Step.RCPT, 550, None, True),
        (Step.RCPT, 550, "5.2.1", True),
        (Step.RCPT, 554, "5.7.1", False),  # relaying denied: our server about us
        (Step.RCPT, 552, "5.2.2", False),  # a full mailbox can be emptied
        (Step.RCPT, 554, None, False),
        (Step.RCPT, 450, "4.1.1", False),
        (Step.MAIL, 550, "5.1.8", False),  # about our own sender
        (Step.BODY, 550, "5.1.1", False),
        (Step.RCPT, None, None, False),
    ],
)
def test_address_is_given_up_only_on_word_about_the_address(
    step: Step, code: int | None, status: str | None, expected: bool
) -> None:
    assert address_at_fault(step, code, status) is expected
