"""From one example of a file to `Facts`.

Local times without a zone are read as Europe/Berlin (in the hour that the autumn clock change
repeats, the first one); a date alone is that day, so placed that it follows a providing and
precedes nothing of the same day. See `siegelpost.deadlines.examples` for what is assumed
where an example is silent. Every assumption is handed back as a German sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from siegelpost.deadlines.arrival import DIRECT, read_confirmation, read_receipt
from siegelpost.deadlines.calendar import PLACES, day
from siegelpost.deadlines.facts import (
    DEFAULT_PLACE,
    Assurance,
    Benefit,
    Dated,
    Facts,
    FactsError,
    Place,
    Regime,
    Remedy,
    Stated,
)
from siegelpost.deadlines.values import FIRST_YEAR, LAST_YEAR, LONGEST_VALUE, Values
from siegelpost.deadlines.versions import ao_recast

#: `now` of an example that names none: everything has happened.
_EVERYTHING_HAPPENED_AT = datetime(2999, 1, 1, tzinfo=UTC)
#: Consent and access of an example that does not mention them.
_SINCE_EVER = Dated(at=datetime(1900, 1, 1, tzinfo=UTC))

_REMEDIES: dict[object, Remedy] = {
    "given": Remedy.GIVEN,
    "correct": Remedy.GIVEN,
    True: Remedy.GIVEN,
    "missing": Remedy.MISSING,
    "absent": Remedy.MISSING,
    False: Remedy.MISSING,
    None: Remedy.MISSING,
    "wrong": Remedy.WRONG,
    "incorrect": Remedy.WRONG,
    "none_possible": Remedy.NONE_POSSIBLE,
    "no_remedy": Remedy.NONE_POSSIBLE,
    "none": Remedy.NONE_POSSIBLE,
}
_ASSURANCES: dict[object, Assurance] = {
    **{level.value.replace("-", "_"): level for level in Assurance},
    "substantiell": Assurance.SUBSTANTIAL,
    "high": Assurance.SUBSTANTIAL,
    "hoch": Assurance.SUBSTANTIAL,
    "normal": Assurance.LOW,
    "niedrig": Assurance.LOW,
}
_BENEFITS: dict[object, Benefit] = {
    "sgb2": Benefit.SGB2,
    "sgb_2": Benefit.SGB2,
    "sgb_ii": Benefit.SGB2,
    "elterngeld": Benefit.ELTERNGELD,
}
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_NO_SIGNATURE = ("none", "no", "simple", "advanced", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read from one example."""

    facts: Facts
    #: Keys that mean nothing to the reader.
    unknown: tuple[str, ...]
    #: What the example did not say and was assumed, in German.
    assumed: tuple[str, ...]


def read_example(example: Mapping[Any, Any]) -> Reading:
    """The facts of one example. Raises FactsError where a value cannot be read."""
    values = Values(example)
    if not values.has("regime"):
        raise FactsError("regime is missing")
    regime = values.choice("regime", {member.value.replace("-", "_"): member for member in Regime})
    now = values.dated("now", at_day=time(23, 59, 59))
    alert = None
    if not values.has("alert_documented") or values.flag("alert_documented"):
        alert = values.dated("alert_sent", at_day=time(23, 59))
    provided = values.dated("provided", at_day=time(0))
    issued = _issued(values)
    if regime not in DIRECT:
        provided, alert = _assume_pair(values, regime, provided, alert, issued)
    sent = _sent(values, regime, alert, provided)
    facts: dict[str, Any] = {
        "regime": regime,
        "now": now.at if now else _EVERYTHING_HAPPENED_AT,
        "place": _place(values),
        "issued": issued,
        "provided": provided,
        "providing_unproven": _providing_unproven(values, regime),
        "alert_sent": alert,
        "alert_failed": values.stated("bounced"),
        "alert_delivered": values.stated("delivered"),
        "disputed": _disputed(values, regime),
        "receipt_proven": values.stated("proven"),
        "retrieved": _retrieved(values, regime),
        "consent_given": _consent(values),
        "consent_revoked": _revoked(values),
        "excluded": values.stated("excluded"),
        "sent": sent,
        "access_opened": values.stated("access_opened")
        if values.has("access_opened")
        else Stated(),
        "not_received": values.stated("not_received"),
        "in_doubt": values.stated("in_doubt"),
        "mandatory_electronic": values.stated("mandatory_electronic"),
        "instructed": values.stated("instructed"),
        "abroad": values.flag("abroad"),
        "schriftform": values.flag("schriftform"),
        "qualified_signed": _signed(values),
        "ozg_portal": values.flag("ozg_portal"),
        "remedy_faulty": values.stated("remedy_faulty"),
        "paper_sent": values.dated("paper_sent"),
    }
    if values.has("remedy"):
        facts["remedy"] = values.choice("remedy", _REMEDIES)
    if values.raw.get("assurance") is not None:
        facts["assurance"] = values.choice("assurance", _ASSURANCES)
    if values.raw.get("benefit") is not None:
        facts["benefit"] = values.choice("benefit", _BENEFITS)
    elif values.flag("sgb2"):
        facts["benefit"] = Benefit.SGB2
    facts |= read_receipt(values, regime, sent if regime in DIRECT else alert)
    if regime is Regime.VWZG_5A:
        facts |= read_confirmation(values)
    return Reading(
        facts=Facts(**facts), unknown=tuple(values.unknown), assumed=tuple(values.assumed)
    )


