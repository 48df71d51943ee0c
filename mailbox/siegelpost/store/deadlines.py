"""Results of the legal clock: appended to a notice's list, with a pointer to the newest.

DESIGN section 9: recomputed, never overwritten. What a result says is made by
`siegelpost.notices.clock_results`; this keeps it and tells which notices to look at again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from siegelpost.evidence import canonical
from siegelpost.evidence.ids import ID_RANDOM, NoticeId, new_id
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.errors import Conflict

DEADLINE = tables.core(tables.Deadline)
WATCH = tables.core(tables.DeadlineWatch)
_cursor = tables.core(tables.Cursor)
_event = tables.core(tables.Event)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One look at the clock of a notice."""

    #: the notice
    notice: NoticeId
    #: number of the newest result when the looking began, or None if there was none
    after: int | None
    #: canonical JSON values of the result
    result: Mapping[str, Any]
    #: what makes it differ from others
    digest: bytes
    #: when to look again, or None
    look_at: datetime | None


def append_results(
    connection: Connection,
    looks: Sequence[Looked],
    *,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> int:
    """Append each result that differs from the newest; set when to look again.

    Returns how many were appended. Raises Conflict if another look was faster at any of them.
    """
    if not looks:
        return 0
    newest = watched(connection, [look.notice for look in looks], lock=True)
    rows, first, moved = [], [], []
    for look in looks:
        before = newest.get(look.notice)
        if (None if before is None else before.number) != look.after:
            raise Conflict("another look at the clock was faster")
        number = 0 if before is None else before.number
        if before is None or before.digest != look.digest:
            number = 0 if before is None else number + 1
            rows.append(_row(look, number, now, entropy))
        values = {"number": number, "digest": look.digest, "look_at": look.look_at}
        if before is None:
            first.append({"notice_id": look.notice, "reminded_of": None, **values})
        else:
            moved.append({"notice": look.notice, "after": look.after, **_bound(values)})
    try:
        if rows:
            connection.execute(DEADLINE.insert(), rows)
        if first:
            connection.execute(WATCH.insert(), first)
    except IntegrityError:
        raise Conflict("another look at the clock was faster") from None
    if moved:
        connection.execute(_MOVE, moved)
    return len(rows)


def watched(connection: Connection, notices: Sequence[str], *, lock: bool) -> dict[str, AnyRow]:
    """The watch rows of `notices`, by notice; `lock` keeps others away until the commit."""
    query = _WATCHED.with_for_update() if lock else _WATCHED
    rows = connection.execute(query, {"notices": sorted(set(notices))})
    return {row.notice_id: row for row in rows}


def due(connection: Connection, *, now: datetime, limit: int) -> list[NoticeId]:
    """Notices whose clock has to be looked at because days have passed, the longest due first."""
    return list(connection.execute(_DUE, {"now": now, "limit": limit}).scalars())


def next_due_at(connection: Connection) -> datetime | None:
    """When the next clock is to be looked at, or None."""
    return connection.execute(
        select(WATCH.c.look_at).where(WATCH.c.look_at.is_not(None)).order_by(WATCH.c.look_at)
    ).scalar()


def remember_reminder(connection: Connection, notice: str, end: date) -> bool:
    """Note that the citizen is reminded of `end`; return whether nobody had done so before."""
    noted = connection.execute(
        WATCH.update()
        .where(
            WATCH.c.notice_id == notice,
            WATCH.c.reminded_of.is_(None) | (WATCH.c.reminded_of != end),
        )
        .values(reminded_of=end)
    )
    return bool(noted.rowcount)


def results_of(connection: Connection, notice: str) -> Sequence[AnyRow]:
    """Every result of a notice, oldest first."""
    return connection.execute(
        select(DEADLINE).where(DEADLINE.c.notice_id == notice).order_by(DEADLINE.c.number)
    ).all()


def position(connection: Connection, name: str) -> int:
    """The leaf index of the last event that reader `name` has dealt with, -1 at first."""
    found = connection.execute(select(_cursor.c.position).where(_cursor.c.name == name)).scalar()
    return -1 if found is None else int(found)


def events_after(connection: Connection, after: int, *, limit: int) -> Sequence[AnyRow]:
    """The log's next events after leaf `after`, in order: none is ever put in between later."""
    return connection.execute(_AFTER, {"after": after, "limit": limit}).all()


def advance(connection: Connection, name: str, *, after: int, to: int) -> None:
    """Move reader `name` on; Conflict if another process of the same name did."""
    try:
        if after < 0:
            connection.execute(_cursor.insert(), {"name": name, "position": to})
            return
    except IntegrityError:
        raise Conflict(f"another {name} was faster") from None
    moved = connection.execute(
        _cursor.update()
        .where(_cursor.c.name == name, _cursor.c.position == after)
        .values(position=to)
    )
    if moved.rowcount != 1:
        raise Conflict(f"another {name} was faster")


def _row(
    look: Looked, number: int, now: datetime, entropy: Callable[[int], bytes]
) -> dict[str, Any]:
    result = look.result
    return {
        "id": new_id(now, entropy(ID_RANDOM)),
        "notice_id": look.notice,
        "number": number,
        "computed_at": now,
        "rule_set": result["rule_set"],
        "rule": result["rule"],
        "state": result["state"],
        "deemed": _day(result["deemed"]),
        "ends_on": _day(result["end"]),
        "open_until": _day(result["open_until"]),
        "review": bool(result["review"]),
        "result": canonical.encode(dict(result)).decode("utf-8"),
        "digest": look.digest,
    }


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _bound(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"to_{name}": value for name, value in values.items()}


_WATCHED = (
    select(WATCH)
    .where(WATCH.c.notice_id.in_(bindparam("notices", expanding=True)))
    .order_by(WATCH.c.notice_id)
)
_DUE = (
    select(WATCH.c.notice_id)
    .where(WATCH.c.look_at.is_not(None), WATCH.c.look_at <= bindparam("now"))
    .order_by(WATCH.c.look_at)
    .limit(bindparam("limit"))
)
_MOVE = (
    WATCH.update()
    .where(WATCH.c.notice_id == bindparam("notice"), WATCH.c.number == bindparam("after"))
    .values(
        number=bindparam("to_number"),
        digest=bindparam("to_digest"),
        look_at=bindparam("to_look_at"),
    )
)
_AFTER = (
    select(
        _event.c.leaf_index,
        _event.c.type,
        _event.c.agency_id,
        _event.c.notice_id,
        _event.c.mailbox_id,
    )
    .where(_event.c.leaf_index > bindparam("after"))
    .order_by(_event.c.leaf_index)
    .limit(bindparam("limit"))
)
