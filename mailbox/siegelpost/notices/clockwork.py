"""The clock's worker: computes again when an event arrives and when days pass, and acts in time.

DESIGN section 9. Events are taken in the order of the log, which never gets one in between later,
behind a cursor; days by an indexed time for each notice. Never on the dispatch path.
What it does besides computing: ends the providing of a notice that nobody retrieved where the law
says so (§ 41(2a) VwVfG), with the event `closed` and a task for the agency, and reminds citizens
before an objection period ends, where the operator wants it.
Any number may run at once: whoever comes second starts again on the new state.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import Connection, select

from siegelpost.deadlines import Result, State
from siegelpost.deadlines.calendar import day
from siegelpost.deadlines.facts import FactsError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.notices.chains import move_on
from siegelpost.notices.clock_results import as_json, begin_of, digest, next_look_at
from siegelpost.notices.deadline_reminders import remind
from siegelpost.notices.histories import OnRecord, histories
from siegelpost.notices.legal_clock import governing
from siegelpost.notices.readers import NOTICE
from siegelpost.notices.state import NoticeState, Step, move
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.deadlines import (
    WATCH,
    Looked,
    advance,
    append_results,
    due,
    events_after,
    position,
    watched,
)
from siegelpost.store.errors import Conflict, StoreError
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks

_log = logging.getLogger(__name__)

#: Name of the cursor.
READER = "legal-clock"
#: Events that are looked at together.
BATCH = 500
#: Notices whose clocks are computed together.
NOTICES = 200
#: Hour of the day in Germany at which citizens are reminded.
REMINDER_HOUR = 8

#: What may change a result. Providing alone is not among them: the alert's fate follows at once,
#: and until then the clock is computed whenever somebody asks.
RELEVANT = frozenset(
    kind.value
    for kind in (
        EventType.ALERT_SENT,
        EventType.ALERT_DELIVERED,
        EventType.ALERT_FAILED,
        EventType.ALERT_DISPUTED,
        EventType.ALERT_RECEIVED,
        EventType.RETRIEVED,
        EventType.WITHDRAWN,
        EventType.CLOSED,
        EventType.REPROVIDED,
        EventType.PAPER_SENT,
        EventType.REMEDY_FAULTY,
    )
)
_CONSENTS = frozenset({EventType.CONSENT_GIVEN.value, EventType.CONSENT_REVOKED.value})

#: Row of the tables by which the providing ends.
_ENDED = "vwvfg-41-2a/C6"


@dataclass(frozen=True, kw_only=True)
class ClockSettings:
    """How the clock's worker behaves."""

    #: days before the end of an objection period on which the citizen is reminded; 0: never
    remind_days_before_end: int = 0
    #: longest sleep before the log is looked at again, in seconds
    poll_seconds: float = 2.0
    #: least pause between two batches, in seconds
    rest_seconds: float = 0.2
    #: pause for each second of work: dispatching comes first, and who asks gets a fresh result
    rest_share: float = 4.0


@dataclass(frozen=True, kw_only=True)
class _Computed:
    """The clock of one notice, looked at."""

    on_record: OnRecord
    result: Result
    looked: Looked


