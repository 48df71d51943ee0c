"""Which single changes of the facts are worth asking about, per rule.

The answers are computed by the rules themselves (`siegelpost.deadlines.evaluate`), so they
cannot contradict them. Leaves out changes that the matched row cannot feel.
"""

from dataclasses import dataclass
from typing import Any

from siegelpost.deadlines.facts import Dated, Facts, Regime, Remedy, Stated
from siegelpost.deadlines.periods import instruction
from siegelpost.deadlines.result import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One change of the facts and how to say it."""

    de: str
    en: str
    #: Fields of `Facts` and their other values.
    changes: dict[str, Any]
    #: The change touches the objection period alone, never the deemed day.
    period_only: bool = False


_SOME = Stated()

_DENIED = Question(
    de="Wenn der Zugang der Benachrichtigung bestritten wird und nicht nachgewiesen werden kann",
    en="if the citizen denies receipt of the alert and it cannot be proven",
    changes={"disputed": _SOME, "receipt_proven": None, "alert_received": None},
)
_FAILED = Question(
    de="Wenn die Benachrichtigung noch als unzustellbar zurückkommt",
    en="if the alert still bounces",
    changes={"alert_failed": _SOME},
)
_PROVEN = Question(
    de="Wenn die Behörde den bestrittenen Zugang nachweist",
    en="if the authority proves the denied receipt",
    changes={"receipt_proven": _SOME},
)
_WRONG = Question(
    de="Wenn die Rechtsbehelfsbelehrung unrichtig ist",
    en="if the instruction on remedies is wrong",
    changes={"remedy": Remedy.WRONG},
    period_only=True,
)
_DOUBT = Question(
    de="Wenn der Zugang zweifelhaft ist und nicht nachgewiesen werden kann",
    en="if receipt is in doubt and cannot be proven",
    changes={"in_doubt": _SOME, "received": None, "receipt_proven": None},
)
_UNPROVEN = Question(
    de="Wenn die Bereitstellung nicht nachgewiesen werden kann",
    en="if the providing cannot be proven",
    changes={"providing_unproven": _SOME},
)
_NOT_ARRIVED = Question(
    de="Wenn die empfangende Person nachweist, dass nichts zugegangen ist",
    en="if the recipient proves that nothing arrived",
    changes={"not_received": _SOME, "received": None},
)

_BY_ROW: dict[str, tuple[Question, ...]] = {
    "A7": (_DENIED, _FAILED),
    "A5": (_PROVEN,),
    "B4": (_PROVEN,),
    "B5": (_DOUBT,),
    "D3": (_UNPROVEN,),
    "E3": (_UNPROVEN,),
    "F2": (_NOT_ARRIVED,),
}

#: Rows that would look different if the notice were opened now.
_OPENABLE = frozenset({"A3", "A4", "A5", "A6", "C2", "C5", "D2", "E1"})


def questions(facts: Facts, finding: Finding) -> tuple[Question, ...]:
    """The questions for the matched row, at most four."""
    row = finding.rule.rpartition("/")[2].removeprefix("E-")
    asked = list(_BY_ROW.get(row, ()))
    if row in _OPENABLE and finding.deemed is None and facts.retrieved is None:
        asked.append(
            Question(
                de="Wenn der Bescheid jetzt abgerufen wird",
                en="if the notice is retrieved now",
                changes={"retrieved": Dated(at=facts.now)},
            )
        )
    if row == "F4" or (row == "F5" and facts.sent is not None):
        asked.append(
            Question(
                de="Wenn jetzt eine Abholbestätigung eingeht",
                en="if an Abholbestätigung arrives now",
                changes={"login_confirmed": Dated(at=facts.now)},
            )
        )
    if row == "A3" and facts.provided is not None and facts.regime is Regime.SGB10_37_2A:
        asked.append(
            Question(
                de="Wenn die Benachrichtigung jetzt abgesandt wird",
                en="if the alert is sent now",
                changes={"alert_sent": Dated(at=facts.now)},
            )
        )
    if finding.deemed is not None and instruction(facts) is Remedy.GIVEN:
        asked.append(_WRONG)
    return tuple(asked)
