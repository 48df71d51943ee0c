"""Handing one mail to the mail server, over reused connections, with the whole evidence of it.

DESIGN section 8; issue texts call it submission evidence. Never raises for what a server or the
network does: every attempt ends in a `Submission`.
What an acceptance proves and does not is said in `alert_events`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from siegelpost.alerts.compose import Mail
from siegelpost.alerts.connection import Connection, Setback
from siegelpost.alerts.settings import AlertSettings, SmtpSettings, TlsPolicy
from siegelpost.alerts.transcript import hidden
from siegelpost.alerts.verdict import (
    Reason,
    Step,
    Verdict,
    address_at_fault,
    enhanced_status,
    queue_id,
)
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.times import format_time


@dataclass(frozen=True, kw_only=True)
class Submission:
    """How one attempt ended, with its evidence."""

    #: accepted, deferred or failed
    verdict: Verdict
    #: why
    reason: Reason
    #: where in the dialogue it ended
    step: Step
    #: when it began
    started_at: datetime
    #: when it ended; for an accepted mail the time of the server's answer
    ended_at: datetime
    #: whether the refusal says that the address takes no mail for good
    address_at_fault: bool
    #: everything seen, as JSON
    evidence: dict[str, Json]


class Submitter:
    """Submits mails, at most `settings.smtp.connections` at once; close it at the end."""

    def __init__(self, settings: AlertSettings, *, now: Callable[[], datetime]) -> None:
        """Connects to nothing yet; reads the certificate authorities to trust."""
        self._settings = settings
        self._now = now
        self._tls_context = tls_context(settings.smtp)
        self._slots = asyncio.Semaphore(settings.smtp.connections)
        self._idle: list[Connection] = []

    async def submit(self, mail: Mail, *, begin_before: datetime) -> Submission:
        """Try to hand `mail` over once; put off if no connection is free before `begin_before`."""
        async with self._slots:
            if self._now() > begin_before:
                return not_submitted(Verdict.DEFERRED, Reason.BUSY, self._now())
            attempt = _Attempt(mail, self._now)
            try:
                async with asyncio.timeout(self._settings.attempt_seconds):
                    await self._try(attempt)
            except TimeoutError:
                attempt.cut_off()
            return attempt.submission()

    async def close(self) -> None:
        """Close the idle connections."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle))

    async def _try(self, attempt: _Attempt) -> None:
        while True:
            connection, reused = await self._take_idle(), True
            try:
                if connection is None:
                    connection, reused = self._new(), False
                    await connection.open()
                attempt.taken(await connection.submit(attempt.mail))
            except Setback as setback:
                if reused and _was_stale(setback):
                    continue  # the server had hung up on an idle connection: no word on this mail
                attempt.setback(setback)
            finally:
                if connection is not None:
                    attempt.observe(connection)
                    self._give_back(connection)
            return

    def _new(self) -> Connection:
        return Connection(
            self._settings.smtp,
            helo=self._settings.domain,
            tls_context=self._tls_context,
            now=self._now,
        )

    async def _take_idle(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - self._settings.smtp.idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.used_at > oldest:
                return connection
            await connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        if connection.usable:
            connection.used_at = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.abandon()


class _Attempt:
    """What becomes of one mail in one call of `submit`."""

    def __init__(self, mail: Mail, now: Callable[[], datetime]) -> None:
        self.mail = mail
        self._now = now
        self._started_at = now()
        self._ended_at: datetime | None = None
        self._end = (Verdict.DEFERRED, Reason.TIMEOUT, Step.CONNECT)
        self._words = ""
        self._code: int | None = None
        self._seen: dict[str, Json] = {}
        self._awaits_verdict = False
        self._reached = Step.CONNECT

    def observe(self, connection: Connection) -> None:
        """Take what the connection has seen, before others use it."""
        self._seen = {
            "dsn_requested": connection.offered_dsn,
            "connection": connection.session,
            "mail_of_connection": connection.mails,
            "dialogue": connection.dialogue(),
        }
        self._awaits_verdict, self._reached = connection.awaits_verdict, connection.step

    def taken(self, words: str) -> None:
        self._ended_at = self._now()
        self._end = (Verdict.ACCEPTED, Reason.TAKEN, Step.BODY)
        self._words, self._code = words, 250

    def setback(self, setback: Setback) -> None:
        self._ended_at = self._now()
        self._end = (setback.verdict, setback.reason, setback.step)
        self._words, self._code = setback.words, setback.code

    def cut_off(self) -> None:
        self._ended_at = self._now()
        lost = self._awaits_verdict
        self._end = (
            Verdict.DEFERRED,
            Reason.ANSWER_LOST if lost else Reason.TIMEOUT,
            Step.BODY if lost else self._reached,
        )
        self._words = "the attempt took longer than the settings allow"

    def submission(self) -> Submission:
        verdict, reason, step = self._end
        ended_at = self._ended_at or self._now()
        status = enhanced_status(self._words) if self._code is not None else None
        mail = self.mail
        evidence: dict[str, Json] = {
            "verdict": verdict.value,
            "reason": reason.value,
            "step": step.value,
            "code": self._code,
            "status": status,
            "words": self._words,
            "queue_id": queue_id(self._words) if verdict is Verdict.ACCEPTED else None,
            "started_at": format_time(self._started_at),
            "ended_at": format_time(ended_at),
            "message_id": mail.message_id,
            "message_sha256": mail.digest.hex(),
            "message_bytes": len(mail.data),
            "envelope_sender": mail.sender.replace(mail.envelope_id, hidden(mail.envelope_id)),
            "envelope_recipient": mail.recipient,
            "envelope_id": hidden(mail.envelope_id),
            "hidden": "the mail's return token stands as its SHA-256, here and in the dialogue",
            **self._seen,
        }
        return Submission(
            verdict=verdict,
            reason=reason,
            step=step,
            started_at=self._started_at,
            ended_at=ended_at,
            address_at_fault=address_at_fault(step, self._code, status),
            evidence=evidence,
        )


def not_submitted(verdict: Verdict, reason: Reason, now: datetime, words: str = "") -> Submission:
    """Return the outcome of an attempt that ended before any server was asked."""
    return Submission(
        verdict=verdict,
        reason=reason,
        step=Step.COMPOSE,
        started_at=now,
        ended_at=now,
        address_at_fault=False,
        evidence={
            "verdict": verdict.value,
            "reason": reason.value,
            "step": Step.COMPOSE.value,
            "words": words,
            "started_at": format_time(now),
            "ended_at": format_time(now),
        },
    )


def tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return what STARTTLS is done with; None if the policy is never to use it."""
    if settings.tls is TlsPolicy.NONE:
        return None
    context = ssl.create_default_context(
        cafile=None if settings.ca_file is None else str(settings.ca_file)
    )
    if settings.tls is TlsPolicy.OPPORTUNISTIC:
        # RFC 7435: some protection is better than none; the evidence says that it was unverified.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _was_stale(setback: Setback) -> bool:
    gone = setback.reason is Reason.DISCONNECTED or setback.code == 421
    return gone and setback.step is Step.MAIL
