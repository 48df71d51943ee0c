"""Status: what the agency sees of a notice that it sent: state, events, alerts with attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.ids import AgencyId, AlertId, EventId, NoticeId
from siegelpost.notices.clock_results import as_json
from siegelpost.notices.deadline import compute
from siegelpost.notices.readers import one_notice, sent_by
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.events import events_of

_alert = tables.core(tables.Alert)
_attempt = tables.core(tables.AlertAttempt)


@dataclass(frozen=True, kw_only=True)
class StatusEvent:
    """One event of the notice."""

    #: its id
    id: EventId
    #: what happened, e.g. ``provided``
    type: str
    #: when
    at: datetime
    #: what else was seen; empty once erased
    facts: Json
    #: the leaf's data
    commitment: bytes
    #: position in the log, or None for the first seconds
    leaf_index: int | None


@dataclass(frozen=True, kw_only=True)
class StatusAttempt:
    """One SMTP transaction."""

    #: counted from 1
    number: int
    #: begin
    started_at: datetime
    #: end
    ended_at: datetime
    #: accepted | deferred | failed
    outcome: str
    #: server, TLS, every reply line
    evidence: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StatusAlert:
    """One mail about the notice."""

    #: its id
    id: AlertId
    #: notice | reminder
    kind: str
    #: queued | submitting | deferred | accepted | delivered | failed | given-up
    state: str
    #: when it was queued
    created_at: datetime
    #: when it ended, if it did
    finished_at: datetime | None
    #: in order
    attempts: tuple[StatusAttempt, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the agency sees."""

    #: the notice
    id: NoticeId
    #: the agency's reference for the citizen
    enrolment_id: str
    #: provided | retrieved | acknowledged | withdrawn | closed
    state: str
    #: rule set by which it counts as served
    regime: str
    #: since when the citizen can retrieve it
    provided_at: datetime
    #: when that happened first, if ever
    retrieved_at: datetime | None
    #: when the citizen's key signed, if ever
    acknowledged_at: datetime | None
    #: signed note of the 201
    acceptance: str
    #: in the order of the chain
    events: tuple[StatusEvent, ...]
    #: the alert first, then reminders
    alerts: tuple[StatusAlert, ...]
    #: what the legal clock says; see `siegelpost.notices.clock_results`
    deadline: dict[str, Any]


async def status(context: Context, agency_id: AgencyId, notice_id: NoticeId) -> Status:
    """Return the status; NoSuchNotice for foreign and unknown ids alike."""

    now = context.now()

    def work(connection: Connection) -> Status:
        row = one_notice(connection, sent_by(agency_id), notice_id)
        return Status(
            id=notice_id,
            enrolment_id=row.enrolment_id,
            state=row.state,
            regime=row.regime,
            provided_at=row.provided_at,
            retrieved_at=row.retrieved_at,
            acknowledged_at=row.acknowledged_at,
            acceptance=row.acceptance,
            events=tuple(_events(connection, notice_id)),
            alerts=tuple(_alerts(connection, notice_id)),
            deadline=as_json(compute(connection, notice_id, now), now),
        )

    return await context.store.read(work)


def _events(connection: Connection, notice_id: NoticeId) -> list[StatusEvent]:
    return [
        StatusEvent(
            id=EventId(row.id),
            type=row.type,
            at=row.at,
            facts=dict(parse_event(row.body.encode("utf-8")).facts) if row.body else {},
            commitment=row.commitment,
            leaf_index=row.leaf_index,
        )
        for row in events_of(connection, f"notice:{notice_id}")
    ]


def _alerts(connection: Connection, notice_id: NoticeId) -> list[StatusAlert]:
    alerts = connection.execute(
        select(_alert).where(_alert.c.notice_id == notice_id).order_by(_alert.c.id)
    ).all()
    attempts: dict[str, list[StatusAttempt]] = {}
    for row in connection.execute(
        select(_attempt)
        .join(_alert, _alert.c.id == _attempt.c.alert_id)
        .where(_alert.c.notice_id == notice_id)
        .order_by(_attempt.c.alert_id, _attempt.c.number)
    ):
        attempts.setdefault(row.alert_id, []).append(
            StatusAttempt(
                number=row.number,
                started_at=row.started_at,
                ended_at=row.ended_at,
                outcome=row.outcome,
                evidence=row.evidence,
            )
        )
    return [
        StatusAlert(
            id=AlertId(row.id),
            kind=row.kind,
            state=row.state,
            created_at=row.created_at,
            finished_at=row.finished_at,
            attempts=tuple(attempts.get(row.id, ())),
        )
        for row in alerts
    ]
