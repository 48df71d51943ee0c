"""Refusals as evidence: a refused dispatch is an event of its agency (ETSI EN 319 522, A.2).

Bounded: of a client that is refused over and over, some are events and the rest is counted in the
next one, so that a broken client cannot flood the log.
An event holds the code and the enrolment's id, no personal data and nothing of the documents.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import check_id
from siegelpost.notices.chains import write_on
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.errors import RefusalCode
from siegelpost.notices.limits import Limits
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events

#: Clients whose rate is remembered; the one seen longest ago is forgotten first.
_CLIENTS = 1000
_MINUTE = timedelta(minutes=1)


@dataclass(kw_only=True)
class _Rate:
    since: datetime
    recorded: int = 0
    suppressed: int = 0


class RefusalJournal:
    """Records refusals of this process, each client up to a limit a minute."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing recorded."""
        self._limit = limits.refusals_per_minute
        self._rates: OrderedDict[str, _Rate] = OrderedDict()

    async def record(
        self, context: Context, sender: Sender, code: RefusalCode, *, enrolment_id: str | None
    ) -> bool:
        """Record one refusal durably; return False if it was only counted."""
        now = context.now()
        rate = self._rate(sender.client_id, now)
        if rate.recorded >= self._limit:
            rate.suppressed += 1
            return False
        rate.recorded += 1
        facts: dict[str, Json] = {"code": code.value, "suppressed": rate.suppressed}
        if enrolment_id is not None and _is_id(enrolment_id):
            facts["enrolment"] = enrolment_id
        rate.suppressed = 0

        def work(connection: Connection) -> None:
            append_events(
                connection,
                [
                    EventDraft(
                        type=EventType.SUBMISSION_REJECTED,
                        at=now,
                        agency=sender.agency_id,
                        actor=sender.actor,
                        facts=facts,
                    )
                ],
                entropy=context.entropy,
            )

        await write_on(context, work)
        return True

    def _rate(self, client_id: str, now: datetime) -> _Rate:
        rate = self._rates.get(client_id)
        if rate is None:
            rate = self._rates[client_id] = _Rate(since=now)
            if len(self._rates) > _CLIENTS:
                self._rates.popitem(last=False)
        self._rates.move_to_end(client_id)
        if now - rate.since >= _MINUTE:
            rate.since, rate.recorded = now, 0
        return rate


def _is_id(text: str) -> bool:
    try:
        check_id(text)
    except FormatError:
        return False
    return True
