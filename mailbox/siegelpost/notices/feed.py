"""Feed: what happened to an agency's notices since it last asked, each with its clock as of now.

Issue of completeness: an agency that goes on with the last `next` gets every event once, in the
order of the log; see `siegelpost.store.feed`. An event appears when it is logged, seconds after it
was recorded. The deadline is computed when asked, so it may know of later events than the item's.
Refusals of a dispatch and what concerns mailboxes alone are not in the feed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from siegelpost.deadlines.facts import FactsError
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.ids import AgencyId, EventId, NoticeId
from siegelpost.notices.clock_results import as_json
from siegelpost.notices.histories import histories
from siegelpost.notices.legal_clock import governing
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.feed import events_of_agency

_log = logging.getLogger(__name__)

#: Most events of one page; each brings a whole deadline.
PAGE_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class FeedItem:
    """One event."""

    #: its place in the log
    leaf_index: int
    #: its id
    id: EventId
    #: what happened, e.g. ``alert-failed``
    type: str
    #: when
    at: datetime
    #: to which notice
    notice: NoticeId
    #: the agency's enrolment of the citizen
    enrolment: str
    #: what else was seen; empty once erased
    facts: dict[str, Any]
    #: the leaf's data
    commitment: bytes
    #: the notice's legal clock as of now; None if it cannot be computed
    deadline: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class FeedPage:
    """A part of the feed."""

    #: in the order of the log
    items: tuple[FeedItem, ...]
    #: where the next part begins, now or later
    next: int
    #: whether there are further ones now
    more: bool


async def list_events(context: Context, agency: AgencyId, *, since: int, limit: int) -> FeedPage:
    """Return up to `limit` (1 to PAGE_LIMIT) events from place `since` of the log on."""
    limit = max(1, min(limit, PAGE_LIMIT))
    now = context.now()

    def work(connection: Connection) -> FeedPage:
        rows = events_of_agency(connection, agency, since=since, limit=limit + 1)
        shown = rows[:limit]
        deadlines = _deadlines(connection, [row.notice_id for row in shown], now)
        return FeedPage(
            items=tuple(_item(row, deadlines.get(row.notice_id)) for row in shown),
            next=shown[-1].leaf_index + 1 if shown else since,
            more=len(rows) > limit,
        )

    return await context.store.read(work)


def _deadlines(
    connection: Connection, notices: Sequence[str], now: datetime
) -> dict[str, dict[str, Any]]:
    found = {}
    for notice, on_record in histories(connection, notices).items():
        try:
            found[notice] = as_json(governing(on_record.history, now, what_if=False), now)
        except (FactsError, ValueError):
            # One notice that the tables don't know must not stop an agency's feed.
            _log.exception("clock not computed", extra={"notice": notice})
    return found


def _item(row: AnyRow, deadline: dict[str, Any] | None) -> FeedItem:
    return FeedItem(
        leaf_index=row.leaf_index,
        id=EventId(row.id),
        type=row.type,
        at=row.at,
        notice=NoticeId(row.notice_id),
        enrolment=row.enrolment_id,
        facts=dict(parse_event(row.body.encode("utf-8")).facts) if row.body else {},
        commitment=row.commitment,
        deadline=deadline,
    )
