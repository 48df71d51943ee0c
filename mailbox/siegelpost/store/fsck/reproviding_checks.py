"""Invariants of providing again: both notices name each other in evidence, once."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.store import tables
from siegelpost.store.fsck.finding import Finding, Progress

_notice = tables.core(tables.Notice)
_event = tables.core(tables.Event)


def check_reproviding(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each notice that provides another again is named by one `reprovided` of that, and back.

    Unless the one or the other was erased.
    """
    before = {
        row.id: row.reprovides
        for row in connection.execute(
            select(_notice.c.id, _notice.c.reprovides).where(_notice.c.reprovides.is_not(None))
        )
    }
    named: dict[str, str] = {}
    rows = connection.execute(
        select(_event.c.notice_id, _event.c.body).where(
            _event.c.type == EventType.REPROVIDED.value, _event.c.body.is_not(None)
        ),
        execution_options={"yield_per": 500},
    )
    for row in rows:
        new = str(json.loads(row.body)["facts"].get("notice"))
        if new in named or (before.get(new) != row.notice_id and not _erased(connection, new)):
            yield _about(row.notice_id, f"its evidence says provided again as {new}, which is not")
        named[new] = row.notice_id
    for new, old in before.items():
        if new not in named and not _erased(connection, old, EventType.REPROVIDED):
            yield _about(new, f"it provides {old} again, and no evidence of that says so")
    progress("reproviding", len(before), len(before))


def _erased(connection: Connection, notice: str, kind: EventType = EventType.PROVIDED) -> bool:
    """Whether an event of this kind is there and says nothing any more."""
    found = connection.execute(
        select(_event.c.id).where(
            _event.c.subject == f"notice:{notice}",
            _event.c.type == kind.value,
            _event.c.body.is_(None),
        )
    )
    return found.first() is not None


def _about(notice: str, what: str) -> Finding:
    return Finding(check="reproviding", where=f"notice {notice}", what=what)
