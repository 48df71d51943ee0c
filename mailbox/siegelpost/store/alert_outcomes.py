"""How attempts of alerts ended: recorded once, and only while the claim's lease is still its own.

DESIGN section 8: at-least-once SMTP, exactly one outcome per alert in the evidence.
`holding` and `finish_attempts` run in one transaction with the events that prove the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import update as sql_update

from siegelpost.evidence.ids import AlertId
from siegelpost.store import tables
from siegelpost.store.bulk import BulkInsert
from siegelpost.store.outbox import AlertState

_alert = tables.core(tables.Alert)
_attempt = tables.core(tables.AlertAttempt)
_address = tables.core(tables.Address)
_insert_attempts = BulkInsert(
    _attempt, ("alert_id", "number", "started_at", "ended_at", "outcome", "evidence")
)


@dataclass(frozen=True, kw_only=True)
class AttemptOutcome:
    """How one attempt ended; recorded only while its lease still holds."""

    #: the alert
    alert: AlertId
    #: who claimed it
    holder: str
    #: which attempt
    attempt: int
    #: state afterwards
    state: AlertState
    #: no attempt before this (deferred alerts only)
    due_at: datetime | None
    #: when the attempt began
    started_at: datetime
    #: when it ended
    ended_at: datetime
    #: accepted | deferred | failed, of the attempt alone
    outcome: str
    #: JSON: the whole dialogue
    evidence: Mapping[str, Any]
    #: Message-ID of the mail, once accepted
    message_id: str | None
    #: when to ask whether delivery was reported, if reports were asked for
    confirm_by: datetime | None = None


def holding(connection: Connection, outcomes: Sequence[AttemptOutcome]) -> set[AlertId]:
    """Lock the alerts of `outcomes` and return those whose lease is still the same claim's.

    In the transaction that goes on to record them: a claim that was taken over records nothing.
    """
    rows = connection.execute(_HELD, {"ids": [outcome.alert for outcome in outcomes]}).all()
    held = {(row.id, row.lease_holder, row.attempts) for row in rows}
    return {
        outcome.alert
        for outcome in outcomes
        if (outcome.alert, outcome.holder, outcome.attempt) in held
    }


def finish_attempts(connection: Connection, outcomes: Sequence[AttemptOutcome]) -> None:
    """Record attempts that `holding` has found held: the attempt's row, the alert's new state."""
    if not outcomes:
        return
    _insert_attempts(
        connection,
        [
            {
                "alert_id": outcome.alert,
                "number": outcome.attempt,
                "started_at": outcome.started_at,
                "ended_at": outcome.ended_at,
                "outcome": outcome.outcome,
                "evidence": dict(outcome.evidence),
            }
            for outcome in outcomes
        ],
    )
    for open_, statement in ((True, _DEFER), (False, _FINISH)):
        rows = [
            {
                "alert": outcome.alert,
                "to": outcome.state.value,
                "due": outcome.due_at,
                "ended": outcome.ended_at,
                "mail": outcome.message_id,
                "confirm": outcome.confirm_by,
            }
            for outcome in outcomes
            if (outcome.due_at is not None) is open_
        ]
        if rows:
            connection.execute(statement, rows)


def fail_addresses(connection: Connection, address_ids: Sequence[str], *, at: datetime) -> None:
    """Mark addresses as permanently undeliverable since `at`, unless they already were."""
    if address_ids:
        connection.execute(
            sql_update(_address)
            .where(_address.c.id.in_(sorted(set(address_ids))), _address.c.failed_at.is_(None))
            .values(failed_at=at)
        )


def attempts_before(
    connection: Connection, alerts: Sequence[AlertId]
) -> dict[AlertId, dict[int, dict[str, Any]]]:
    """Return the evidence of every recorded attempt of `alerts`, by alert and number."""
    rows = connection.execute(
        select(_attempt.c.alert_id, _attempt.c.number, _attempt.c.evidence).where(
            _attempt.c.alert_id.in_(alerts)
        )
    )
    found: dict[AlertId, dict[int, dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(AlertId(row.alert_id), {})[row.number] = row.evidence
    return found


_HELD = (
    select(_alert.c.id, _alert.c.lease_holder, _alert.c.attempts)
    .where(
        _alert.c.id.in_(bindparam("ids", expanding=True)),
        _alert.c.finished_at.is_(None),
        _alert.c.state == AlertState.SUBMITTING.value,
    )
    .with_for_update()
)

_RELEASED: dict[str, Any] = {"state": bindparam("to"), "lease_holder": None, "lease_until": None}

_DEFER = (
    sql_update(_alert)
    .where(_alert.c.id == bindparam("alert"))
    .values(**_RELEASED, due_at=bindparam("due"))
)

_FINISH = (
    sql_update(_alert)
    .where(_alert.c.id == bindparam("alert"))
    .values(
        **_RELEASED,
        finished_at=bindparam("ended"),
        message_id=bindparam("mail"),
        confirm_by=bindparam("confirm"),
    )
)
