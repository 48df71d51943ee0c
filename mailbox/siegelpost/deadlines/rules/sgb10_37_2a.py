"""Table A: notices to be retrieved after an alert, § 37(2a) SGB X.

The regime of jobcenters and the default. The deemed day is the fourth day after the alert was
sent (the third before 2025) and does not shift (BSG 6.5.2010, B 14 AS 12/09 R). The rows are
in `siegelpost.deadlines.rules.alert_table`, because tax law used them too until 2025.
"""

from datetime import date

from siegelpost.deadlines.calendar import add_days
from siegelpost.deadlines.result import Finding
from siegelpost.deadlines.rules.alert_law import AlertLaw
from siegelpost.deadlines.rules.alert_table import decide_by_alert
from siegelpost.deadlines.rules.common import Case
from siegelpost.deadlines.versions import fiction_days


def _unshifted(case: Case, alerted: date) -> tuple[date, date]:
    deemed = add_days(alerted, fiction_days(alerted))
    return deemed, deemed


_SGB_X = AlertLaw(
    prefix="sgb10-37-2a/", statute="§ 37 Abs. 2a SGB X", shifts=False, deemed=_unshifted
)


def decide(case: Case) -> Finding:
    """Table A for SGB X."""
    return decide_by_alert(case, _SGB_X)
