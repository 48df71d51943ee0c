"""Invariants of alerts and reports: their state and what the evidence says about them agree.

An alert about a notice that has ended was sent or it failed, once. A report may add one delivery
and, after a sending or a delivery, one failure; each such report is kept. News from on the way
come once of each kind, and only about what was sent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from siegelpost.evidence.events import EventType
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.fsck.finding import Finding, Progress
from siegelpost.store.outbox import AlertState
from siegelpost.store.tasks import TaskKind

_event = tables.core(tables.Event)
_alert = tables.core(tables.Alert)
_blob = tables.core(tables.Blob)
_bounce = tables.core(tables.Bounce)
_task = tables.core(tables.Task)

_SENT = EventType.ALERT_SENT.value
_DELIVERED = EventType.ALERT_DELIVERED.value
_FAILED = EventType.ALERT_FAILED.value
_ON_THE_WAY = (EventType.ALERT_DELAYED.value, EventType.ALERT_RELAYED.value)

#: State -> how often (sent, delivered, failed) may be in evidence.
_SOUND: dict[AlertState, frozenset[tuple[int, int, int]]] = {
    AlertState.QUEUED: frozenset({(0, 0, 0)}),
    AlertState.SUBMITTING: frozenset({(0, 0, 0)}),
    AlertState.DEFERRED: frozenset({(0, 0, 0)}),
    AlertState.ACCEPTED: frozenset({(1, 0, 0)}),
    # the last one: given up, and then a lost answer turned out to have been a yes
    AlertState.DELIVERED: frozenset({(1, 1, 0), (1, 1, 1)}),
    AlertState.FAILED: frozenset({(0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 2)}),
    AlertState.GIVEN_UP: frozenset({(0, 0, 1)}),
}


def check_alerts(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each alert's events fit its state, and a failed one opened a task."""
    rows = connection.execute(
        select(
            _alert.c.id,
            _alert.c.notice_id,
            _alert.c.agency_id,
            _alert.c.state,
            _alert.c.finished_at,
        )
        .where(_alert.c.notice_id.is_not(None))
        .order_by(_alert.c.notice_id),
        execution_options={"yield_per": 1000},
    )
    notice, events = "", Counter[tuple[str, str]]()
    for done, row in enumerate(rows, 1):
        if row.notice_id != notice:
            notice, events = row.notice_id, _events(connection, row.notice_id)
        yield from _check_alert(connection, row, events)
        if done % 1000 == 0:
            progress("alerts", done, done)


def check_reports(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each report that had an effect names its event, and every report is kept."""
    rows = connection.execute(
        select(_bounce, _alert.c.notice_id, _event.c.type, _blob.c.id.label("blob"))
        .join(_alert, _alert.c.id == _bounce.c.alert_id)
        .outerjoin(_event, _event.c.id == _bounce.c.event_id)
        .outerjoin(_blob, (_blob.c.id == _bounce.c.blob_id) & (_blob.c.part == 0))
        .order_by(_bounce.c.id),
        execution_options={"yield_per": 1000},
    )
    wanted = {"delivered": _DELIVERED, "failed": _FAILED}
    wanted |= {kind.removeprefix("alert-"): kind for kind in _ON_THE_WAY}
    for done, row in enumerate(rows, 1):
        if row.blob is None:
            yield _about_report(row, "its message is gone")
        if row.notice_id is not None and row.type != wanted.get(row.effect):
            yield _about_report(row, f"its event is {row.type}, its effect {row.effect}")
        if done % 1000 == 0:
            progress("reports", done, done)


def _check_alert(
    connection: Connection, row: AnyRow, events: Counter[tuple[str, str]]
) -> Iterator[Finding]:
    found = tuple(events[row.id, kind] for kind in (_SENT, _DELIVERED, _FAILED))
    if found not in _SOUND[AlertState(row.state)]:
        yield _about(
            row,
            f"{found[0]} sent, {found[1]} delivered, {found[2]} failed in evidence, "
            f"its state is {row.state}",
        )
    for kind in _ON_THE_WAY:
        if events[row.id, kind] > found[0] or events[row.id, kind] > 1:
            yield _about(row, f"{events[row.id, kind]} {kind} in evidence, {found[0]} sent")
    ended = row.finished_at is not None
    if ended is (AlertState(row.state) in _OPEN):
        yield _about(row, f"its state is {row.state}, and it has {'' if ended else 'not '}ended")
    if found[2] and row.agency_id is not None:
        tasks = connection.execute(
            select(func.count()).where(
                _task.c.notice_id == row.notice_id, _task.c.kind == TaskKind.ALERT_FAILED.value
            )
        ).scalar_one()
        if tasks != 1:
            yield _about(row, f"it failed, and there are {tasks} tasks about that")


_OPEN = frozenset({AlertState.QUEUED, AlertState.SUBMITTING, AlertState.DEFERRED})


def _events(connection: Connection, notice_id: str) -> Counter[tuple[str, str]]:
    rows = connection.execute(
        select(_event.c.type, _event.c.body).where(
            _event.c.subject == f"notice:{notice_id}",
            _event.c.type.in_((_SENT, _DELIVERED, _FAILED, *_ON_THE_WAY)),
        )
    )
    return Counter(
        (json.loads(row.body)["facts"].get("alert", ""), row.type) for row in rows if row.body
    )


def _about(row: AnyRow, what: str) -> Finding:
    return Finding(check="alert", where=f"alert {row.id}", what=what)


def _about_report(row: AnyRow, what: str) -> Finding:
    return Finding(check="report", where=f"report {row.id}", what=what)
