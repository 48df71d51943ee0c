"""What the clock takes in: aware times only, and nothing from the future."""

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_type_hints

import pytest

from siegelpost.deadlines import (
    Advice,
    Dated,
    EventId,
    Facts,
    FactsError,
    Place,
    Regime,
    State,
    Stated,
    evaluate,
    evidence_needed_until,
)
from siegelpost.deadlines.facts import TIMED
from siegelpost.deadlines.labels import FACTS_DE

NOON = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
NAIVE = datetime(2026, 9, 1, 10, 0)  # noqa: DTZ001 - what must be refused


def _served(**changes: object) -> Facts:
    facts: dict[str, object] = {
        "regime": Regime.SGB10_37_2A,
        "now": NOON + timedelta(days=60),
        "consent_given": Dated(at=NOON - timedelta(days=99), event_id=EventId("ev-consent")),
        "provided": Dated(at=NOON, event_id=EventId("ev-provided")),
        "alert_sent": Dated(at=NOON + timedelta(minutes=1), event_id=EventId("ev-alert")),
    }
    return Facts(**(facts | changes))  # type: ignore[arg-type] # one dict for many field types


def test_naive_times_are_refused_everywhere() -> None:
    for refused in (
        lambda: Dated(at=NAIVE),
        lambda: Stated(at=NAIVE),
        lambda: Facts(regime=Regime.OZG_9, now=NAIVE),
    ):
        with pytest.raises(FactsError, match="time zone"):
            refused()


def test_other_zones_become_utc() -> None:
    there = datetime(2026, 9, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert Dated(at=there).at.tzinfo is UTC
    assert Dated(at=there).at == NOON


def test_facts_are_frozen_and_every_timed_field_is_known() -> None:
    with pytest.raises(FrozenInstanceError):
        _served().place = Place("DE-BE")  # type: ignore[misc] # the point of the test
    kinds = get_type_hints(Facts)
    assert set(TIMED) == {
        name for name, kind in kinds.items() if kind in (Dated | None, Stated | None)
    }


def test_every_fact_has_a_german_name() -> None:
    assert set(FACTS_DE) == set(TIMED)


def test_steps_name_the_events_they_rest_on() -> None:
    result = evaluate(_served())
    named = {used.event_id for step in result.reasons for used in step.used}
    assert {"ev-consent", "ev-provided", "ev-alert"} <= named
    assert all(step.de and step.en for step in result.reasons)
    assert result.legal_basis[0] == "§ 37 Abs. 2a Satz 4 SGB X"
    assert "2026-11" in result.rule_set


def test_facts_after_now_are_left_out_and_named() -> None:
    bounced = Stated(at=NOON + timedelta(days=5))
    before = evaluate(_served(alert_failed=bounced, now=NOON + timedelta(days=4, hours=23)))
    after = evaluate(_served(alert_failed=bounced, now=NOON + timedelta(days=5)))
    assert before.deemed == date(2026, 9, 5)
    assert "Benachrichtigung gescheitert" in before.reasons[-1].de
    assert after.deemed is None
    assert after.rule == "sgb10-37-2a/A4"


def test_future_deemed_day_is_expected_then_served() -> None:
    day_three = evaluate(_served(now=NOON + timedelta(days=3)))
    day_four = evaluate(_served(now=NOON + timedelta(days=4)))
    assert (day_three.state, day_four.state) == (State.EXPECTED, State.SERVED)
    assert day_three.deemed == day_four.deemed == date(2026, 9, 5)


def test_result_is_provisional_until_the_period_is_over() -> None:
    last = evaluate(_served(now=datetime(2026, 10, 5, 21, 59, tzinfo=UTC)))
    over = evaluate(_served(now=datetime(2026, 10, 5, 22, 0, tzinfo=UTC)))
    assert last.end == over.end == date(2026, 10, 5)
    assert (last.provisional, over.provisional) == (True, False)


def test_same_instant_is_not_before_the_providing() -> None:
    assert evaluate(_served(alert_sent=Dated(at=NOON))).rule == "sgb10-37-2a/A7"
    earlier = Dated(at=NOON - timedelta(microseconds=1))
    assert evaluate(_served(alert_sent=earlier)).rule == "sgb10-37-2a/A3"


def test_later_revocation_leaves_the_notice_and_advises_a_paper_copy() -> None:
    result = evaluate(_served(consent_revoked=Dated(at=NOON + timedelta(days=2))))
    assert result.deemed == date(2026, 9, 5)
    assert result.advice == (Advice.PAPER_COPY,)


def test_consent_given_again_after_a_revocation_is_in_force() -> None:
    again = evaluate(_served(consent_revoked=Dated(at=NOON - timedelta(days=100))))
    assert again.rule == "sgb10-37-2a/A7"


def test_paper_sent_replaces_the_advice_to_send_paper() -> None:
    failed = _served(alert_failed=Stated(), disputed=Stated())
    assert Advice.SEND_PAPER in evaluate(failed).advice
    sent = _served(alert_failed=Stated(), paper_sent=Dated(at=NOON + timedelta(days=6)))
    assert Advice.SEND_PAPER not in evaluate(sent).advice
    assert Advice.PAPER_COUNTS in evaluate(sent).advice


def test_evidence_is_kept_for_two_years_and_always_under_review() -> None:
    kept = evidence_needed_until(date(2026, 11, 27), Place("DE-NW"))
    assert kept.keep_until == date(2028, 11, 29)
    assert [review.code for review in kept.review] == ["RETENTION"]
