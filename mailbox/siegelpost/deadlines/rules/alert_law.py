"""What a statute has to say so that the clock starts with the alert.

The parameter of the rows of table A: `siegelpost.deadlines.rules.sgb10_37_2a` and the old
`siegelpost.deadlines.rules.ao_122a` each make one. Also the two helpers that every row needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from siegelpost.deadlines.certainty import Mark, Review
from siegelpost.deadlines.result import RuleId, Step
from siegelpost.deadlines.rules.common import Case, local_holiday, step


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertLaw:
    """One statute that lets the clock start with the alert."""

    #: Put before the row's number: "sgb10-37-2a/" or "ao-122a/E-".
    prefix: str
    #: How the steps call it.
    statute: str
    #: Whether the deemed day shifts to the next working day.
    shifts: bool
    #: The deemed day for an alert sent on the case's day N, and the day before any shift.
    deemed: Callable[[Case, date], tuple[date, date]]

    def rule(self, row: str) -> RuleId:
        """The id of a row."""
        return RuleId(self.prefix + row)


def never_opened(case: Case) -> Step:
    return step(
        case.facts,
        Mark.VERIFIED,
        "Ein Abruf ist nicht belegt; der Bescheid ist nicht bekannt gegeben.",
        "No retrieval is documented; the notice is not served.",
        "retrieved",
    )


def shifted_locally(case: Case, law: AlertLaw) -> tuple[Review, ...]:
    if not law.shifts or case.alerted is None:
        return ()
    return local_holiday(case, law.deemed(case, case.alerted)[0])
