"""Table B: notices transmitted electronically, § 37(2) SGB X.

No alert and no portal: the notice itself is sent, and counts as served on the fourth day
after it was sent unless it did not arrive or arrived later. Receipt established on a day up
to the fourth does not bring the day forward.
"""

from datetime import date

from siegelpost.deadlines.calendar import add_days, day, english, german
from siegelpost.deadlines.certainty import REVIEWS, Mark
from siegelpost.deadlines.result import Advice, Finding, RuleId
from siegelpost.deadlines.rules.common import Case, step, weak_login
from siegelpost.deadlines.versions import fiction_days, ordinal_de, ordinal_en


def decide(case: Case) -> Finding:
    """The first row of table B that matches."""
    facts = case.facts
    if facts.sent is None:
        return _not_served(
            case,
            "B1",
            Mark.COMMENTARY,
            "Die Absendung ist nicht belegt; ohne belegte Absendung gibt es keine Fiktion.",
            "No dispatch is documented; without it there is no fiction.",
            "sent",
        )
    if facts.access_opened is None:
        return _not_served(
            case,
            "B2",
            Mark.VERIFIED,
            "Die empfangende Person hat keinen Zugang für elektronische Dokumente eröffnet.",
            "The recipient has not opened an access for electronic documents.",
            "access_opened",
        )
    sent = day(facts.sent.at)
    days = fiction_days(sent)
    fiction = add_days(sent, days)
    in_doubt = _in_doubt(case)
    if facts.received is not None:
        received = day(facts.received.at)
        if received > fiction:
            return Finding(
                rule=RuleId("sgb10-37-2/B3"),
                deemed=received,
                steps=(
                    step(
                        facts,
                        Mark.VERIFIED,
                        f"Der Zugang ist für einen späteren Tag festgestellt, {german(received)}; "
                        "dieser Tag gilt.",
                        f"Receipt is established for a later day, which counts: "
                        f"{english(received)}.",
                        "received",
                        "sent",
                    ),
                ),
                trigger=sent,
            )
    elif in_doubt and facts.receipt_proven is None:
        if case.retrieved is not None:
            return _opened_in_doubt(case, max(case.retrieved, fiction))
        return _not_served(
            case,
            "B4",
            Mark.VERIFIED,
            "Der Bescheid ist nicht zugegangen, oder der Zugang ist zweifelhaft und von der "
            "Behörde nicht nachgewiesen.",
            "The notice did not arrive, or its receipt is in doubt and unproven.",
            "not_received",
            "in_doubt",
            "receipt_proven",
        )
    return Finding(
        rule=RuleId("sgb10-37-2/B5"),
        deemed=fiction,
        steps=(
            step(
                facts,
                Mark.VERIFIED if days == 4 else Mark.COMMENTARY,
                f"Abgesandt am {german(sent)}; der Bescheid „gilt am {ordinal_de(days)} Tag nach "
                f"der Absendung als bekannt gegeben“: {german(fiction)}, ohne Verschiebung.",
                f"Sent {english(sent)}; counts as served on the {ordinal_en(days)} day after "
                f"that, without any shift: {english(fiction)}.",
                "access_opened",
                "sent",
            ),
        ),
        trigger=sent,
    )


def _in_doubt(case: Case) -> bool:
    facts = case.facts
    doubts = (facts.not_received, facts.in_doubt, facts.disputed, facts.alert_failed)
    return any(doubt is not None for doubt in doubts)


def _opened_in_doubt(case: Case, deemed_day: date) -> Finding:
    facts = case.facts
    return Finding(
        rule=RuleId("sgb10-37-2/B3"),
        deemed=deemed_day,
        steps=(
            step(
                facts,
                Mark.INFERENCE,
                f"Der Zugang ist zweifelhaft; die Öffnung belegt ihn, als Tag der Bekanntgabe "
                f"kommt {german(deemed_day)} in Betracht.",
                f"Receipt is in doubt; the opening shows it, candidate {english(deemed_day)}.",
                "in_doubt",
                "retrieved",
                "sent",
            ),
        ),
        reviews=(REVIEWS["RETRIEVED-IN-DOUBT"], *weak_login(case)),
        advice=(Advice.PROVE_RECEIPT,),
        trigger=day(facts.sent.at) if facts.sent else None,
    )


def _not_served(case: Case, row: str, mark: Mark, de: str, en: str, *names: str) -> Finding:
    return Finding(
        rule=RuleId(f"sgb10-37-2/{row}"),
        deemed=None,
        steps=(
            step(
                case.facts,
                mark,
                f"{de} Der Bescheid ist nicht bekannt gegeben.",
                f"{en} The notice is not served.",
                *names,
            ),
        ),
        advice=(Advice.SEND_PAPER,),
        trigger=None if case.facts.sent is None else day(case.facts.sent.at),
    )
