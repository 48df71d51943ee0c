"""The table of transitions: complete, reachable, odd ones explained."""

from __future__ import annotations

import pytest

from siegelpost.alerts.errors import OddTransition
from siegelpost.alerts.lifecycle import FINISHED, TRANSITIONS, AlertState, Happening, step
from siegelpost.evidence.events import EventType


def test_every_state_is_reached_from_queued() -> None:
    reached = {AlertState.QUEUED}
    for _ in AlertState:
        reached |= {move.to for (state, _), move in TRANSITIONS.items() if state in reached}
    assert reached == set(AlertState)


def test_only_a_worker_that_holds_the_lease_ends_a_submission() -> None:
    ends = {Happening.TAKEN, Happening.PUT_OFF, Happening.REFUSED, Happening.OUT_OF_TIME}
    assert {state for state, what in TRANSITIONS if what in ends} == {AlertState.SUBMITTING}


def test_each_way_out_of_submitting_writes_one_outcome_event_or_waits() -> None:
    events = {
        what: move.event
        for (state, what), move in TRANSITIONS.items()
        if state is AlertState.SUBMITTING and what is not Happening.CLAIMED
    }
    assert events == {
        Happening.TAKEN: EventType.ALERT_SENT,
        Happening.PUT_OFF: None,
        Happening.REFUSED: EventType.ALERT_FAILED,
        Happening.OUT_OF_TIME: EventType.ALERT_FAILED,
    }


def test_second_notification_of_the_same_news_writes_nothing() -> None:
    delivered = step(AlertState.DELIVERED, Happening.DSN_DELIVERED)
    failed = step(AlertState.FAILED, Happening.DSN_FAILED)
    assert delivered.event is failed.event is None


def test_late_failure_after_delivery_is_for_the_agency_to_judge() -> None:
    late = step(AlertState.DELIVERED, Happening.DSN_FAILED)
    assert (late.to, late.event, late.ask) == (AlertState.DELIVERED, None, True)


def test_steps_that_stay_or_come_back_say_why() -> None:
    for (state, _), move in TRANSITIONS.items():
        if move.to is state or (state in FINISHED and state is not AlertState.ACCEPTED):
            assert move.reason


def test_finished_alert_is_never_claimed_again() -> None:
    for state in FINISHED:
        with pytest.raises(OddTransition):
            step(state, Happening.CLAIMED)


def test_bounce_waits_while_a_worker_holds_the_lease() -> None:
    with pytest.raises(OddTransition):
        step(AlertState.SUBMITTING, Happening.DSN_FAILED)
