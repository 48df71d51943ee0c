"""The table of a notice's life is whole, and says what may not happen."""

from __future__ import annotations

import pytest

from siegelpost.notices.errors import StepRefused
from siegelpost.notices.state import TRANSITIONS, NoticeState, Step, move


def test_every_state_answers_every_step() -> None:
    assert set(TRANSITIONS) == {(state, step) for state in NoticeState for step in Step}


def test_first_retrieval_is_evidence_and_later_ones_are_not() -> None:
    assert move("provided", Step.RETRIEVE).recorded
    assert not move("retrieved", Step.RETRIEVE).recorded
    assert move("acknowledged", Step.RETRIEVE).to is NoticeState.ACKNOWLEDGED


@pytest.mark.parametrize("state", ["provided", "withdrawn", "closed"])
def test_nobody_acknowledges_what_was_not_retrieved_or_is_over(state: str) -> None:
    with pytest.raises(StepRefused):
        move(state, Step.ACKNOWLEDGE)


@pytest.mark.parametrize("state", ["retrieved", "acknowledged"])
def test_what_the_citizen_has_seen_cannot_be_withdrawn(state: str) -> None:
    with pytest.raises(StepRefused):
        move(state, Step.WITHDRAW)
