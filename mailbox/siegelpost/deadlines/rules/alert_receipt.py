"""Rows A4 to A6: the alert failed, its receipt is denied, or it came too late.

In all three the day of retrieval counts, or the notice is not served. The sentence after the
table: a retrieval before the deemed day does not bring it forward, which is an inference.
"""

from siegelpost.deadlines.calendar import day, english, german
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.result import Advice, Finding, Step
from siegelpost.deadlines.rules.alert_law import AlertLaw, never_opened, shifted_locally
from siegelpost.deadlines.rules.common import Case, step, weak_login
from siegelpost.deadlines.versions import late_limit_days, late_limit_uncertain


def a4_failed(case: Case, law: AlertLaw) -> Finding | None:
    facts = case.facts
    if facts.alert_failed is None:
        return None
    why = step(
        facts,
        Mark.INFERENCE if facts.disputed is None else Mark.VERIFIED,
        "Die Benachrichtigung ist endgültig gescheitert; ihr Zugang lässt sich nicht nachweisen.",
        "The alert failed for good; its receipt cannot be proven.",
        "alert_failed",
        "disputed",
    )
    reviews = () if facts.disputed is not None else (REVIEWS["A4-NO-DENIAL"],)
    return _by_retrieval(case, law, "A4", why, reviews)


def a5_denied(case: Case, law: AlertLaw) -> Finding | None:
    facts = case.facts
    if facts.disputed is None or facts.receipt_proven or facts.alert_received:
        return None
    why = step(
        facts,
        Mark.VERIFIED,
        "Der Zugang der Benachrichtigung ist bestritten und nicht nachgewiesen; die Behörde trägt "
        "den Nachweis.",
        "Receipt of the alert is denied and unproven; the authority bears the proof.",
        "disputed",
        "receipt_proven",
        "alert_delivered",
    )
    reviews = () if facts.alert_delivered is None else (REVIEWS["REPLY-250"],)
    return _by_retrieval(case, law, "A5", why, reviews)


def a6_late(case: Case, law: AlertLaw) -> Finding | None:
    facts = case.facts
    assert case.alerted is not None
    if facts.alert_received is None:
        return None
    late_days = (day(facts.alert_received.at) - case.alerted).days
    limit = late_limit_days(case.alerted)
    if late_days <= limit:
        return None
    why = step(
        facts,
        Mark.VERIFIED,
        f"Die Benachrichtigung ging unwiderlegbar erst {late_days} Tage nach der Absendung zu, "
        f"später als {limit} Tage.",
        f"The alert irrefutably arrived {late_days} days after it was sent, later than {limit}.",
        "alert_received",
        "alert_sent",
    )
    return _by_retrieval(case, law, "A6", why, limit_doubt(case))


def limit_doubt(case: Case) -> tuple[Review, ...]:
    """The review reason where three or four days in sentence 7 make the difference."""
    received, alerted = case.facts.alert_received, case.alerted
    if received is None or alerted is None:
        return ()
    exactly_four = (day(received.at) - alerted).days == 4
    return (REVIEWS["S7-CHANGE"],) if exactly_four and late_limit_uncertain(alerted) else ()


def _by_retrieval(
    case: Case, law: AlertLaw, row: str, why: Step, reviews: tuple[Review, ...]
) -> Finding:
    """Rows A4 to A6: the day of retrieval, never before the deemed day, else not served."""
    assert case.alerted is not None
    retrieved = case.retrieved
    if retrieved is None:
        return Finding(
            rule=law.rule(row),
            deemed=None,
            steps=(why, never_opened(case)),
            reviews=reviews,
            advice=(Advice.SEND_PAPER, Advice.PROVE_RECEIPT),
            trigger=case.alerted,
        )
    fiction, _ = law.deemed(case, case.alerted)
    if retrieved < fiction:
        deemed = fiction
        reviews = (*reviews, REVIEWS["A-EARLIER"], *shifted_locally(case, law))
        last = step(
            case.facts,
            Mark.INFERENCE,
            f"Der Abruf am {german(retrieved)} lag vor dem Tag der Fiktion; es bleibt bei "
            f"{german(fiction)}.",
            f"The retrieval on {english(retrieved)} came before the deemed day, which stands: "
            f"{english(fiction)}.",
            "retrieved",
            "alert_sent",
        )
    else:
        deemed = retrieved
        last = step(
            case.facts,
            Mark.VERIFIED,
            f"Der Bescheid gilt am Tag des Abrufs als bekannt gegeben, {german(retrieved)}.",
            f"The notice counts as served on the day of retrieval, {english(retrieved)}.",
            "retrieved",
        )
    return Finding(
        rule=law.rule(row),
        deemed=deemed,
        steps=(why, last),
        reviews=(*reviews, *weak_login(case)),
        advice=(Advice.PROVE_RECEIPT,),
        trigger=case.alerted,
    )
