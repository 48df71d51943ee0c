"""Table D: notices in a user account, § 9 OZG.

The clock starts with the providing. The alert has to be sent by the same day; that it failed
does not stop the fiction on the wording, which is an inference. Off by default for SGB II
(§ 37(2b) SGB X names § 9 OZG for Elterngeld only).
"""

from siegelpost.deadlines.calendar import add_days, english, german, is_working_day
from siegelpost.deadlines.certainty import REVIEWS, Mark
from siegelpost.deadlines.result import Advice, Finding, RuleId
from siegelpost.deadlines.rules.common import Case, step, weak_login
from siegelpost.deadlines.versions import fiction_days, ordinal_de, ordinal_en


def decide(case: Case) -> Finding:
    """The first row of table D that matches."""
    facts = case.facts
    if _excluded(case):
        return Finding(
            rule=RuleId("ozg-9/D1"),
            deemed=None,
            steps=(
                step(
                    facts,
                    Mark.VERIFIED,
                    "Die elektronische Bekanntgabe war bei der Bereitstellung ausgeschlossen; der "
                    "Bescheid ist nicht bekannt gegeben.",
                    "Electronic serving was ruled out when the notice was provided; not served.",
                    "excluded",
                    "consent_revoked",
                    "provided",
                ),
            ),
            advice=(Advice.SEND_PAPER,),
            trigger=case.provided,
        )
    if case.provided is None or facts.providing_unproven is not None:
        return _d2_unproven(case)
    return _d3_fiction(case)


def _excluded(case: Case) -> bool:
    """Ruled out before the providing; a later exclusion holds for the future only."""
    facts = case.facts
    measured = facts.provided.at if facts.provided else facts.now
    ruled_out = facts.excluded is not None and (
        facts.excluded.at is None or facts.excluded.at <= measured
    )
    revoked = facts.consent_revoked
    withdrawn = (
        revoked is not None
        and revoked.at <= measured
        and not (facts.consent_given and revoked.at < facts.consent_given.at <= measured)
    )
    return ruled_out or withdrawn


def _d2_unproven(case: Case) -> Finding:
    facts = case.facts
    unproven = step(
        facts,
        Mark.VERIFIED,
        "Die Bereitstellung oder ihr Zeitpunkt ist nicht nachgewiesen; die Behörde trägt den "
        "Nachweis.",
        "The providing or its time is unproven; the authority bears the proof.",
        "provided",
        "providing_unproven",
    )
    opened_first = facts.retrieved is not None and (
        facts.paper_sent is None or facts.retrieved.at < facts.paper_sent.at
    )
    if case.retrieved is None or not opened_first:
        return Finding(
            rule=RuleId("ozg-9/D2"),
            deemed=None,
            steps=(
                unproven,
                step(
                    facts,
                    Mark.VERIFIED,
                    "Ein Abruf vor einer erneuten Bekanntgabe ist nicht belegt; der Bescheid ist "
                    "nicht bekannt gegeben.",
                    "No retrieval before a renewed serving is documented; not served.",
                    "retrieved",
                    "paper_sent",
                ),
            ),
            advice=(Advice.SEND_PAPER,),
            trigger=case.provided,
        )
    return Finding(
        rule=RuleId("ozg-9/D2"),
        deemed=case.retrieved,
        steps=(
            unproven,
            step(
                facts,
                Mark.INFERENCE,
                f"Es gilt der Tag des ersten Abrufs, {german(case.retrieved)}.",
                f"The day of the first retrieval counts, {english(case.retrieved)}.",
                "retrieved",
            ),
        ),
        reviews=(REVIEWS["D-UNPROVEN"], *weak_login(case)),
        trigger=case.provided,
    )


def _d3_fiction(case: Case) -> Finding:
    facts = case.facts
    assert case.provided is not None
    days = fiction_days(case.provided)
    deemed = add_days(case.provided, days)
    steps = [
        step(
            facts,
            Mark.VERIFIED if days == 4 else Mark.MEMORY,
            f"Bereitgestellt am {german(case.provided)}; der Bescheid gilt am {ordinal_de(days)} "
            f"Tag nach der Bereitstellung als bekannt gegeben: {german(deemed)}.",
            f"Provided {english(case.provided)}; counts as served on the {ordinal_en(days)} day "
            f"after that: {english(deemed)}.",
            "provided",
        )
    ]
    reviews = []
    if not is_working_day(deemed, facts.place):
        reviews.append(REVIEWS["D-NO-SHIFT"])
        steps.append(
            step(
                facts,
                Mark.INFERENCE,
                "Dieser Tag ist kein Werktag; er verschiebt sich nicht.",
                "That day is no working day; it does not shift.",
            )
        )
    troubled = facts.alert_failed is not None or (
        facts.disputed is not None and facts.receipt_proven is None
    )
    if case.alerted is None or case.alerted > case.provided or troubled:
        reviews.append(REVIEWS["D-ALERT"])
        steps.append(
            step(
                facts,
                Mark.INFERENCE,
                "Die Benachrichtigung fehlt, kam verspätet, ist gescheitert oder wird bestritten; "
                "nach dem Wortlaut hindert das die Fiktion nicht.",
                "The alert is missing, late, failed or denied; on the wording this does not stop "
                "the fiction.",
                "alert_sent",
                "alert_failed",
                "disputed",
            )
        )
    return Finding(
        rule=RuleId("ozg-9/D3"),
        deemed=deemed,
        steps=tuple(steps),
        reviews=tuple(reviews),
        trigger=case.provided,
    )
