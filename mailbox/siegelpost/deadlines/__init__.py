"""The legal clock: when a notice counts as served, until when one may object.

Pure functions over dated facts (design section 9): `evaluate(Facts) -> Result`. The results
are information with their sources and their degree of certainty; they decide nothing and are
recomputed whenever an event arrives or a day passes.
"""

from siegelpost.deadlines.evaluate import evaluate
from siegelpost.deadlines.facts import (
    Assurance,
    Benefit,
    Dated,
    DeadlineError,
    EventId,
    Facts,
    FactsError,
    Place,
    Regime,
    Remedy,
    Stated,
)
from siegelpost.deadlines.labels import FACTS_DE
from siegelpost.deadlines.periods import Retention, evidence_needed_until
from siegelpost.deadlines.result import ADVICE_DE, Advice, Result, RuleId, State, Step, WhatIf

__all__ = [
    "ADVICE_DE",
    "FACTS_DE",
    "Advice",
    "Assurance",
    "Benefit",
    "Dated",
    "DeadlineError",
    "EventId",
    "Facts",
    "FactsError",
    "Place",
    "Regime",
    "Remedy",
    "Result",
    "Retention",
    "RuleId",
    "State",
    "Stated",
    "Step",
    "WhatIf",
    "evaluate",
    "evidence_needed_until",
]
