"""When something arrived, as an example says it: receipts, lateness, Abholbestätigungen.

Part of `siegelpost.deadlines.reading`: the same names mean the notice itself where it was
sent (tables B and F), else the alert.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from siegelpost.deadlines.calendar import BERLIN, add_days, day
from siegelpost.deadlines.facts import Dated, FactsError, Regime, Stated
from siegelpost.deadlines.values import Values

#: Regimes in which the notice itself is sent.
DIRECT = (Regime.SGB10_37_2, Regime.VWZG_5A)
#: Stands for "later than any limit of sentence 7".
_CLEARLY_LATE_DAYS = 5
_MOST_DAYS = 36_500


def read_receipt(values: Values, regime: Regime, sent: Dated | None) -> dict[str, Any]:
    """When something arrived: the notice where it was sent itself, else the alert."""
    field = "received" if regime in DIRECT else "alert_received"
    found: dict[str, Any] = {}
    for name in ("received", "alert_received", "late"):
        if values.is_time(name):
            found[field] = values.dated(name)
    for name in ("received", "alert_received"):
        if values.raw.get(name) is True:
            found["receipt_proven"] = Stated()
        elif values.raw.get(name) is False:
            found["not_received" if regime in DIRECT else "disputed"] = Stated()
        elif values.has(name):
            values.dated(name)  # FactsError for what is neither a truth nor a time
    days = values.raw.get("late_days", values.raw.get("late"))
    if values.has("late_days") and isinstance(days, str | Mapping):
        raise FactsError(f"late_days: a number of days is needed, not {str(days)[:40]!r}")
    if days is True:
        days = _CLEARLY_LATE_DAYS
    if isinstance(days, int) and not isinstance(days, bool):
        if not 0 <= days <= _MOST_DAYS:
            raise FactsError(f"late_days: {days} is out of range")
        if sent is not None:
            arrived = datetime.combine(add_days(day(sent.at), days), time(12), BERLIN)
            found[field] = Dated(at=arrived.astimezone(UTC))
    elif days is not None and days is not False and not isinstance(days, str | Mapping):
        raise FactsError(f"late_days: a number of days is needed, not {days!r}")
    return found


def read_confirmation(values: Values) -> dict[str, Any]:
    """The Abholbestätigung: its login day is that of the retrieval, else its own."""
    retrieved = values.dated("retrieved")
    if not values.has("acknowledged"):
        if retrieved is not None:
            values.assumed.append("Für den Abruf liegt eine gültige Abholbestätigung vor.")
        return {"login_confirmed": retrieved}
    confirmed = values.stated("acknowledged")
    if confirmed is None:
        return {"login_confirmed": None}
    own = None if confirmed.at is None else Dated(at=confirmed.at, event_id=confirmed.event_id)
    if own is None and retrieved is None:
        raise FactsError("acknowledged: the time of the login is needed")
    arrived = values.dated("confirmation_arrived") or (own if retrieved else None)
    return {"login_confirmed": retrieved or own, "confirmation_arrived": arrived}
