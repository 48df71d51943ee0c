"""Table A: notices to be retrieved after an alert, § 37(2a) SGB X.

First match of rows A1 to A7, and the sentence after the table: a retrieval before the deemed
day does not bring it forward. The rows are written once for SGB X and, with another deemed
day, for AO § 122a as it stood until 2025 (`siegelpost.deadlines.rules.ao_122a`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from siegelpost.deadlines.calendar import add_days, day, english, german
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.result import Advice, Finding, RuleId, Step
from siegelpost.deadlines.rules.common import Case, lacks_consent, local_holiday, step, weak_login
from siegelpost.deadlines.versions import (
    fiction_days,
    late_limit_days,
    late_limit_uncertain,
    ordinal_de,
    ordinal_en,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertLaw:
    """One statute that lets the clock start with the alert."""

    #: Put before the row's number: "sgb10-37-2a/" or "ao-122a/E-".
    prefix: str
    #: How the steps call it.
    statute: str
    #: The deemed day for an alert sent on the case's day N, and the day before any shift.
    deemed: Callable[[Case, date], tuple[date, date]]

    def rule(self, row: str) -> RuleId:
        """The id of a row."""
        return RuleId(self.prefix + row)


def _unshifted(case: Case, alerted: date) -> tuple[date, date]:
    deemed = add_days(alerted, fiction_days(alerted))
    return deemed, deemed


SGB_X = AlertLaw(prefix="sgb10-37-2a/", statute="§ 37 Abs. 2a SGB X", deemed=_unshifted)


def decide(case: Case) -> Finding:
    """Table A for SGB X."""
    return decide_by_alert(case, SGB_X)


def decide_by_alert(case: Case, law: AlertLaw) -> Finding:
    """The first row that matches."""
    return (
        lacks_consent(case, law.rule("A1"), law.statute)
        or _a2_form(case, law)
        or _a3_no_alert(case, law)
        or _a4_failed(case, law)
        or _a5_denied(case, law)
        or _a6_late(case, law)
        or _a7_fiction(case, law)
    )


def _a2_form(case: Case, law: AlertLaw) -> Finding | None:
    facts = case.facts
    if not facts.schriftform or facts.qualified_signed:
        return None
    return Finding(
        rule=law.rule("A2"),
        deemed=None,
        refused=True,
        steps=(
            step(
                facts,
                Mark.VERIFIED,
                "Schriftform ist vorgeschrieben; eine qualifizierte Signatur oder ein "
                "qualifiziertes Siegel fehlt. Der elektronische Versand ist abzulehnen.",
                "Schriftform is demanded and no qualified signature or seal replaces it; the "
                "electronic dispatch has to be refused.",
            ),
        ),
        advice=(Advice.SEND_PAPER,),
        trigger=case.alerted,
    )


def _a3_no_alert(case: Case, law: AlertLaw) -> Finding | None:
    facts = case.facts
    if facts.alert_sent is None:
        de, en = "Die Absendung einer Benachrichtigung ist nicht belegt", "No alert is documented"
    elif facts.provided is None:
        de = "Nicht belegt ist, dass die Bereitstellung vor der Benachrichtigung lag"
        en = "No providing before the alert is documented"
    elif facts.alert_sent.at < facts.provided.at:
        de = "Die Benachrichtigung wurde vor der Bereitstellung abgesandt"
        en = "The alert was sent before the notice was provided"
    else:
        return None
    steps = (
        step(
            facts,
            Mark.COMMENTARY,
            f"{de}; eine Fiktion der Bekanntgabe nach {law.statute} beginnt nicht.",
            f"{en}; no fiction of serving starts.",
            "alert_sent",
            "provided",
        ),
    )
    if case.retrieved is None:
        return Finding(
            rule=law.rule("A3"),
            deemed=None,
            steps=(*steps, _never_opened(case)),
            advice=(Advice.SEND_PAPER,),
            trigger=case.alerted,
        )
    return Finding(
        rule=law.rule("A3"),
        deemed=case.retrieved,
        steps=(
            *steps,
            step(
                facts,
                Mark.INFERENCE,
                f"Als Tag der Bekanntgabe kommt der Tag des Abrufs in Betracht, "
                f"{german(case.retrieved)}.",
                f"The day of retrieval, {english(case.retrieved)}, is the candidate.",
                "retrieved",
            ),
        ),
        reviews=(REVIEWS["A3-CANDIDATE"], *weak_login(case)),
        advice=(Advice.SEND_PAPER,),
        trigger=case.alerted,
    )


def _never_opened(case: Case) -> Step:
    return step(
        case.facts,
        Mark.VERIFIED,
        "Ein Abruf ist nicht belegt; der Bescheid ist nicht bekannt gegeben.",
        "No retrieval is documented; the notice is not served.",
        "retrieved",
    )


def _a4_failed(case: Case, law: AlertLaw) -> Finding | None:
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


def _a5_denied(case: Case, law: AlertLaw) -> Finding | None:
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


def _a6_late(case: Case, law: AlertLaw) -> Finding | None:
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
            steps=(why, _never_opened(case)),
            reviews=reviews,
            advice=(Advice.SEND_PAPER, Advice.PROVE_RECEIPT),
            trigger=case.alerted,
        )
    fiction, _ = law.deemed(case, case.alerted)
    if retrieved < fiction:
        deemed = fiction
        reviews = (*reviews, REVIEWS["A-EARLIER"], *_shifted_locally(case, law))
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


def _shifted_locally(case: Case, law: AlertLaw) -> tuple[Review, ...]:
    if law is SGB_X or case.alerted is None:
        return ()
    return local_holiday(case, law.deemed(case, case.alerted)[0])


def _a7_fiction(case: Case, law: AlertLaw) -> Finding:
    facts = case.facts
    assert case.alerted is not None
    deemed, counted = law.deemed(case, case.alerted)
    days = (counted - case.alerted).days
    mark = Mark.VERIFIED if law is SGB_X and days == 4 else Mark.COMMENTARY
    shift_de = "" if deemed == counted else f", verschoben auf {german(deemed)}"
    shift_en = "" if deemed == counted else f", shifted to {english(deemed)}"
    steps = [
        step(
            facts,
            Mark.VERIFIED,
            "Bereitstellung, Einwilligung und Absendung der Benachrichtigung sind belegt: "
            f"abgesandt am {german(case.alerted)}.",
            f"Providing, consent and the alert are documented: sent {english(case.alerted)}.",
            "consent_given",
            "provided",
            "alert_sent",
        ),
        step(
            facts,
            mark,
            f"Der Bescheid gilt „am {ordinal_de(days)} Tag nach Absendung der elektronischen "
            f"Benachrichtigung“ als bekannt gegeben: {german(counted)}{shift_de}.",
            f"It counts as served on the {ordinal_en(days)} day after the alert was sent: "
            f"{english(counted)}{shift_en}.",
            "alert_sent",
        ),
    ]
    if law is SGB_X:
        steps.append(
            step(
                facts,
                Mark.VERIFIED,
                "Der Tag verschiebt sich nicht, auch wenn er auf ein Wochenende oder einen "
                "Feiertag fällt, und hängt nicht vom Abruf ab.",
                "The day does not shift for weekends or holidays and does not hang on retrieval.",
            )
        )
    advice: tuple[Advice, ...] = ()
    reviews = (*limit_doubt(case), *_shifted_locally(case, law))
    if facts.receipt_proven and facts.disputed:
        steps.append(
            step(
                facts,
                Mark.VERIFIED,
                "Der bestrittene Zugang der Benachrichtigung ist nachgewiesen.",
                "The denied receipt of the alert is proven.",
                "disputed",
                "receipt_proven",
            )
        )
    if (
        facts.consent_revoked
        and facts.alert_sent
        and (facts.consent_revoked.at > facts.alert_sent.at)
    ):
        advice = (Advice.PAPER_COPY,)
        steps.append(
            step(
                facts,
                Mark.COMMENTARY,
                "Der spätere Widerruf der Einwilligung lässt abgesandte Bescheide unberührt.",
                "The later revocation leaves notices already sent intact.",
                "consent_revoked",
            )
        )
    return Finding(
        rule=law.rule("A7"),
        deemed=deemed,
        steps=tuple(steps),
        reviews=reviews,
        advice=advice,
        trigger=case.alerted,
    )
