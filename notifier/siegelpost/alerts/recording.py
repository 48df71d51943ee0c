"""Recording outcomes: attempt, state, event and address in one transaction, many alerts at once.

DESIGN section 8: exactly one alert event per alert. A worker whose lease was taken over records
nothing; the one that took over does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from siegelpost.alerts.alert_events import failure_tasks, outcome_event, summary
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AlertId
from siegelpost.store.alert_outcomes import (
    AttemptOutcome,
    attempts_before,
    fail_addresses,
    finish_attempts,
    holding,
)
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.outbox import ClaimedAlert
from siegelpost.store.tasks import open_tasks


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One attempt that is over, ready to be recorded."""

    #: the claim
    alert: ClaimedAlert
    #: what the store keeps of it
    outcome: AttemptOutcome
    #: the event that the lifecycle demands, if any
    event: EventType | None
    #: the attempt's evidence
    evidence: Mapping[str, Json]
    #: whether the address takes no mail for good
    fail_address: bool


class Recorder:
    """Records finished attempts in bulk; hand `record` to `Store.write_bulk`."""

    def __init__(self, *, entropy: Callable[[int], bytes]) -> None:
        """`entropy` gives ids and salts of events."""
        self._entropy = entropy

    def record(self, connection: Connection, items: Sequence[Finished]) -> Sequence[bool]:
        """Record each item whose lease still holds; return for each whether it was recorded."""
        held = holding(connection, [item.outcome for item in items])
        kept = [item for item in items if item.alert.id in held]
        finish_attempts(connection, [item.outcome for item in kept])
        drafts = self._drafts(connection, kept)
        if drafts:
            append_events(connection, drafts, entropy=self._entropy)
        for item in kept:
            if item.fail_address:
                fail_addresses(connection, [item.alert.address_id], at=item.outcome.ended_at)
            tasks = failure_tasks(item.event, item.alert, item.evidence)
            open_tasks(connection, tasks, now=item.outcome.ended_at, entropy=self._entropy)
        return [item.alert.id in held for item in items]

    def _drafts(self, connection: Connection, items: Sequence[Finished]) -> list[EventDraft]:
        retried = [item.alert.id for item in items if item.event and item.alert.attempt > 1]
        before = attempts_before(connection, retried) if retried else {}
        drafts = (
            outcome_event(
                item.event,
                item.alert,
                at=item.outcome.ended_at,
                evidence=item.evidence,
                earlier=_earlier(item.alert, before),
            )
            for item in items
            if item.event
        )
        return [draft for draft in drafts if draft is not None]


def _earlier(
    alert: ClaimedAlert, before: Mapping[AlertId, Mapping[int, Mapping[str, Json]]]
) -> list[Mapping[str, Json]]:
    recorded = before.get(alert.id, {})
    # An attempt that was begun and never recorded belongs to a worker that vanished.
    vanished: dict[str, Json] = {"verdict": "unknown", "reason": "worker-vanished"}
    return [summary(number, recorded.get(number, vanished)) for number in range(1, alert.attempt)]
