"""A circuit breaker for the mail server: one that is away is not asked for every waiting alert.

DESIGN section 8. After some dialogues in a row that never reached a mail, nothing is claimed for a
while; then one alert tries, and the rest follow if the server is back. Alerts that are not claimed
use up no attempt; their time to give up stands still only in this sense.
Not here: what one alert's refusal means (`verdict`), when it is tried again (`backoff`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from siegelpost.alerts.submission import Submission
from siegelpost.alerts.verdict import Reason, Step

#: Steps before any mail is spoken of: where they fail, the server is at fault.
_SERVER_STEPS = frozenset({Step.CONNECT, Step.GREETING, Step.EHLO, Step.STARTTLS, Step.AUTH})


class Breaker:
    """Counts what became of dialogues with one server."""

    def __init__(self, *, failures: int, rest: timedelta, most: int) -> None:
        """Open after `failures` in a row, for `rest`; closed, allow `most` alerts at once."""
        self._failures = failures
        self._rest = rest
        self._most = most
        self._in_a_row = 0
        self._open_until: datetime | None = None

    def allowed(self, now: datetime) -> int:
        """Return how many alerts may be in work now: all, none, or one that tries."""
        if self._in_a_row < self._failures:
            return self._most
        if self._open_until is not None and now < self._open_until:
            return 0
        return 1

    def saw(self, submission: Submission, now: datetime) -> None:
        """Take notice of how an attempt ended."""
        if submission.step is Step.COMPOSE or submission.reason is Reason.BUSY:
            return
        if submission.step not in _SERVER_STEPS:
            self._in_a_row, self._open_until = 0, None
            return
        self._in_a_row += 1
        if self._in_a_row >= self._failures:
            self._open_until = now + self._rest
