"""How many replies their agencies never fetched, and since when: for operators and clerks.

A program of the agency's fetches them on a schedule; where it has stopped, nothing else says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from siegelpost.evidence.ids import AgencyId
from siegelpost.notices.reply_to import REPLY
from siegelpost.store.context import Context


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What one agency never fetched; at least one reply."""

    #: whose
    agency: AgencyId
    #: how many
    count: int
    #: when the first of them came in
    since: datetime


async def replies_waiting(context: Context, agency: AgencyId | None = None) -> list[Waiting]:
    """Of each agency for which replies wait, or of this one; StoreUnavailable."""
    query = (
        select(
            REPLY.c.agency_id,
            func.count().label("count"),
            func.min(REPLY.c.received_at).label("since"),
        )
        .where(REPLY.c.fetched_at.is_(None))
        .group_by(REPLY.c.agency_id)
        .order_by(REPLY.c.agency_id)
    )
    if agency is not None:
        query = query.where(REPLY.c.agency_id == agency)

    def work(connection: Connection) -> list[Waiting]:
        return [
            Waiting(agency=AgencyId(row.agency_id), count=row[1], since=row.since)
            for row in connection.execute(query)
        ]

    return await context.store.read(work)
