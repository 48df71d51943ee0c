"""The rows of table A in their order: consent, form, alert, receipt, and the fiction.

First match wins. Written once for § 37(2a) SGB X and, with a shifting day, for AO § 122a as it
stood until 2025; what differs is in `AlertLaw`. Rows A4 to A6 are in
`siegelpost.deadlines.rules.alert_receipt`.
"""

from siegelpost.deadlines.calendar import english, german
from siegelpost.deadlines.certainty import REVIEWS, Mark
from siegelpost.deadlines.result import Advice, Finding
from siegelpost.deadlines.rules.alert_law import AlertLaw, never_opened, shifted_locally
from siegelpost.deadlines.rules.alert_receipt import a4_failed, a5_denied, a6_late, limit_doubt
from siegelpost.deadlines.rules.common import Case, lacks_consent, step, weak_login
from siegelpost.deadlines.versions import ordinal_de, ordinal_en


def decide_by_alert(case: Case, law: AlertLaw) -> Finding:
    """The first row that matches."""
    return (
        lacks_consent(case, law.rule("A1"), law.statute)
        or _a2_form(case, law)
        or _a3_no_alert(case, law)
        or a4_failed(case, law)
        or a5_denied(case, law)
        or a6_late(case, law)
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
            steps=(*steps, never_opened(case)),
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


def _a7_fiction(case: Case, law: AlertLaw) -> Finding:
    facts = case.facts
    assert case.alerted is not None
    deemed, counted = law.deemed(case, case.alerted)
    days = (counted - case.alerted).days
    mark = Mark.VERIFIED if not law.shifts and days == 4 else Mark.COMMENTARY
    words = f"am {ordinal_de(days)} Tag nach Absendung der elektronischen Benachrichtigung"
    if not law.shifts and days == 4:  # the words of § 37(2a) sentence 4 SGB X as they stand
        words = f"„{words}“"
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
            f"Der Bescheid gilt {words} als bekannt gegeben: {german(counted)}{shift_de}.",
            f"It counts as served on the {ordinal_en(days)} day after the alert was sent: "
            f"{english(counted)}{shift_en}.",
            "alert_sent",
        ),
    ]
    if not law.shifts:
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
    reviews = (*limit_doubt(case), *shifted_locally(case, law))
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
