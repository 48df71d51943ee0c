"""Whether and when something arrived, out of what was said about it (pure).

The alert, or the notice itself in regimes without one. The citizen denies it, says when it came,
or the agency shows when it did (§ 37(2a) sentences 5 to 7 SGB X):

1. What the agency shows stands, whatever was said before or is said later: it refutes a denial
   and a claim of lateness. Of several, the last one.
2. Else the citizen's last word counts: a denial, or a day of arrival. Naming a day concedes that
   it arrived; a denial after that takes it back.

Does not weigh evidence: that the agency shows it is the agency's word, and the event says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from siegelpost.deadlines import Dated, EventId, Stated
from siegelpost.evidence.events import EventType
from siegelpost.notices.happened import Happened, moment

#: Values of the fact ``shown_by``.
BY_AGENCY, BY_CITIZEN = "agency", "citizen"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What the clock is told."""

    #: the citizen denies it
    denied: Stated | None = None
    #: that it arrived is shown or conceded
    proven: Stated | None = None
    #: when it arrived, if that is said
    received: Dated | None = None


def arrival_of(events: Sequence[Happened], alerts: Collection[str]) -> Arrival:
    """What `events` of a notice, in order, say about one of its alerts (its ids)."""
    denied: Stated | None = None
    shown: Happened | None = None
    last: Happened | None = None
    for event in events:
        if event.type not in _SAID or not _about(event, alerts):
            continue
        if event.facts.get("shown_by") == BY_AGENCY:
            shown = event
            continue
        denies = event.type == EventType.ALERT_DISPUTED and _when(event) is None
        if denies and denied is None:
            denied = _stated(event)
        last = event
    said = shown or last
    received = None if said is None else _when(said)
    if said is None or received is None:
        return Arrival(denied=denied)
    return Arrival(
        denied=denied,
        # A claim of lateness concedes the arrival, and proves nothing for the agency.
        proven=_stated(said) if said.type == EventType.ALERT_RECEIVED else None,
        received=received,
    )


def _about(event: Happened, alerts: Collection[str]) -> bool:
    about = event.facts.get("alert")
    return about is None or not alerts or about in alerts


def _when(event: Happened) -> Dated | None:
    at = moment(event.facts.get("received_at"))
    return None if at is None else Dated(at=at, event_id=EventId(event.id))


def _stated(event: Happened) -> Stated:
    return Stated(at=event.at, event_id=EventId(event.id))


_SAID = frozenset({EventType.ALERT_DISPUTED.value, EventType.ALERT_RECEIVED.value})
