"""The alerts about one notice, for the person whom they were to reach: when, where to, what became.

Not here: the events that prove it (``receipts``); a receipt holds every line of the mail servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, select

from siegelpost.evidence.ids import NoticeId
from siegelpost.store import tables
from siegelpost.store.outbox import AlertState

_alert = tables.core(tables.Alert)
_address = tables.core(tables.Address)
_attempt = tables.core(tables.AlertAttempt)


class Fate(StrEnum):
    """What became of an alert, as far as we know."""

    #: not sent yet
    WAITING = "waiting"
    #: a server put us off; we try again
    RETRYING = "retrying"
    #: the next server took it, which is not arrival
    SENT = "sent"
    #: the last server reported that it put it into the mailbox
    DELIVERED = "delivered"
    #: it did not arrive
    FAILED = "failed"


_FATES: Mapping[str, Fate] = {
    AlertState.QUEUED: Fate.WAITING,
    AlertState.SUBMITTING: Fate.WAITING,
    AlertState.DEFERRED: Fate.RETRYING,
    AlertState.ACCEPTED: Fate.SENT,
    AlertState.DELIVERED: Fate.DELIVERED,
    AlertState.FAILED: Fate.FAILED,
    AlertState.GIVEN_UP: Fate.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class SentAlert:
    """One mail about a notice."""

    #: notice | reminder | deadline-reminder
    kind: str
    #: where it went, shortened: enough for its owner to know which one
    address: str
    #: end of the last attempt, or when it was due if there was none
    at: datetime
    #: what became of it
    fate: Fate
    #: how often a server was asked to take it
    attempts: int


def sent_alerts(connection: Connection, notice_id: NoticeId) -> tuple[SentAlert, ...]:
    """Return the alerts about a notice that the caller may see, oldest first."""
    last = (
        select(_attempt.c.alert_id, func.max(_attempt.c.ended_at).label("ended_at"))
        .group_by(_attempt.c.alert_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            _alert.c.kind,
            _alert.c.state,
            _alert.c.created_at,
            _alert.c.attempts,
            _address.c.email,
            last.c.ended_at,
        )
        .join(_address, _address.c.id == _alert.c.address_id)
        .outerjoin(last, last.c.alert_id == _alert.c.id)
        .where(_alert.c.notice_id == notice_id)
        .order_by(_alert.c.created_at, _alert.c.id)
    )
    return tuple(
        SentAlert(
            kind=row.kind,
            address=shortened(row.email),
            at=row.ended_at or row.created_at,
            fate=_FATES.get(row.state, Fate.WAITING),
            attempts=row.attempts,
        )
        for row in rows
    )


def shortened(email: str) -> str:
    """``al…@example.org``: screens are photographed, and the page may be read by a helper."""
    local, _, domain = email.rpartition("@")
    return f"{local[:2]}…@{domain}"
