"""The legal clock: facts in, result with reasons out.

Design section 9. Puts together the regime's table, the objection period, the review flags and
what would change the result. Pure: `now` is part of the facts, nothing is read or stored.
"""

from siegelpost.deadlines.catalog import REGIME_STATUTES, RULES
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.facts import Benefit, Facts, Regime
from siegelpost.deadlines.labels import FACTS_DE
from siegelpost.deadlines.periods import Period, objection_end, objection_period
from siegelpost.deadlines.result import Advice, Finding, Result, State, Step, WhatIf
from siegelpost.deadlines.rules import case_of, decide
from siegelpost.deadlines.rules.common import Case, step
from siegelpost.deadlines.versions import version_label
from siegelpost.deadlines.whatif import questions


def evaluate(facts: Facts, *, what_if: bool = True) -> Result:
    """The result on the facts known at `facts.now`.

    Args:
        facts: everything known; facts later than `now` are left out and named in the reasons.
        what_if: also compute how single changes of the facts would change the result.

    Raises:
        FactsError: the place is unknown.
    """
    known, left_out = facts.known_now()
    case = case_of(known)
    finding = decide(case)
    period = None if finding.deemed is None else objection_period(known, finding.deemed)
    state = _state(case, finding)
    steps = (*finding.steps, *(period.steps if period else ()), *_paper(known), *_later(left_out))
    end = period.end if period else None
    return Result(
        state=state,
        deemed=finding.deemed,
        end=end,
        rule=finding.rule,
        rule_set=version_label(REGIME_STATUTES[known.regime], finding.trigger),
        legal_basis=(*RULES[finding.rule].basis, *(period.basis if period else ())),
        reasons=steps,
        review=_reviews(case, finding, period),
        advice=_advice(known, finding),
        what_if=_changes(known, finding) if what_if else (),
        provisional=end is None or case.today <= end,
        open_until=finding.open_until,
    )


def _state(case: Case, finding: Finding) -> State:
    if finding.refused:
        return State.REFUSED
    if finding.open_until is not None:
        return State.OPEN
    if finding.deemed is None:
        return State.NOT_SERVED
    return State.SERVED if finding.deemed <= case.today else State.EXPECTED


def _reviews(case: Case, finding: Finding, period: Period | None) -> tuple[Review, ...]:
    facts = case.facts
    codes = []
    sgb2 = facts.benefit is Benefit.SGB2
    if sgb2 and (
        facts.regime is Regime.OZG_9 or (facts.regime is Regime.SGB10_37_2A and facts.ozg_portal)
    ):
        codes.append(REVIEWS["SGB2-PORTAL"])
    if _contradictory(facts):
        codes.append(REVIEWS["CONTRADICTION"])
    if facts.schriftform and not facts.qualified_signed and not finding.rule.endswith("A2"):
        codes.append(REVIEWS["FORM"])
    return (*finding.reviews, *(period.reviews if period else ()), *codes)


def _contradictory(facts: Facts) -> bool:
    """Opened before it was provided, or an alert that failed before it was sent."""
    opened, provided = facts.retrieved, facts.provided
    failed, sent = facts.alert_failed, facts.alert_sent
    return bool(
        (opened and provided and opened.at < provided.at)
        or (failed and failed.at and sent and failed.at < sent.at)
    )


def _advice(facts: Facts, finding: Finding) -> tuple[Advice, ...]:
    if facts.paper_sent is None:
        return finding.advice
    rest = (a for a in finding.advice if a not in (Advice.SEND_PAPER, Advice.PAPER_COPY))
    return (*rest, Advice.PAPER_COUNTS)


def _paper(facts: Facts) -> tuple[Step, ...]:
    if facts.paper_sent is None:
        return ()
    return (
        step(
            facts,
            Mark.VERIFIED,
            "Der Bescheid wurde erneut versandt; diese Sendung wird gesondert bekannt gegeben.",
            "The notice was sent again; that serving stands by itself.",
            "paper_sent",
        ),
    )


def _later(left_out: tuple[str, ...]) -> tuple[Step, ...]:
    if not left_out:
        return ()
    return (
        Step(
            de=f"Nach dem Zeitpunkt der Berechnung liegende Angaben bleiben außer Betracht: "
            f"{', '.join(FACTS_DE[name] for name in left_out)}.",
            en=f"Facts after the moment of the computation are left out: {', '.join(left_out)}.",
            mark=Mark.VERIFIED,
        ),
    )


def _changes(facts: Facts, finding: Finding) -> tuple[WhatIf, ...]:
    """The changes of single facts that would lead to another day or another rule."""
    changes = []
    for question in questions(facts, finding):
        other = facts.but(**question.changes)
        found = finding if question.period_only else decide(case_of(other))
        end = None if found.deemed is None else objection_end(other, found.deemed)
        changes.append(
            WhatIf(de=question.de, en=question.en, rule=found.rule, deemed=found.deemed, end=end)
        )
    return tuple(changes)
