"""Table E: tax notices to be retrieved, § 122a AO.

Recast for notices issued from 1 January 2026: the clock starts with the providing. Notices
issued until 2025 follow the rows of table A. Under both, the deemed day shifts to the next
working day (BFH 14.10.2003, IX R 68/98). Where the day of issue is unknown, the day of the
providing, else of the alert, else of the question stands in for it.
"""

from datetime import date

from siegelpost.deadlines.calendar import (
    add_days,
    day,
    english,
    german,
    name_holiday,
    roll,
)
from siegelpost.deadlines.certainty import REVIEWS, Mark
from siegelpost.deadlines.result import Advice, Finding, RuleId
from siegelpost.deadlines.rules.alert_law import AlertLaw
from siegelpost.deadlines.rules.alert_table import decide_by_alert
from siegelpost.deadlines.rules.common import Case, local_holiday, step, weak_login
from siegelpost.deadlines.versions import ao_recast, fiction_days


def issued_day(case: Case) -> date:
    """The day that decides between old and new law."""
    facts = case.facts
    if facts.issued is not None:
        return day(facts.issued.at)
    return case.provided or case.alerted or case.today


def decide(case: Case) -> Finding:
    """Table E: new law from 2026, else the rows of table A with a shifting day."""
    if not ao_recast(issued_day(case)):
        return decide_by_alert(case, _OLD)
    facts = case.facts
    if _excluded(case):
        return Finding(
            rule=RuleId("ao-122a/E2"),
            deemed=None,
            steps=(
                step(
                    facts,
                    Mark.MEMORY,
                    "Die Bekanntgabe durch Bereitstellung war vorher ausgeschlossen; der Bescheid "
                    "ist elektronisch nicht bekannt gegeben.",
                    "Serving by providing was ruled out before; not served electronically.",
                    "excluded",
                    "consent_revoked",
                    "provided",
                ),
            ),
            reviews=(REVIEWS["AO-EXCLUDED"],),
            advice=(Advice.SEND_PAPER,),
            trigger=case.provided,
        )
    if case.provided is None or facts.providing_unproven is not None:
        return _e1_unproven(case)
    return _e3_fiction(case)


def _old_deemed(case: Case, alerted: date) -> tuple[date, date]:
    counted = add_days(alerted, fiction_days(issued_day(case)))
    return roll(counted, case.facts.place), counted


_OLD = AlertLaw(
    prefix="ao-122a/E-", statute="§ 122a AO (Fassung bis 2025)", shifts=True, deemed=_old_deemed
)


def _excluded(case: Case) -> bool:
    facts = case.facts
    measured = facts.provided.at if facts.provided else facts.now
    excluded, revoked = facts.excluded, facts.consent_revoked
    if excluded is not None and (excluded.at is None or excluded.at <= measured):
        return True
    return (
        revoked is not None
        and revoked.at <= measured
        and not (facts.consent_given and revoked.at < facts.consent_given.at <= measured)
    )


def _e1_unproven(case: Case) -> Finding:
    facts = case.facts
    opened = case.retrieved
    return Finding(
        rule=RuleId("ao-122a/E1"),
        deemed=opened,
        steps=(
            step(
                facts,
                Mark.MEMORY,
                "Die Bereitstellung ist nicht nachgewiesen; "
                + (
                    "ein Abruf auch nicht. Der Bescheid ist nicht bekannt gegeben."
                    if opened is None
                    else f"der Tag des Abrufs, {german(opened)}, kommt in Betracht."
                ),
                "The providing is unproven; "
                + (
                    "so is any retrieval. Not served."
                    if opened is None
                    else f"the day of retrieval, {english(opened)}, is the candidate."
                ),
                "provided",
                "providing_unproven",
                "retrieved",
            ),
        ),
        reviews=() if opened is None else (REVIEWS["AO-UNPROVEN"], *weak_login(case)),
        advice=(Advice.SEND_PAPER,) if opened is None else (),
        trigger=case.provided,
    )


def _e3_fiction(case: Case) -> Finding:
    facts = case.facts
    assert case.provided is not None
    counted = add_days(case.provided, 4)
    deemed = roll(counted, facts.place)
    steps = [
        step(
            facts,
            Mark.VERIFIED,
            f"Bereitgestellt am {german(case.provided)}; der Bescheid gilt am vierten Tag danach "
            f"als bekannt gegeben: {german(counted)}.",
            f"Provided {english(case.provided)}; counts as served on the fourth day after that: "
            f"{english(counted)}.",
            "issued",
            "provided",
        )
    ]
    if deemed != counted:
        steps.append(
            step(
                facts,
                Mark.VERIFIED,
                f"Dieser Tag ist kein Werktag ({name_holiday(counted, facts.place)}); im "
                f"Steuerrecht verschiebt er sich auf {german(deemed)}.",
                f"That day is no working day; in tax law it shifts to {english(deemed)}.",
            )
        )
    troubled = facts.alert_failed is not None or (
        facts.disputed is not None and facts.receipt_proven is None
    )
    reviews = local_holiday(case, deemed)
    if case.alerted is None or troubled:
        reviews = (*reviews, REVIEWS["AO-ALERT"])
    return Finding(
        rule=RuleId("ao-122a/E3"),
        deemed=deemed,
        steps=tuple(steps),
        reviews=reviews,
        trigger=case.provided,
    )
