"""Incoming reports in the store: the alerts they are about, the messages that were kept.

Store functions of `siegelpost.bounces`; what a report means is decided there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from siegelpost.evidence.ids import AlertId, NoticeId
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.outbox import AlertState

BOUNCE = tables.core(tables.Bounce)
_alert = tables.core(tables.Alert)
_attempt = tables.core(tables.AlertAttempt)
_address = tables.core(tables.Address)
_agency = tables.core(tables.Agency)


@dataclass(frozen=True, kw_only=True)
class AlertMove:
    """The new state of an alert about which a report came."""

    #: the alert
    alert: AlertId
    #: state afterwards
    state: AlertState
    #: when submission ended, at the latest now
    finished_at: datetime
    #: Message-ID of the mail, once it is known to be out
    message_id: str | None


def lock_alerts(connection: Connection, alerts: Iterable[AlertId]) -> dict[AlertId, AnyRow]:
    """Lock the alerts for this transaction and return their rows.

    With `email`, where each went to, and its agency's `evidence_recipient`, if it has its own.
    """
    rows = connection.execute(_LOCKED, {"ids": sorted(set(alerts))})
    return {AlertId(row.id): row for row in rows}


def kept_before(
    connection: Connection, alerts: Iterable[AlertId]
) -> dict[AlertId, list[tuple[bytes, str]]]:
    """Return digest and effect of every message that was kept of each alert."""
    found: dict[AlertId, list[tuple[bytes, str]]] = {}
    for row in connection.execute(_KEPT, {"ids": sorted(set(alerts))}):
        found.setdefault(AlertId(row.alert_id), []).append((row.digest, row.effect))
    return found


def last_attempt(connection: Connection, alert: AlertId) -> tuple[int, dict[str, Any]] | None:
    """Return number and evidence of the alert's last recorded attempt."""
    row = connection.execute(
        select(_attempt.c.number, _attempt.c.evidence)
        .where(_attempt.c.alert_id == alert)
        .order_by(_attempt.c.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.number, row.evidence)


def reports_of(connection: Connection, notice: NoticeId) -> Sequence[AnyRow]:
    """Return the messages that were kept about a notice's alerts: id, digest and blob."""
    return connection.execute(
        select(BOUNCE.c.id, BOUNCE.c.digest, BOUNCE.c.blob_id)
        .join(_alert, _alert.c.id == BOUNCE.c.alert_id)
        .where(_alert.c.notice_id == notice)
        .order_by(BOUNCE.c.received_at, BOUNCE.c.id)
    ).all()


def keep_bounces(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of messages; their blobs are the caller's."""
    if rows:
        connection.execute(sql_insert(BOUNCE), list(rows))


def move_alerts(connection: Connection, moves: Sequence[AlertMove]) -> None:
    """Put each alert into its new state; nobody works on it or asks about it any more."""
    if moves:
        connection.execute(
            _MOVE,
            [
                {
                    "alert": move.alert,
                    "to": move.state.value,
                    "finished": move.finished_at,
                    "mail": move.message_id,
                }
                for move in moves
            ],
        )


_LOCKED = (
    select(_alert, _address.c.email, _agency.c.evidence_recipient)
    .select_from(
        _alert.join(_address, _address.c.id == _alert.c.address_id).outerjoin(
            _agency, _agency.c.id == _alert.c.agency_id
        )
    )
    .where(_alert.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_alert.c.id)
    .with_for_update(of=_alert)
)
_KEPT = select(BOUNCE.c.alert_id, BOUNCE.c.digest, BOUNCE.c.effect).where(
    BOUNCE.c.alert_id.in_(bindparam("ids", expanding=True))
)
_MOVE = (
    sql_update(_alert)
    .where(_alert.c.id == bindparam("alert"))
    .values(
        state=bindparam("to"),
        finished_at=bindparam("finished"),
        message_id=bindparam("mail"),
        confirm_by=None,
        lease_holder=None,
        lease_until=None,
    )
)