def _place(values: Values) -> Place:
    place = values.raw.get("place")
    if place is None:
        return DEFAULT_PLACE
    code = str(place).strip().upper()[:LONGEST_VALUE]
    found = Place(code if code.startswith("DE-") else f"DE-{code}")
    if found not in PLACES:
        raise FactsError(f"place: unknown {place!r}")
    return found


def _issued(values: Values) -> Dated | None:
    year = values.raw.get("issued")
    if isinstance(year, str) and _YEAR.fullmatch(year):
        year = int(year)
    if isinstance(year, int) and not isinstance(year, bool):
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise FactsError(f"issued: the year {year} is out of range")
        return Dated(at=datetime(year, 7, 1, tzinfo=UTC))
    return values.dated("issued")


def _assume_pair(
    values: Values,
    regime: Regime,
    provided: Dated | None,
    alert: Dated | None,
    issued: Dated | None,
) -> tuple[Dated | None, Dated | None]:
    """Fill in the one of providing and alert from which the clock does not start."""
    measured = issued or provided or alert
    by_providing = regime is Regime.OZG_9 or (
        regime is Regime.AO_122A and measured is not None and ao_recast(day(measured.at))
    )
    if by_providing and alert is None and provided and not values.has("alert_sent"):
        if not values.has("alert_documented"):
            values.assumed.append("Die Benachrichtigung wurde bei der Bereitstellung abgesandt.")
            return provided, Dated(at=provided.at)
    elif not by_providing and provided is None and alert and not values.has("provided"):
        values.assumed.append("Der Bescheid war bei Absendung der Benachrichtigung bereitgestellt.")
        return Dated(at=alert.at), alert
    return provided, alert


def _sent(
    values: Values, regime: Regime, alert: Dated | None, provided: Dated | None
) -> Dated | None:
    if values.has("sent") or regime not in DIRECT:
        return values.dated("sent")
    documented = not values.has("alert_documented") or values.flag("alert_documented")
    return (alert or provided) if documented else None


def _providing_unproven(values: Values, regime: Regime) -> Stated | None:
    if values.has("providing_proven"):
        return None if values.flag("providing_proven") else Stated()
    unproven = values.stated("providing_unproven")
    if unproven is None and regime in (Regime.OZG_9, Regime.AO_122A):
        proven = values.raw.get("proven")
        if proven is False and not values.has("disputed"):
            return Stated()
        return None if proven is True else values.stated("in_doubt")
    return unproven


def _disputed(values: Values, regime: Regime) -> Stated | None:
    """A denial; for an alert, a doubt about its receipt counts as one, to be on the safe side."""
    denied = values.stated("disputed")
    if denied is not None or regime not in (Regime.SGB10_37_2A, Regime.AO_122A):
        return denied
    doubt = values.stated("in_doubt") or values.stated("not_received")
    if doubt is not None:
        values.assumed.append("Der Zugang der Benachrichtigung ist bestritten.")
    return doubt


def _retrieved(values: Values, regime: Regime) -> Dated | None:
    """The first opening; an acknowledgement of the citizen's own key shows one as well."""
    opened = values.dated("retrieved")
    if opened is None and regime is not Regime.VWZG_5A and values.is_time("acknowledged"):
        values.assumed.append("Die Bestätigung der Person zeigt den Abruf an diesem Tag.")
        return values.dated("acknowledged")
    return opened


def _consent(values: Values) -> Dated | None:
    if values.flag("consent_missing"):
        return None
    if not values.has("consent_given") or values.raw["consent_given"] is True:
        return _SINCE_EVER
    return values.dated("consent_given", at_day=time(0))


def _revoked(values: Values) -> Dated | None:
    if values.raw.get("consent_revoked") is True:
        return Dated(at=_SINCE_EVER.at + timedelta(days=1))
    return values.dated("consent_revoked", at_day=time(0))


def _signed(values: Values) -> bool:
    value = values.raw.get("signed")
    if isinstance(value, str):
        return value.strip().lower() not in _NO_SIGNATURE
    return values.flag("signed")
