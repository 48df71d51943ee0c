"""Table C: notices to be retrieved, § 41(2a) VwVfG.

Here the retrieval serves, not the alert: the notice counts as served on the day after it was
retrieved, and the providing ends if nobody retrieves it within ten days after the alert was
sent. A window that is still open is neither served nor not served.
"""

from datetime import date

from siegelpost.deadlines.calendar import (
    add_days,
    english,
    german,
    is_working_day,
    name_holiday,
    roll,
)
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.result import Advice, Finding, RuleId
from siegelpost.deadlines.rules.common import Case, lacks_consent, step, weak_login

_WINDOW_DAYS = 10


def decide(case: Case) -> Finding:
    """The first row of table C that matches."""
    return (
        lacks_consent(case, RuleId("vwvfg-41-2a/C1"), "§ 41 Abs. 2a VwVfG")
        or _c2_no_window(case)
        or _within_window(case)
    )


def _c2_no_window(case: Case) -> Finding | None:
    facts = case.facts
    if (
        facts.alert_sent is not None
        and facts.provided is not None
        and facts.alert_sent.at >= facts.provided.at
    ):
        return None
    no_window = step(
        facts,
        Mark.COMMENTARY,
        "Eine Benachrichtigung nach der Bereitstellung ist nicht belegt; die Frist von zehn Tagen "
        "beginnt nicht.",
        "No alert after the providing is documented; the ten days do not start.",
        "alert_sent",
        "provided",
    )
    if case.retrieved is None:
        return Finding(
            rule=RuleId("vwvfg-41-2a/C2"),
            deemed=None,
            steps=(no_window,),
            advice=(Advice.SEND_PAPER,),
        )
    finding = _day_after(case, case.retrieved, "C2", (REVIEWS["RETRIEVED-WITHOUT-WINDOW"],))
    return Finding(
        rule=finding.rule,
        deemed=finding.deemed,
        steps=(no_window, *finding.steps),
        reviews=finding.reviews,
    )


def _within_window(case: Case) -> Finding:
    assert case.alerted is not None
    facts = case.facts
    tenth = add_days(case.alerted, _WINDOW_DAYS)
    last = roll(tenth, facts.place)
    if case.retrieved is not None and case.retrieved <= tenth:
        return _day_after(case, case.retrieved, "C3", ())
    if case.retrieved is not None and case.retrieved <= last:
        return _day_after(case, case.retrieved, "C4", (REVIEWS["C-DAY-TEN"],))
    day_ten = step(
        facts,
        Mark.VERIFIED,
        f"Benachrichtigt am {german(case.alerted)}; der zehnte Tag ist {german(tenth)}"
        + (
            "."
            if last == tenth
            else f" ({name_holiday(tenth, facts.place)}), offen bis {german(last)}."
        ),
        f"Alerted {english(case.alerted)}; day ten is {english(tenth)}"
        + ("." if last == tenth else f", kept open to {english(last)}."),
        "alert_sent",
    )
    if case.today <= last:
        return Finding(
            rule=RuleId("vwvfg-41-2a/C5"),
            deemed=None,
            steps=(
                day_ten,
                step(
                    facts,
                    Mark.VERIFIED,
                    "Der Bescheid ist noch nicht abgerufen und kann noch abgerufen werden.",
                    "The notice has not been retrieved and still can be.",
                    "retrieved",
                ),
            ),
            reviews=(REVIEWS["C-DAY-TEN"],) if case.today > tenth else (),
            advice=(Advice.WAIT,),
            open_until=last,
        )
    late = case.retrieved is not None
    return Finding(
        rule=RuleId("vwvfg-41-2a/C6"),
        deemed=None,
        steps=(
            day_ten,
            step(
                facts,
                Mark.VERIFIED,
                "Innerhalb der Frist ist kein Abruf belegt; die Bereitstellung wird beendet, der "
                "Bescheid ist nicht bekannt gegeben.",
                "No retrieval in time is documented; the providing ends and the notice is not "
                "served.",
                "retrieved",
            ),
        ),
        advice=(Advice.SEND_PAPER, Advice.NEW_PERIOD) if late else (Advice.SEND_PAPER,),
    )


def _day_after(case: Case, retrieved: date, row: str, reviews: tuple[Review, ...]) -> Finding:
    deemed = add_days(retrieved, 1)
    working = is_working_day(deemed, case.facts.place)
    return Finding(
        rule=RuleId(f"vwvfg-41-2a/{row}"),
        deemed=deemed,
        steps=(
            step(
                case.facts,
                Mark.VERIFIED if working else Mark.INFERENCE,
                f"Abgerufen am {german(retrieved)}; der Bescheid „gilt am Tag nach dem Abruf als "
                f"bekannt gegeben“: {german(deemed)}"
                + (
                    "."
                    if working
                    else f" ({name_holiday(deemed, case.facts.place)}), ohne Verschiebung."
                ),
                f"Retrieved {english(retrieved)}; counts as served on the day after: "
                f"{english(deemed)}.",
                "retrieved",
                "alert_sent",
            ),
        ),
        reviews=(*reviews, *(() if working else (REVIEWS["C-NO-SHIFT"],)), *weak_login(case)),
    )
