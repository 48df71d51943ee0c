"""For tests of submitting: one mail handed to a server of this machine, and how that ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from siegelpost.alerts.compose import Mail
from siegelpost.alerts.settings import AlertSettings
from siegelpost.alerts.submission import Submission, Submitter
from tests.support.alerts import claimed, composer
from tests.support.smtp_servers import Answer

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)
TOGETHER: dict[str, Answer] = {"EHLO": b"250-fake.example.net\r\n250-PIPELINING\r\n250 DSN\r\n"}


def mail(alert_settings: AlertSettings) -> Mail:
    return composer(alert_settings).compose(claimed(), now=NOW)


async def submit(alert_settings: AlertSettings, times: int = 1) -> list[Submission]:
    submitter = Submitter(alert_settings, now=lambda: NOW)
    try:
        message = mail(alert_settings)
        return [await submitter.submit(message, begin_before=SOON) for _ in range(times)]
    finally:
        await submitter.close()


def end(submission: Submission) -> tuple[str, str, str]:
    return submission.verdict.value, submission.reason.value, submission.step.value
