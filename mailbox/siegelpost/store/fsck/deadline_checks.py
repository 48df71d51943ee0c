"""Invariants of the legal clock's results: numbered without gap, unchanged, on our events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, select

from siegelpost.evidence import canonical
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.deadlines import DEADLINE, WATCH
from siegelpost.store.fsck.finding import Finding, Progress

_event = tables.core(tables.Event)

#: Parts of a result that do not make it differ from the one before.
VOLATILE = ("computed_at", "what_if")


def check_deadlines(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each result is as it was appended, and the newest is the one that is watched."""
    total = connection.execute(select(func.count()).select_from(DEADLINE)).scalar_one()
    rows = connection.execute(
        select(DEADLINE, WATCH.c.number.label("newest"), WATCH.c.digest.label("watched"))
        .outerjoin(WATCH, WATCH.c.notice_id == DEADLINE.c.notice_id)
        .order_by(DEADLINE.c.notice_id, DEADLINE.c.number),
        execution_options={"yield_per": 500},
    )
    before: AnyRow | None = None
    for done, row in enumerate(rows, 1):
        if before is not None and before.notice_id != row.notice_id:
            yield from _check_newest(before)
            before = None
        expected = 0 if before is None else before.number + 1
        if row.number != expected:
            yield _about(row, f"result {expected} is missing")
        yield from _check_content(connection, row)
        before = row
        if done % 500 == 0:
            progress("deadlines", done, total)
    if before is not None:
        yield from _check_newest(before)


def _check_newest(row: AnyRow) -> Iterator[Finding]:
    if (row.newest, row.watched) != (row.number, row.digest):
        yield _about(row, "the newest result is not the one that is watched")


def _check_content(connection: Connection, row: AnyRow) -> Iterator[Finding]:
    try:
        value: dict[str, Any] = json.loads(row.result)
        kept = {name: part for name, part in value.items() if name not in VOLATILE}
        digest = hashlib.sha256(canonical.encode(kept)).digest()
        said = (value["state"], value["rule"], value["deemed"], value["end"])
    except (ValueError, KeyError, TypeError):
        yield _about(row, "the result cannot be read")
        return
    shown = (row.state, row.rule, _iso(row.deemed), _iso(row.ends_on))
    if digest != row.digest or said != shown:
        yield _about(row, "the result was changed")
        return
    found = connection.execute(
        select(func.count()).select_from(_event).where(_event.c.id.in_(value["events"]))
    ).scalar_one()
    if found != len(set(value["events"])):
        yield _about(row, "the result rests on an event that is not there")


def _iso(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())


def _about(row: AnyRow, what: str) -> Finding:
    return Finding(check="deadline", where=f"notice {row.notice_id} result {row.number}", what=what)
