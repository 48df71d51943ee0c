"""What the six regimes share: the case at hand, and how a step names its facts.

`Case` holds the facts as known at `now` and their legal days (P, N, R of the law file).
Decides nothing by itself except whether a consent was in force.
"""

from dataclasses import dataclass
from datetime import date, datetime

from siegelpost.deadlines.calendar import day, english, german, is_local_holiday
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.facts import Assurance, Dated, Facts, Stated
from siegelpost.deadlines.result import Advice, Finding, RuleId, Step, Used


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Facts without the future, with their legal days."""

    facts: Facts
    #: Day of `now`.
    today: date
    #: P of the law file.
    provided: date | None
    #: N of the law file.
    alerted: date | None
    #: R of the law file.
    retrieved: date | None


def _day(fact: Dated | None) -> date | None:
    return None if fact is None else day(fact.at)


def case_of(facts: Facts) -> Case:
    """The case for facts that `Facts.known_now` has already cut."""
    return Case(
        facts=facts,
        today=day(facts.now),
        provided=_day(facts.provided),
        alerted=_day(facts.alert_sent),
        retrieved=_day(facts.retrieved),
    )


def use(facts: Facts, *names: str) -> tuple[Used, ...]:
    """The named facts as a step shows them; absent ones too, because absence decides."""
    return tuple([_used(name, getattr(facts, name)) for name in names])


def _used(name: str, fact: Dated | Stated | None) -> Used:
    return Used(name, None, None) if fact is None else Used(name, fact.at, fact.event_id)


def step(facts: Facts, mark: Mark, de: str, en: str, *names: str) -> Step:
    """A reasoning step that rests on the named facts."""
    return Step(de=de, en=en, mark=mark, used=use(facts, *names))


def consent_at(facts: Facts, at: datetime) -> bool:
    """Whether a consent was in force at a moment.

    A consent given after a revocation opens a new time of consent; a revocation takes effect
    at its own moment, for the future (§ 37(2a) sentence 2 SGB X).
    """
    given, revoked = facts.consent_given, facts.consent_revoked
    if given is None or at < given.at:
        return False
    return revoked is None or revoked.at < given.at or at < revoked.at


def lacks_consent(case: Case, rule: RuleId, statute: str) -> Finding | None:
    """The first row of tables A and C: not served without consent at both moments."""
    facts = case.facts
    moments = [fact.at for fact in (facts.provided, facts.alert_sent) if fact is not None]
    held = [consent_at(facts, at) for at in moments] or [consent_at(facts, facts.now)]
    if all(held):
        return None
    reviews = []
    steps = [
        step(
            facts,
            Mark.VERIFIED,
            f"Eine Einwilligung war nicht zu jedem maßgeblichen Zeitpunkt wirksam; {statute} "
            "verlangt sie. Der Bescheid ist elektronisch nicht bekannt gegeben.",
            f"No consent was in force at each relevant moment, which {statute} demands; not "
            "served electronically.",
            "consent_given",
            "consent_revoked",
            "provided",
            "alert_sent",
        )
    ]
    if any(held):
        reviews.append(REVIEWS["A1-TIMING"])
    if case.retrieved is not None:
        reviews.append(REVIEWS["RETRIEVED-WITHOUT-CONSENT"])
        steps.append(
            step(
                facts,
                Mark.INFERENCE,
                f"Der Bescheid wurde am {german(case.retrieved)} abgerufen; das ersetzt die "
                "Einwilligung nicht ohne Weiteres.",
                f"It was opened on {english(case.retrieved)}, which does not simply replace "
                "consent.",
                "retrieved",
            )
        )
    return Finding(
        rule=rule,
        deemed=None,
        steps=tuple(steps),
        reviews=tuple(reviews),
        advice=(Advice.SEND_PAPER,),
        trigger=case.alerted,
    )


def weak_login(case: Case) -> tuple[Review, ...]:
    """The review reason for an opening after a login below "substantial"."""
    weak = case.retrieved is not None and case.facts.assurance is Assurance.LOW
    return (REVIEWS["IDENTITY"],) if weak else ()


def local_holiday(case: Case, day_: date) -> tuple[Review, ...]:
    """The review reason for a rolled day that is a holiday in some municipalities only."""
    return (REVIEWS["LOCAL-HOLIDAY"],) if is_local_holiday(day_, case.facts.place) else ()
