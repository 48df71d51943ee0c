"""The objection period: how long, why, and on which day it ends.

Implements `end(x)` of the law file and its exceptions by regime: one month; three months for
serving abroad (not under VwGO and AO, which know no such rule); one year where the
instruction on remedies is missing or wrong; no stated end where the instruction denies any
remedy. The period ends with the end of the day, 24:00 local time. The deemed day itself is
the regime's business.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from siegelpost.deadlines.calendar import (
    add_months,
    english,
    german,
    is_local_holiday,
    name_holiday,
    roll,
)
from siegelpost.deadlines.certainty import REVIEWS, Mark, Review
from siegelpost.deadlines.facts import Facts, Place, Regime, Remedy
from siegelpost.deadlines.result import Step
from siegelpost.deadlines.rules.common import step


@dataclass(frozen=True, kw_only=True, slots=True)
class _Norms:
    """The provisions of one branch of procedure."""

    #: One month, one year, end of a period: section numbers in German.
    month: str
    year: str
    end: str
    #: Months if the citizen is known abroad, and the review reason for it.
    months_abroad: int
    abroad: Review


_SGG = _Norms(
    month="§ 84 Abs. 1 SGG",
    year="§ 66 Abs. 2 SGG",
    end="§ 64 Abs. 2 und 3 SGG",
    months_abroad=3,
    abroad=REVIEWS["ABROAD"],
)
_VWGO = _Norms(
    month="§ 70 Abs. 1 VwGO",
    year="§ 58 Abs. 2 VwGO",
    end="§ 31 VwVfG, §§ 187 bis 193 BGB",
    months_abroad=1,
    abroad=REVIEWS["C-ABROAD"],
)
_AO = _Norms(
    month="§ 355 Abs. 1 AO",
    year="§ 356 Abs. 2 AO",
    end="§ 108 AO, §§ 187 bis 193 BGB",
    months_abroad=1,
    abroad=REVIEWS["AO-ABROAD"],
)
_NORMS = {Regime.VWVFG_41_2A: _VWGO, Regime.AO_122A: _AO}


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The objection period of a served notice."""

    #: Its last day, or None if none is stated.
    end: date | None
    #: The provisions, in German.
    basis: tuple[str, ...]
    steps: tuple[Step, ...]
    reviews: tuple[Review, ...] = ()


def objection_end(facts: Facts, deemed: date) -> date | None:
    """The last day of `objection_period` alone, without the texts."""
    remedy = instruction(facts)
    if remedy is Remedy.NONE_POSSIBLE:
        return None
    if remedy is not Remedy.GIVEN:
        months = 12
    else:
        months = _NORMS.get(facts.regime, _SGG).months_abroad if facts.abroad else 1
    return roll(add_months(deemed, months), facts.place)


def objection_period(facts: Facts, deemed: date) -> Period:
    """The period that starts with the deemed day; see the module for the rules."""
    period = _period(facts.regime, instruction(facts), facts.abroad, facts.place, deemed)
    return period if facts.remedy_faulty is None else _found_out(facts, period)


def instruction(facts: Facts) -> Remedy:
    """What the instruction on remedies is worth, with what was found out about it later.

    One that denies any remedy stays what it is: what follows from it is for a lawyer.
    """
    found_out = facts.remedy is Remedy.GIVEN and facts.remedy_faulty is not None
    return Remedy.WRONG if found_out else facts.remedy


def _found_out(facts: Facts, period: Period) -> Period:
    later = step(
        facts,
        Mark.VERIFIED,
        "Nachträglich ist festgehalten, dass die Rechtsbehelfsbelehrung fehlt oder unrichtig ist.",
        "It was recorded later that the instruction on remedies is missing or wrong.",
        "remedy_faulty",
    )
    return replace(period, steps=(later, *period.steps))


@lru_cache(maxsize=8192)
def _period(regime: Regime, remedy: Remedy, abroad: bool, place: Place, deemed: date) -> Period:
    """Notices of one day share their period, so it is worth keeping."""
    norms = _NORMS.get(regime, _SGG)
    if remedy is Remedy.NONE_POSSIBLE:
        return Period(
            end=None,
            basis=(norms.year,),
            steps=(
                Step(
                    de="Die Belehrung sagt, ein Rechtsbehelf sei nicht gegeben; ein Fristende "
                    "wird nicht genannt.",
                    en="The instruction says that there is no remedy; no end is stated.",
                    mark=Mark.VERIFIED,
                ),
            ),
            reviews=(REVIEWS["NO-REMEDY"],),
        )
    reviews: tuple[Review, ...] = ()
    mark = Mark.VERIFIED
    if remedy is not Remedy.GIVEN:
        months, norm = 12, norms.year
        why_de = "Die Rechtsbehelfsbelehrung fehlt oder ist unrichtig: ein Jahr"
        why_en = "the instruction is missing or wrong: one year"
    elif abroad:
        months, norm = norms.months_abroad, norms.month
        reviews, mark = (norms.abroad,), Mark.INFERENCE
        why_de = "Die Person lebt im Ausland: " + ("drei Monate" if months == 3 else "ein Monat")
        why_en = "the citizen lives abroad: " + ("three months" if months == 3 else "one month")
    else:
        months, norm = 1, norms.month
        why_de, why_en = (
            "Richtige Rechtsbehelfsbelehrung: ein Monat",
            "instruction given: one month",
        )
    counted = add_months(deemed, months)
    end = roll(counted, place)
    if is_local_holiday(end, place):
        reviews = (*reviews, REVIEWS["LOCAL-HOLIDAY"])
    if end == counted:
        last_de, last_en = f"{german(end)}, 24:00 Uhr", f"{english(end)}, 24:00"
    else:
        last_de = (
            f"{german(counted)} ist kein Werktag ({name_holiday(counted, place)}), "
            f"also {german(end)}, 24:00 Uhr"
        )
        last_en = f"{english(counted)} is no working day, so {english(end)}, 24:00"
    return Period(
        end=end,
        basis=(norm, norms.end),
        steps=(
            Step(
                de=f"{why_de} ab Bekanntgabe ({norm}). Fristende: {last_de} ({norms.end}).",
                en=f"Objection period, {why_en}; it ends {last_en}.",
                mark=mark,
            ),
        ),
        reviews=reviews,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """Until when the evidence is needed; the agency decides, so it always needs review."""

    keep_until: date
    review: tuple[Review, ...]


def evidence_needed_until(served_or_last_event: date, place: Place) -> Retention:
    """One year of objection, then one more in which reinstatement can be asked for.

    § 66(2) SGG and § 27(3) SGB X. Takes the deemed day, or the day of the last event where
    the notice is not served.
    """
    one_year = roll(add_months(served_or_last_event, 12), place)
    return Retention(keep_until=add_months(one_year, 12), review=(REVIEWS["RETENTION"],))
