"""What would change the result: asked for the row that matched, answered by the rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from siegelpost.deadlines import Dated, Facts, Regime, Remedy, Stated, WhatIf, evaluate
from siegelpost.deadlines.periods import objection_end, objection_period

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SERVED = Facts(
    regime=Regime.SGB10_37_2A,
    now=MONDAY + timedelta(days=10),
    consent_given=Dated(at=MONDAY - timedelta(days=9)),
    provided=Dated(at=MONDAY),
    alert_sent=Dated(at=MONDAY),
)


def _answers(facts: Facts) -> dict[str, WhatIf]:
    return {answer.en: answer for answer in evaluate(facts).what_if}


def test_denial_would_undo_the_fiction() -> None:
    answer = _answers(SERVED)["if the citizen denies receipt of the alert and it cannot be proven"]
    assert (answer.rule, answer.deemed, answer.end) == ("sgb10-37-2a/A5", None, None)
    assert answer.de.startswith("Wenn der Zugang der Benachrichtigung bestritten wird")


def test_wrong_instruction_would_give_a_year() -> None:
    answer = _answers(SERVED)["if the instruction on remedies is wrong"]
    assert answer.end == date(2027, 11, 29)
    assert "if the instruction on remedies is wrong" not in _answers(
        replace(SERVED, remedy=Remedy.WRONG)
    )


def test_opening_now_would_serve_a_denied_notice_today() -> None:
    answer = _answers(replace(SERVED, disputed=Stated()))["if the notice is retrieved now"]
    assert answer.deemed == date(2026, 12, 3)


def test_open_window_says_what_retrieval_would_do() -> None:
    window = replace(SERVED, regime=Regime.VWVFG_41_2A, now=MONDAY + timedelta(days=2))
    answer = _answers(window)["if the notice is retrieved now"]
    assert answer.deemed == date(2026, 11, 26)


def test_answers_are_what_the_clock_says_for_the_changed_facts() -> None:
    answer = _answers(SERVED)["if the alert still bounces"]
    changed = evaluate(replace(SERVED, alert_failed=Stated()))
    assert (answer.rule, answer.deemed, answer.end) == (changed.rule, changed.deemed, changed.end)


def test_short_way_to_the_end_is_the_long_one() -> None:
    for regime in Regime:
        for remedy in Remedy:
            for abroad in (False, True):
                facts = replace(SERVED, regime=regime, remedy=remedy, abroad=abroad)
                for day in (date(2026, 11, 27), date(2027, 1, 31), date(2028, 2, 29)):
                    assert objection_end(facts, day) == objection_period(facts, day).end
