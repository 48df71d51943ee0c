"""What reports do to alerts, whatever their order."""

from __future__ import annotations

from itertools import product

import pytest

from siegelpost.alerts.errors import OddTransition
from siegelpost.alerts.lifecycle import AlertState, Happening
from siegelpost.bounces.decision import decide
from siegelpost.evidence.events import EventType

DELIVERED, FAILED = Happening.DSN_DELIVERED, Happening.DSN_FAILED
SENT_EVENT, DELIVERED_EVENT = EventType.ALERT_SENT, EventType.ALERT_DELIVERED
FAILED_EVENT = EventType.ALERT_FAILED


def test_failure_after_delivery_undoes_nothing_and_asks_the_agency() -> None:
    decision = decide(AlertState.DELIVERED, FAILED, sent=True, delivered=True)
    assert (decision.to, decision.events) == (AlertState.DELIVERED, ())
    assert (decision.ask, decision.effect) == (True, "doubted")
    assert "undoes no delivery" in decision.reason


@pytest.mark.parametrize("state", [AlertState.DEFERRED, AlertState.GIVEN_UP, AlertState.FAILED])
@pytest.mark.parametrize("happening", [DELIVERED, FAILED])
def test_report_about_a_mail_that_nobody_took_moves_nothing(
    state: AlertState, happening: Happening
) -> None:
    decision = decide(state, happening, sent=False, delivered=False, answer_lost=False)
    assert (decision.to, decision.events, decision.effect) == (state, (), "none")
    assert "no system can report" in decision.reason


def test_delivery_after_a_lost_answer_shows_the_sending_first() -> None:
    for state in (AlertState.DEFERRED, AlertState.GIVEN_UP):
        decision = decide(state, DELIVERED, sent=False, delivered=False, answer_lost=True)
        assert decision.to is AlertState.DELIVERED
        assert decision.events == (SENT_EVENT, DELIVERED_EVENT)


def test_report_that_says_nothing_moves_nothing_in_any_state() -> None:
    for state in AlertState:
        decision = decide(state, None, sent=False, delivered=False)
        assert (decision.to, decision.events, decision.effect) == (state, (), "none")


@pytest.mark.parametrize(
    ("happening", "effect"),
    [(Happening.DSN_DELAYED, "delayed"), (Happening.DSN_RELAYED, "relayed")],
)
def test_news_from_on_the_way_is_recorded_once_and_only_of_a_mail_that_is_out(
    happening: Happening, effect: str
) -> None:
    first = decide(AlertState.ACCEPTED, happening, sent=True, delivered=False)
    assert (first.to, first.effect, first.final) == (AlertState.ACCEPTED, effect, False)
    again = decide(AlertState.ACCEPTED, happening, sent=True, delivered=False, reported=[effect])
    assert (again.events, again.effect) == ((), "none")
    for state in (AlertState.DELIVERED, AlertState.FAILED):
        assert decide(state, happening, sent=True, delivered=True).events == ()
    for state in (AlertState.DEFERRED, AlertState.GIVEN_UP, AlertState.FAILED):
        for lost in (True, False):
            late = decide(state, happening, sent=False, delivered=False, answer_lost=lost)
            assert (late.to, late.events) == (state, ())
    with pytest.raises(OddTransition):
        decide(AlertState.SUBMITTING, happening, sent=False, delivered=False)


def test_report_waits_while_a_worker_holds_the_alert() -> None:
    for happening in (DELIVERED, FAILED):
        with pytest.raises(OddTransition):
            decide(AlertState.SUBMITTING, happening, sent=False, delivered=False)


@pytest.mark.parametrize("start", [AlertState.ACCEPTED, AlertState.DEFERRED, AlertState.GIVEN_UP])
def test_no_order_of_reports_writes_an_event_twice(start: AlertState) -> None:
    for news in product((DELIVERED, FAILED, None), repeat=5):
        state, sent, delivered = start, start is AlertState.ACCEPTED, False
        events: list[EventType] = []
        for happening in news:
            decision = decide(state, happening, sent=sent, delivered=delivered, answer_lost=True)
            state = decision.to
            events += decision.events
            sent = sent or SENT_EVENT in decision.events
            delivered = delivered or DELIVERED_EVENT in decision.events
        assert len(events) == len(set(events)), news
        if DELIVERED_EVENT in events:
            assert sent, news
        if FAILED_EVENT in events and start is not AlertState.GIVEN_UP:
            assert state is AlertState.FAILED, news
