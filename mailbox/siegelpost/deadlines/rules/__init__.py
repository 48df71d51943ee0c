"""The decision tables A to F of the law file, one file per provision.

`decide` picks the table; each table is a pure function from a case to the first row that
matches. The objection period comes afterwards, in `siegelpost.deadlines.periods`.
"""

from collections.abc import Callable
from types import MappingProxyType

from siegelpost.deadlines.facts import Regime
from siegelpost.deadlines.result import Finding
from siegelpost.deadlines.rules import (
    ao_122a,
    ozg_9,
    sgb10_37_2,
    sgb10_37_2a,
    vwvfg_41_2a,
    vwzg_5a,
)
from siegelpost.deadlines.rules.common import Case, case_of

_TABLES: MappingProxyType[Regime, Callable[[Case], Finding]] = MappingProxyType(
    {
        Regime.SGB10_37_2A: sgb10_37_2a.decide,
        Regime.SGB10_37_2: sgb10_37_2.decide,
        Regime.VWVFG_41_2A: vwvfg_41_2a.decide,
        Regime.OZG_9: ozg_9.decide,
        Regime.AO_122A: ao_122a.decide,
        Regime.VWZG_5A: vwzg_5a.decide,
    }
)


def decide(case: Case) -> Finding:
    """What the table of the case's regime says."""
    return _TABLES[case.facts.regime](case)


__all__ = ["Case", "case_of", "decide"]
