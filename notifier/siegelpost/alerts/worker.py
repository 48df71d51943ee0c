"""The alert worker: claims under lease, submits, records; as many of them as wanted.

DESIGN sections 4.5 and 8. SMTP is at-least-once (a retry bears the same Message-ID); the evidence
is exactly-once (`recording`). `kill -9` at any point leaves the lease to run out, and another
worker takes over.
Not here: what mails say (`compose`), what answers mean (`verdict`), bounces (`siegelpost.bounces`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from siegelpost.alerts.backoff import retry_at
from siegelpost.alerts.breaker import Breaker
from siegelpost.alerts.compose import Composer, Mail
from siegelpost.alerts.domains import DomainSlots
from siegelpost.alerts.errors import UnusableAddress, UnusableMail
from siegelpost.alerts.gathering import Gathering
from siegelpost.alerts.lifecycle import FINISHED, AlertState, Happening, step
from siegelpost.alerts.recording import Finished, Recorder
from siegelpost.alerts.settings import AlertSettings
from siegelpost.alerts.submission import Submission, Submitter, not_submitted
from siegelpost.alerts.verdict import Reason, Verdict
from siegelpost.store.alert_outcomes import AttemptOutcome
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict, StoreError
from siegelpost.store.outbox import CODE_KINDS, AlertKind, ClaimedAlert, Lane, claim_alerts

_log = logging.getLogger(__name__)

#: Most outcomes that wait for each other, to be recorded in one transaction.
MOST_TOGETHER = 32
#: Longest wait between tries to record an outcome while the database is away, in seconds.
_RECORD_RETRY_SECONDS = 10.0


class AlertWorker:
    """Works the outbox off until told to stop."""

    def __init__(
        self,
        context: Context,
        settings: AlertSettings,
        composer: Composer,
        *,
        holder: str,
        chance: Callable[[], float] = random.random,
        lanes: Sequence[Lane] = tuple(Lane),
        elsewhere: Callable[[ClaimedAlert], bool] | None = None,
        write: Callable[[ClaimedAlert, datetime], Awaitable[Mail]] | None = None,
    ) -> None:
        """`holder` names this worker in leases and must be unique among those that run.

        It takes alerts of `lanes`, all by default, but for those that `elsewhere` leaves to the
        OpenPGP lane. `write` composes where that takes more than `composer` alone.
        """
        self._context = context
        self._settings = settings
        self._composer = composer
        self._holder = holder
        self._chance = chance
        self._lanes = lanes
        self._elsewhere = elsewhere
        self._write = write
        self._submitter = Submitter(settings, now=context.now)
        self._recorder = Recorder(entropy=context.entropy)
        self._breaker = Breaker(
            failures=settings.breaker_failures,
            rest=settings.breaker_rest,
            most=settings.concurrency,
        )
        self._gathering = Gathering(min(MOST_TOGETHER, max(1, settings.concurrency // 2)))
        self._domains = DomainSlots(settings.domain_concurrency)
        self._working: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is under way is recorded."""
        self._stopping.set()
        self._context.store.alerts_queued.set()

    async def run(self) -> None:
        """Work until `stop` is called, or the task is cancelled."""
        try:
            while not self._stopping.is_set():
                free = self._free()
                claimed = await self._claim(free) if free > 0 else []
                for alert in claimed:
                    self._start(alert)
                if self._working and len(claimed) >= free:
                    await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.sleep(0)  # others that ended in the same moment free slots too
                elif not self._stopping.is_set():
                    await self._context.store.alerts_queued.wait(self._settings.poll_seconds)
        finally:
            await self._finish()

    async def run_once(self) -> int:
        """Claim what is due now, work it off and return how many it were (for tests and tools)."""
        free = self._free()
        claimed = await self._claim(free) if free > 0 else []
        await asyncio.gather(*(self._work(alert) for alert in claimed))
        return len(claimed)

    async def close(self) -> None:
        """Close idle connections; `run` does it by itself."""
        await self._submitter.close()

    def _free(self) -> int:
        """How many alerts may be claimed now: none while the mail server is left in peace."""
        free = self._settings.concurrency - len(self._working)
        return min(free, self._breaker.allowed(self._context.now()) - len(self._working))

    async def _finish(self) -> None:
        if self._working:
            _, late = await asyncio.wait(self._working, timeout=self._settings.stop_seconds)
            for task in late:  # their leases run out, and another worker takes over
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._submitter.close()

    async def _claim(self, limit: int) -> list[ClaimedAlert]:
        now = self._context.now()
        try:
            # As brief work, so that on SQLite it doesn't drive outcomes to the writing thread.
            return await self._context.store.write_bulk(self._claim_all, (now, limit), brief=True)
        except StoreError as error:
            _log.warning("outbox out of reach", extra={"error": type(error).__name__})
            return []

    def _claim_all(
        self, connection: Connection, claims: Sequence[tuple[datetime, int]]
    ) -> list[list[ClaimedAlert]]:
        return [
            claim_alerts(
                connection,
                holder=self._holder,
                now=now,
                lease=self._settings.lease,
                limit=limit,
                lanes=self._lanes,
                elsewhere=self._elsewhere,
            )
            for now, limit in claims
        ]

    def _start(self, alert: ClaimedAlert) -> None:
        task = asyncio.create_task(self._work(alert), name=f"alert {alert.id}")
        self._working.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # The lease runs out and the alert is tried again; nothing is lost by going on.
            _log.error("alert attempt broke off", exc_info=task.exception())

    async def _work(self, alert: ClaimedAlert) -> None:
        self._gathering.expect()
        try:
            submission, message_id = await self._attempt(alert)
            finished = self._outcome(alert, submission, message_id)
        except BaseException:
            self._gathering.forget()
            raise
        await self._gathering.pass_through()
        await self._record(finished)

    async def _attempt(self, alert: ClaimedAlert) -> tuple[Submission, str | None]:
        now = self._context.now()
        if alert.kind in CODE_KINDS:
            if now >= alert.give_up_at:
                return not_submitted(Verdict.FAILED, Reason.TOO_LATE, now), None
        elif alert.address_failed_at is not None:
            return not_submitted(Verdict.FAILED, Reason.ADDRESS_FAILED_BEFORE, now), None
        try:
            if self._write is None:
                mail = self._composer.compose(alert, now=now)
            else:
                mail = await self._write(alert, now)
        except UnusableAddress as error:
            return not_submitted(Verdict.FAILED, Reason.ADDRESS_UNUSABLE, now, str(error)), None
        except UnusableMail as error:
            return not_submitted(Verdict.FAILED, Reason.NOT_COMPOSED, now, str(error)), None
        # An attempt that outlived its lease would meet another worker's on the wire.
        begin_before = alert.lease_until - timedelta(seconds=self._settings.attempt_seconds)
        async with self._domains.slot(mail.recipient):
            submission = await self._submitter.submit(mail, begin_before=begin_before)
        self._breaker.saw(submission, self._context.now())
        if mail.openpgp is not None:
            evidence = {**submission.evidence, "openpgp": dict(mail.openpgp)}
            submission = replace(submission, evidence=evidence)
        return submission, mail.message_id

    def _outcome(
        self, alert: ClaimedAlert, submission: Submission, message_id: str | None
    ) -> Finished:
        due_at = None
        if submission.verdict is Verdict.DEFERRED:
            due_at = self._retry_at(alert, submission.ended_at)
        transition = step(AlertState.SUBMITTING, _happening(submission.verdict, due_at))
        unusable = submission.address_at_fault or submission.reason is Reason.ADDRESS_UNUSABLE
        return Finished(
            alert=alert,
            outcome=AttemptOutcome(
                alert=alert.id,
                holder=alert.holder,
                attempt=alert.attempt,
                state=transition.to,
                due_at=None if transition.to in FINISHED else due_at,
                started_at=submission.started_at,
                ended_at=submission.ended_at,
                outcome=submission.verdict.value,
                evidence=submission.evidence,
                message_id=message_id if transition.to is AlertState.ACCEPTED else None,
                confirm_by=self._confirm_by(alert, submission, transition.to),
            ),
            event=transition.event,
            evidence=submission.evidence,
            fail_address=unusable and alert.kind not in CODE_KINDS,
        )

    def _confirm_by(
        self, alert: ClaimedAlert, submission: Submission, state: AlertState
    ) -> datetime | None:
        asked = alert.kind is AlertKind.NOTICE and submission.evidence.get("dsn_requested")
        after = self._settings.confirm_after
        if state is not AlertState.ACCEPTED or not asked or after is None:
            return None
        return submission.ended_at + after

    def _retry_at(self, alert: ClaimedAlert, now: datetime) -> datetime | None:
        return retry_at(
            now,
            attempt=alert.attempt,
            give_up_at=alert.give_up_at,
            first=self._settings.first_retry,
            longest=self._settings.longest_retry,
            jitter=self._settings.retry_jitter,
            chance=self._chance(),
        )

    async def _record(self, finished: Finished) -> None:
        wait = 0.05
        while True:
            try:
                recorded = await self._context.store.write_bulk(
                    self._recorder.record, finished, brief=True
                )
            except Conflict:
                pass  # another event took the place in the notice's chain: on its new end
            except StoreError as error:
                # The mail is out and must be on record: no giving up while the process lives.
                _log.warning("outcome not recorded yet", extra={"error": type(error).__name__})
            else:
                if not recorded:
                    _log.warning(
                        "lease was lost, nothing recorded", extra={"alert": finished.alert.id}
                    )
                return
            await asyncio.sleep(wait)
            wait = min(wait * 2, _RECORD_RETRY_SECONDS)


def _happening(verdict: Verdict, due_at: datetime | None) -> Happening:
    if verdict is Verdict.ACCEPTED:
        return Happening.TAKEN
    if verdict is Verdict.FAILED:
        return Happening.REFUSED
    return Happening.OUT_OF_TIME if due_at is None else Happening.PUT_OFF
