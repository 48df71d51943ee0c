"""The days on which the statutes change, to the day."""

from datetime import date

import pytest

from siegelpost.deadlines.examples import evaluate_example


def _four_days_late(alerted: str) -> tuple[str, bool]:
    line = evaluate_example(
        {
            "regime": "sgb10-37-2a",
            "provided": f"{alerted}T09:00",
            "alert_sent": f"{alerted}T10:00",
            "late_days": 4,
        }
    )
    return line["rule"].removeprefix("sgb10-37-2a/"), line["review"]


@pytest.mark.parametrize(
    ("alerted", "rule", "review"),
    [
        ("2024-06-03", "A6", False),
        ("2025-04-02", "A6", False),
        ("2025-04-03", "A6", True),
        ("2025-12-31", "A6", True),
        ("2026-01-01", "A7", True),
        ("2026-03-03", "A7", True),
        ("2026-03-04", "A7", False),
    ],
)
def test_sentence_7_is_sure_only_where_its_text_was_read(
    alerted: str, rule: str, review: bool
) -> None:
    assert _four_days_late(alerted) == (rule, review)


@pytest.mark.parametrize(
    ("regime", "start"),
    [
        ("sgb10-37-2a", "alert_sent"),
        ("sgb10-37-2", "sent"),
        ("ozg-9", "provided"),
    ],
)
def test_third_day_until_2024_and_fourth_from_2025(regime: str, start: str) -> None:
    old = evaluate_example({"regime": regime, start: "2024-12-31T23:59"})
    new = evaluate_example({"regime": regime, start: "2025-01-01T00:00"})
    assert date.fromisoformat(old["deemed"]) == date(2025, 1, 3)
    assert date.fromisoformat(new["deemed"]) == date(2025, 1, 5)


def test_tax_notices_follow_the_day_of_issue_not_of_providing() -> None:
    times = {"provided": "2026-01-05T09:00", "alert_sent": "2026-01-08T09:00"}
    old = evaluate_example({"regime": "ao-122a", "issued": "2025-12-31", **times})
    new = evaluate_example({"regime": "ao-122a", "issued": "2026-01-01", **times})
    assert (old["rule"], old["deemed"]) == ("ao-122a/E-A7", "2026-01-12")
    assert (new["rule"], new["deemed"]) == ("ao-122a/E3", "2026-01-09")
