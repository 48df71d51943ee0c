"""Follow-up: reminders while a notice is unread, and questions to the agency (DESIGN section 8).

A reminder is an alert with evidence of its own; it never restarts a clock. What is due is found by
the injected clock, so a virtual one replays weeks in seconds.
Not here: reminders before an objection period ends, which follow the legal clock.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from siegelpost.store.context import Context
from siegelpost.store.errors import StoreError
from siegelpost.store.follow_ups import (
    FollowedUp,
    FollowUpDay,
    ask_for_confirmations,
    follow_up_notices,
)

_log = logging.getLogger(__name__)

#: Notices or alerts of one transaction.
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class FollowUpSettings:
    """What is done about notices that nobody opens."""

    #: days after providing on which the citizen is reminded; none: never
    reminder_days: tuple[int, ...] = (3, 7)
    #: days after providing when the agency is asked to look; None: never
    ask_after_days: int | None = 7
    #: time between two looks, in seconds
    poll_seconds: float = 60.0

    def __post_init__(self) -> None:
        if any(day < 1 for day in self.reminder_days):
            raise ValueError("a reminder comes a day after the alert at the earliest")

    @property
    def plan(self) -> tuple[FollowUpDay, ...]:
        """The days on which something happens, in order."""
        days = sorted(
            {*self.reminder_days, *([self.ask_after_days] if self.ask_after_days else [])}
        )
        return tuple(
            FollowUpDay(
                after=timedelta(days=day),
                remind=day in self.reminder_days,
                ask=day == self.ask_after_days,
            )
            for day in days
        )


class FollowUp:
    """Looks for what is due, again and again; any number may run."""

    def __init__(self, context: Context, settings: FollowUpSettings) -> None:
        """Look with `context`'s clock."""
        self._context = context
        self._settings = settings

    async def run(self) -> None:
        """Run until cancelled; a database that is away delays and loses nothing."""
        while True:
            try:
                await self.run_once()
            except StoreError as error:
                _log.warning("follow-up out of reach", extra={"error": type(error).__name__})
            await asyncio.sleep(self._settings.poll_seconds)

    async def run_once(self) -> int:
        """Do everything that is due now; return how many reminders were queued."""
        context, plan, reminders = self._context, self._settings.plan, 0

        def notices(connection: Connection) -> FollowedUp:
            return follow_up_notices(
                connection, plan, now=context.now(), limit=BATCH, entropy=context.entropy
            )

        def alerts(connection: Connection) -> FollowedUp:
            return ask_for_confirmations(
                connection, now=context.now(), limit=BATCH, entropy=context.entropy
            )

        for step in (notices, alerts):
            while True:
                done = await context.store.write(step)
                reminders += done.reminders
                if done.reminders:
                    context.store.alerts_queued.set()
                if done.seen < BATCH:
                    break
        return reminders
