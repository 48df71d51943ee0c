"""A mail server that is away is left in peace; a slow domain leaves slots for the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from siegelpost.alerts.breaker import Breaker
from siegelpost.alerts.domains import DomainSlots
from siegelpost.alerts.submission import Submission, not_submitted
from siegelpost.alerts.verdict import Reason, Step, Verdict

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REST = timedelta(seconds=30)


def ended(step: Step, reason: Reason = Reason.UNREACHABLE) -> Submission:
    return Submission(
        verdict=Verdict.DEFERRED,
        reason=reason,
        step=step,
        started_at=NOW,
        ended_at=NOW,
        address_at_fault=False,
        evidence={},
    )


def opened() -> Breaker:
    breaker = Breaker(failures=3, rest=REST, most=32)
    for _ in range(3):
        breaker.saw(ended(Step.CONNECT), NOW)
    return breaker


def test_server_that_fails_in_a_row_is_left_in_peace_then_tried_by_one() -> None:
    breaker = opened()
    assert breaker.allowed(NOW) == 0
    assert breaker.allowed(NOW + REST - timedelta(seconds=1)) == 0
    assert breaker.allowed(NOW + REST) == 1


def test_server_that_is_back_gets_all_again_and_one_that_is_not_rests_again() -> None:
    breaker, later = opened(), NOW + REST
    breaker.saw(ended(Step.GREETING), later)
    assert breaker.allowed(later) == 0
    breaker.saw(ended(Step.BODY, Reason.TAKEN), later + REST)
    assert breaker.allowed(later + REST) == 32


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.BODY])
def test_refused_mails_say_nothing_about_the_server(step: Step) -> None:
    breaker = Breaker(failures=3, rest=REST, most=32)
    for _ in range(10):
        breaker.saw(ended(step, Reason.REFUSED), NOW)
    assert breaker.allowed(NOW) == 32


def test_mails_that_never_left_count_neither_way() -> None:
    breaker = opened()
    breaker.saw(not_submitted(Verdict.FAILED, Reason.ADDRESS_UNUSABLE, NOW), NOW)
    assert breaker.allowed(NOW) == 0
    breaker = Breaker(failures=1, rest=REST, most=32)
    breaker.saw(not_submitted(Verdict.DEFERRED, Reason.BUSY, NOW), NOW)
    assert breaker.allowed(NOW) == 32


@pytest.mark.anyio
async def test_one_domain_has_so_many_slots_and_others_their_own() -> None:
    slots, at_once, most = DomainSlots(2), 0, 0

    async def mail(address: str) -> None:
        nonlocal at_once, most
        async with slots.slot(address):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.01)
            at_once -= 1

    await asyncio.gather(*(mail(f"user-{n}@Slow.example") for n in range(10)))
    assert most == 2
    most = 0
    await asyncio.gather(*(mail(f"user-{n}@{n}.example") for n in range(10)))
    assert most == 10
