"""Writing to a notice's chain of events, on which several parties may write at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from siegelpost.notices.readers import NOTICE
from siegelpost.notices.state import NoticeState
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict

T = TypeVar("T")

#: Tries before a conflict is given to the caller; each means that somebody else got on.
TRIES = 5


async def write_on(context: Context, work: Callable[[Connection], T]) -> T:
    """Run ``work`` in a write transaction, again on the new state if another was faster.

    Raises Conflict after TRIES, StoreUnavailable at once.
    """
    for _ in range(TRIES - 1):
        try:
            return await context.store.write(work)
        except Conflict:
            continue
    return await context.store.write(work)


def move_on(connection: Connection, notice: AnyRow, to: NoticeState, **stamps: datetime) -> None:
    """Move ``notice`` on from the state that its row shows; Conflict if somebody was faster.

    ``stamps`` are columns that say when, such as ``retrieved_at``.
    """
    changed = connection.execute(
        NOTICE.update()
        .where(NOTICE.c.id == notice.id, NOTICE.c.state == notice.state)
        .values(state=to.value, **stamps)
    )
    if changed.rowcount != 1:
        raise Conflict("the notice changed meanwhile")
