"""Deadline: what the legal clock says about one notice now, and what it said before.

Computed when asked, from the events of that moment, so that it is never older than they are; the
results kept by `siegelpost.notices.clockwork` are its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select

from siegelpost.deadlines import Result
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.clock_results import as_json
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.histories import OnRecord, histories
from siegelpost.notices.legal_clock import governing
from siegelpost.notices.readers import NOTICE, Reader, readable_by, sent_by
from siegelpost.store.context import Context
from siegelpost.store.deadlines import results_of


@dataclass(frozen=True, kw_only=True)
class EarlierResult:
    """One result that was kept."""

    #: among those of the notice, from 0
    number: int
    #: when
    computed_at: datetime
    #: row of the decision tables
    rule: str
    #: state of the law
    rule_set: str
    #: served | expected | open | not-served | refused
    state: str
    #: the day on which it counted as served, if any
    deemed: date | None
    #: last day of the objection period, if any
    end: date | None
    #: whether a lawyer should have looked at it
    review: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the clock of a notice stands."""

    #: the notice
    notice: NoticeId
    #: as of now
    result: Result
    #: the same for machines; see `siegelpost.notices.clock_results`
    value: dict[str, Any]
    #: oldest first; the newest is usually the same as `result`
    earlier: tuple[EarlierResult, ...]


async def deadline_for_agency(
    context: Context, agency_id: AgencyId, notice_id: NoticeId
) -> Standing:
    """Return where the clock stands; NoSuchNotice for foreign and unknown ids alike."""
    return await _standing(context, sent_by(agency_id), notice_id)


async def deadline_for_citizen(context: Context, reader: Reader, notice_id: NoticeId) -> Standing:
    """Return where the clock stands; NoSuchNotice for foreign and unknown ids alike."""
    return await _standing(context, readable_by(reader), notice_id)


def compute(connection: Connection, notice_id: str, now: datetime) -> Result:
    """The result as of `now`, on the events that `connection` sees; NoSuchNotice."""
    found = histories(connection, [notice_id]).get(notice_id)
    if found is None:
        raise NoSuchNotice("no such notice")
    return governing(found.history, now)


def compute_all(
    connection: Connection, notice_ids: Sequence[str], now: datetime
) -> dict[str, Result]:
    """The results of several notices that are known to exist, without questions "what if"."""

    def one(found: OnRecord) -> Result:
        return governing(found.history, now, what_if=False)

    return {id_: one(found) for id_, found in histories(connection, notice_ids).items()}


async def _standing(context: Context, visible: Select[Any], notice_id: NoticeId) -> Standing:
    now = context.now()

    def work(connection: Connection) -> Standing:
        seen = connection.execute(
            visible.where(NOTICE.c.id == notice_id).with_only_columns(NOTICE.c.id)
        )
        if seen.one_or_none() is None:
            raise NoSuchNotice("no such notice")
        result = compute(connection, notice_id, now)
        return Standing(
            notice=notice_id,
            result=result,
            value=as_json(result, now),
            earlier=tuple(
                EarlierResult(
                    number=row.number,
                    computed_at=row.computed_at,
                    rule=row.rule,
                    rule_set=row.rule_set,
                    state=row.state,
                    deemed=row.deemed,
                    end=row.ends_on,
                    review=row.review,
                )
                for row in results_of(connection, notice_id)
            ),
        )

    return await context.store.read(work)