class Clockwork:
    """Keeps the results of one service up to date."""

    def __init__(self, context: Context, settings: ClockSettings | None = None) -> None:
        """Compute and act with `context`'s clock."""
        self._context = context
        self._settings = settings or ClockSettings()

    async def run(self) -> None:
        """Work until cancelled; a database that is away delays results and breaks nothing."""
        settings = self._settings
        while True:
            started = perf_counter()
            try:
                done = await self.run_once()
            except StoreError as error:
                _log.warning("clock out of reach", extra={"error": type(error).__name__})
                done = 0
            rest = max(settings.rest_seconds, settings.rest_share * (perf_counter() - started))
            await asyncio.sleep(rest if done else settings.poll_seconds)

    async def run_once(self) -> int:
        """Look once at new events and at due days; return how many of both it dealt with."""
        try:
            return await self._by_events() + await self._by_days()
        except Conflict:  # another worker, or an event that came in between
            return 1

    async def _by_events(self) -> int:
        now = self._context.now()

        def look(connection: Connection) -> tuple[int, Sequence[AnyRow], list[_Computed]]:
            after = position(connection, READER)
            events = events_after(connection, after, limit=BATCH)
            concerned = list(dict.fromkeys(_concerned(connection, events)))
            return after, events, self._compute(connection, concerned, now)

        after, events, computed = await self._context.store.read(look)
        if not events:
            return 0

        def record(connection: Connection) -> None:
            advance(connection, READER, after=after, to=events[-1].leaf_index)
            self._record(connection, computed, now)

        await self._context.store.write(record)
        self._wake(computed)
        return len(events)

    async def _by_days(self) -> int:
        now = self._context.now()

        def look(connection: Connection) -> list[_Computed]:
            return self._compute(connection, due(connection, now=now, limit=NOTICES), now)

        computed = await self._context.store.read(look)
        if not computed:
            return 0
        await self._context.store.write(lambda connection: self._record(connection, computed, now))
        self._wake(computed)
        return len(computed)

    def _compute(
        self, connection: Connection, notices: Sequence[str], now: datetime
    ) -> list[_Computed]:
        computed = []
        for start in range(0, len(notices), NOTICES):
            some = notices[start : start + NOTICES]
            # The pointer before the events: one that comes in between makes the write a conflict,
            # or is still before the cursor.
            newest = watched(connection, some, lock=False)
            for notice, on_record in histories(connection, some).items():
                # Never before the newest event: one that came after `now` was read, or from a
                # machine whose clock is ahead, would be left out, and nothing would look again.
                at = max(now, on_record.history.latest or now)
                try:
                    result = governing(on_record.history, at)
                except (FactsError, ValueError):
                    # A place or regime that the tables don't know: one notice must not stop all.
                    _log.exception("clock not computed", extra={"notice": notice})
                    continue
                value = as_json(result, at)
                before = newest.get(notice)
                looked = Looked(
                    notice=NoticeId(notice),
                    after=None if before is None else before.number,
                    result=value,
                    digest=digest(value),
                    look_at=self._look_at(on_record, result, at),
                )
                computed.append(_Computed(on_record=on_record, result=result, looked=looked))
        return computed

    def _look_at(self, on_record: OnRecord, result: Result, now: datetime) -> datetime | None:
        moments = [next_look_at(result, now), self._remind_at(result)]
        later = [moment for moment in moments if moment is not None and moment > now]
        return min(later) if later else None

    def _remind_at(self, result: Result) -> datetime | None:
        days = self._settings.remind_days_before_end
        if not days or result.end is None or result.state not in (State.SERVED, State.EXPECTED):
            return None
        return begin_of(result.end - timedelta(days=days)) + timedelta(hours=REMINDER_HOUR)

    def _record(self, connection: Connection, computed: Sequence[_Computed], now: datetime) -> None:
        entropy = self._context.entropy
        append_results(connection, [one.looked for one in computed], now=now, entropy=entropy)
        ended = [one.on_record.notice for one in computed if one.result.rule == _ENDED]
        self._close(connection, ended, now)
        for one in computed:
            remind_at = self._remind_at(one.result)
            end = one.result.end
            if remind_at is not None and end is not None and remind_at <= now and day(now) <= end:
                remind(connection, one.on_record.notice, end, now=now, entropy=entropy)

    def _close(self, connection: Connection, notices: Sequence[AnyRow], now: datetime) -> None:
        for notice in notices:
            if notice.state != NoticeState.PROVIDED:
                continue
            step = move(notice.state, Step.CLOSE)
            move_on(connection, notice, step.to)
            append_events(connection, [_closed(notice, now)], entropy=self._context.entropy)
            open_tasks(connection, [_ended_task(notice)], now=now, entropy=self._context.entropy)

    def _wake(self, computed: Sequence[_Computed]) -> None:
        if computed and self._settings.remind_days_before_end:
            self._context.store.alerts_queued.set()


def _concerned(connection: Connection, events: Sequence[AnyRow]) -> Iterable[str]:
    for event in events:
        if event.type in RELEVANT and event.notice_id is not None:
            yield event.notice_id
        elif event.type in _CONSENTS and event.mailbox_id is not None:
            # Those whose clock was never looked at wait for their alert's fate.
            yield from connection.execute(
                select(NOTICE.c.id)
                .join(WATCH, WATCH.c.notice_id == NOTICE.c.id)
                .where(
                    NOTICE.c.mailbox_id == event.mailbox_id, NOTICE.c.agency_id == event.agency_id
                )
            ).scalars()


def _closed(notice: AnyRow, now: datetime) -> EventDraft:
    return EventDraft(
        type=EventType.CLOSED,
        at=now,
        agency=AgencyId(notice.agency_id),
        notice=NoticeId(notice.id),
        mailbox=MailboxId(notice.mailbox_id),
        actor="service",
        facts={
            "rule": _ENDED,
            "proves": "The notice could not be retrieved any more from this time on; nobody had "
            "retrieved it before (§ 41(2a) VwVfG).",
            "does_not_prove": "That the notice was served: it was not, by this rule.",
        },
    )


def _ended_task(notice: AnyRow) -> TaskDraft:
    return TaskDraft(
        kind=TaskKind.PROVIDING_ENDED,
        agency=AgencyId(notice.agency_id),
        notice=NoticeId(notice.id),
        facts={"rule": _ENDED, "advice": "send-paper"},
    )
