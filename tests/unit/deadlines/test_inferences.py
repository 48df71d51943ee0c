"""Every inference of the law file leads to a review flag; the case beside it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from siegelpost.deadlines import (
    Assurance,
    Benefit,
    Dated,
    Facts,
    Place,
    Regime,
    Remedy,
    Stated,
    evaluate,
    evidence_needed_until,
)
from siegelpost.deadlines.certainty import INFERENCES, OTHER_REASONS, REVIEWS, Mark

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YES = Stated()


def _at(days: float) -> Dated:
    return Dated(at=MONDAY + timedelta(days=days))


BASE: dict[str, Any] = {
    "regime": Regime.SGB10_37_2A,
    "now": MONDAY + timedelta(days=400),
    "consent_given": _at(-100),
    "provided": _at(0),
    "alert_sent": _at(0.1),
}
C: dict[str, Any] = {"regime": Regime.VWVFG_41_2A}
D: dict[str, Any] = {"regime": Regime.OZG_9}
E: dict[str, Any] = {"regime": Regime.AO_122A}
B: dict[str, Any] = {"regime": Regime.SGB10_37_2, "sent": _at(0), "access_opened": YES}
UNCERTAIN: dict[str, Any] = {
    "consent_given": Dated(at=datetime(2025, 1, 1, tzinfo=UTC)),
    "provided": Dated(at=datetime(2025, 9, 1, 9, tzinfo=UTC)),
    "alert_sent": Dated(at=datetime(2025, 9, 1, 10, tzinfo=UTC)),
}
#: code: what rests on the inference, and the nearest case that does not.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "S7-CHANGE": (
        UNCERTAIN | {"alert_received": Dated(at=datetime(2025, 9, 5, 9, tzinfo=UTC))},
        UNCERTAIN | {"alert_received": Dated(at=datetime(2025, 9, 6, 9, tzinfo=UTC))},
    ),
    "SGB2-PORTAL": (
        {"benefit": Benefit.SGB2, "ozg_portal": True},
        {"benefit": Benefit.ELTERNGELD, "ozg_portal": True},
    ),
    "REPLY-250": ({"disputed": YES, "alert_delivered": YES}, {"alert_delivered": YES}),
    "IDENTITY": (
        {"disputed": YES, "retrieved": _at(9), "assurance": Assurance.LOW},
        {"disputed": YES, "retrieved": _at(9), "assurance": Assurance.AGENCY_ACCOUNT},
    ),
    "A1-TIMING": ({"consent_revoked": _at(0.05)}, {"consent_revoked": _at(-0.05)}),
    "A3-CANDIDATE": (
        {"alert_sent": None, "retrieved": _at(3)},
        {"alert_sent": None},
    ),
    "A4-NO-DENIAL": ({"alert_failed": YES}, {"alert_failed": YES, "disputed": YES}),
    "A-EARLIER": (
        {"disputed": YES, "retrieved": _at(3)},
        {"disputed": YES, "retrieved": _at(4)},
    ),
    "C-NO-SHIFT": (C | {"retrieved": _at(4)}, C | {"retrieved": _at(3)}),
    "C-DAY-TEN": (
        C | {"provided": _at(2), "alert_sent": _at(2.1), "retrieved": _at(13)},
        C | {"provided": _at(2), "alert_sent": _at(2.1), "retrieved": _at(10)},
    ),
    "C-ABROAD": (C | {"retrieved": _at(3), "abroad": True}, C | {"retrieved": _at(3)}),
    "D-UNPROVEN": (D | {"provided": None, "retrieved": _at(3)}, D | {"provided": None}),
    "D-NO-SHIFT": (D | {"provided": _at(2), "alert_sent": _at(2)}, D),
    "D-ALERT": (D | {"alert_failed": YES}, D),
    "RETRIEVED-WITHOUT-CONSENT": (
        {"consent_given": None, "retrieved": _at(3)},
        {"consent_given": None},
    ),
    "RETRIEVED-WITHOUT-WINDOW": (
        C | {"alert_sent": None, "retrieved": _at(3)},
        C | {"alert_sent": None},
    ),
    "RETRIEVED-IN-DOUBT": (B | {"in_doubt": YES, "retrieved": _at(6)}, B | {"in_doubt": YES}),
    "ABROAD": ({"abroad": True}, {"abroad": True, "remedy": Remedy.MISSING}),
    "AO-ABROAD": (E | {"abroad": True}, E),
    "NO-REMEDY": ({"remedy": Remedy.NONE_POSSIBLE}, {"remedy": Remedy.WRONG}),
    "AO-ALERT": (E | {"alert_sent": None}, E),
    "AO-EXCLUDED": (E | {"excluded": _at(-1)}, E | {"excluded": _at(1)}),
    "AO-UNPROVEN": (E | {"provided": None, "retrieved": _at(3)}, E | {"provided": None}),
    "FORM": (D | {"schriftform": True}, D | {"schriftform": True, "qualified_signed": True}),
    "LOCAL-HOLIDAY": (
        {
            "place": Place("DE-BY"),
            "provided": Dated(at=datetime(2028, 7, 11, 9, tzinfo=UTC)),
            "alert_sent": Dated(at=datetime(2028, 7, 11, 9, tzinfo=UTC)),
            "now": datetime(2029, 1, 1, tzinfo=UTC),
        },
        {
            "place": Place("DE-BY"),
            "provided": Dated(at=datetime(2028, 7, 12, 9, tzinfo=UTC)),
            "alert_sent": Dated(at=datetime(2028, 7, 12, 9, tzinfo=UTC)),
            "now": datetime(2029, 1, 1, tzinfo=UTC),
        },
    ),
    "CONTRADICTION": ({"retrieved": _at(-1)}, {"retrieved": _at(1)}),
}


def _codes(changes: dict[str, Any]) -> set[str]:
    return {review.code for review in evaluate(Facts(**(BASE | changes))).review}


@pytest.mark.parametrize("code", [code for code in REVIEWS if code != "RETENTION"])
def test_result_that_rests_on_it_is_flagged_and_the_neighbour_is_not(code: str) -> None:
    resting, beside = CASES[code]
    assert code in _codes(resting)
    assert code not in _codes(beside)


def test_retention_is_an_inference_too() -> None:
    kept = evidence_needed_until(MONDAY.date(), Place("DE-NW"))
    assert INFERENCES["RETENTION"] in kept.review


def test_the_table_holds_the_fifteen_inferences_of_the_law_file() -> None:
    assert len(INFERENCES) == 15
    assert not set(INFERENCES) & set(OTHER_REASONS)
    assert all(review.de and review.en and review.source for review in REVIEWS.values())


def test_normal_case_needs_no_review() -> None:
    assert evaluate(Facts(**BASE)).review == ()


@pytest.mark.parametrize("code", CASES)
def test_no_step_marked_as_inference_goes_unflagged(code: str) -> None:
    for changes in CASES[code]:
        result = evaluate(Facts(**(BASE | changes)))
        if any(step.mark is Mark.INFERENCE for step in result.reasons):
            assert result.review, changes


def test_open_window_that_rests_on_day_ten_is_flagged() -> None:
    alerted = {"provided": _at(2), "alert_sent": _at(2.1)}
    saturday = {"now": MONDAY + timedelta(days=12), **C, **alerted}
    sunday = {"now": MONDAY + timedelta(days=13), **C, **alerted}
    assert _codes(saturday) == set()
    assert _codes(sunday) == {"C-DAY-TEN"}
