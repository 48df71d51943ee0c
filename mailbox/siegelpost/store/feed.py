"""The feed of an agency: the logged events of its notices, in the order of the log.

The cursor is a place in the log, not an id or a time: transactions commit in another order than
they begin, but the log gives a place only to what is committed and never puts one in between
later. So whoever goes on from the last place misses nothing. One indexed seek, whatever the size.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from siegelpost.evidence.ids import AgencyId
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

_event = tables.core(tables.Event)
_notice = tables.core(tables.Notice)


def events_of_agency(
    connection: Connection, agency: AgencyId, *, since: int, limit: int
) -> Sequence[AnyRow]:
    """Return logged events of the agency's notices from leaf `since` on, with `enrolment_id`."""
    values = {"agency": agency, "since": since, "limit": limit}
    return connection.execute(FEED, values).all()


#: The two IS NOT NULL say to the planner that the partial index holds every row wanted.
FEED = (
    select(
        _event.c.leaf_index,
        _event.c.id,
        _event.c.type,
        _event.c.at,
        _event.c.notice_id,
        _event.c.body,
        _event.c.commitment,
        _notice.c.enrolment_id,
    )
    .join(_notice, _notice.c.id == _event.c.notice_id)
    .where(
        _event.c.agency_id == bindparam("agency"),
        # Both name the agency, so that no event of a foreign notice could ever be shown.
        _notice.c.agency_id == bindparam("agency"),
        _event.c.notice_id.is_not(None),
        _event.c.leaf_index.is_not(None),
        _event.c.leaf_index >= bindparam("since"),
    )
    .order_by(_event.c.leaf_index)
    .limit(bindparam("limit"))
)
