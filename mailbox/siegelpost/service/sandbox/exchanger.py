"""The simulated mail exchanger: takes the sandbox's mails and reports about them as real ones do.

What happens to a mail is in the part of the address before "@" (a "+" and more may follow):

    delivered@…      a report of delivery, at once
    bounce@…         accepted, then a report of failure, at once
    bounce-later@…   accepted, and a report of failure two days later; bounce-later+5@… five days
    delayed@…        a report at once that it is delayed, and one day later that it was delivered
    relayed@…        a report at once that it went on to a system that reports nothing more
    silent@…         accepted, and nothing more; so does every other address

Mails with a code for confirming an address are always delivered and never reported on: without it
there would be no mailbox to play with. All mails can be read on the letterbox's page.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from enum import StrEnum

from aiosmtpd.smtp import Envelope, Session

from siegelpost.letterbox.letterbox import Letter, Letterbox

#: After how many days a later bounce comes, if the address does not say.
LATER_DAYS = 2
#: Seconds that the bounce server gets for a report.
_PATIENCE_SECONDS = 30

_NAME = "mx.sandbox.invalid"


class Behaviour(StrEnum):
    """What a simulated address does."""

    DELIVERED = "delivered"
    BOUNCE = "bounce"
    BOUNCE_LATER = "bounce-later"
    DELAYED = "delayed"
    RELAYED = "relayed"
    SILENT = "silent"


#: What a report says: status and words, by its action (RFC 3464, 2.3.3).
_SAYINGS = {
    "delivered": ("2.0.0", "250 2.0.0 Ok"),
    "failed": ("5.1.1", "550 5.1.1 no such user here"),
    "delayed": ("4.4.1", "connect to inner.sandbox.invalid: Connection timed out"),
    "relayed": ("2.0.0", "250 2.0.0 Ok: queued as SANDBOX"),
}


def reports_of(address: str) -> tuple[tuple[str, timedelta], ...]:
    """The reports that the address's local part asks for: actions, and after how long each."""
    behaviour, after = _behaviour_of(address)
    at_once, a_day = timedelta(0), timedelta(days=1)
    return {
        Behaviour.DELIVERED: (("delivered", at_once),),
        Behaviour.BOUNCE: (("failed", at_once),),
        Behaviour.BOUNCE_LATER: (("failed", after),),
        Behaviour.DELAYED: (("delayed", at_once), ("delivered", a_day)),
        Behaviour.RELAYED: (("relayed", at_once),),
        Behaviour.SILENT: (),
    }[behaviour]


def _behaviour_of(address: str) -> tuple[Behaviour, timedelta]:
    name, _, detail = address.lower().partition("@")[0].partition("+")
    behaviour = Behaviour(name) if name in set(Behaviour) else Behaviour.SILENT
    if behaviour is not Behaviour.BOUNCE_LATER:
        return behaviour, timedelta(0)
    days = int(detail) if re.fullmatch(r"[0-9]{1,2}", detail) else LATER_DAYS
    return behaviour, timedelta(days=days)


@dataclass(frozen=True, kw_only=True)
class DueReport:
    """A report that is to be sent."""

    #: not before, in the sandbox's time
    due_at: datetime
    #: delivered | failed | delayed | relayed
    action: str
    #: about which mail
    letter: Letter


class Exchanger(Letterbox):
    """A letterbox that remembers which mails nobody has decided about yet."""

    def __init__(self, *, mails_port: int) -> None:
        """Bind ports of this machine; `start` serves. `mails_port` shows the mails, 0: any."""
        super().__init__(http_port=mails_port, kept=1000)
        self._arrived: deque[Letter] = deque()
        self._reports: list[DueReport] = []

    def decide(self, now: datetime, *, is_reported: Callable[[str], bool]) -> int:
        """Schedule the reports about mails that have come in; return how many mails it were.

        `is_reported` tells by Message-ID whether the addresses' behaviour is for this mail.
        """
        count = 0
        while self._arrived:
            letter = self._arrived.popleft()
            count += 1
            if not is_reported(letter.header("Message-ID")):
                continue
            for recipient in letter.recipients:
                self._reports += [
                    DueReport(due_at=now + after, action=action, letter=letter)
                    for action, after in reports_of(recipient)
                ]
        return count

    def next_due_at(self) -> datetime | None:
        """When the next report is due, or None."""
        return min((report.due_at for report in self._reports), default=None)

    async def report(self, now: datetime, *, port: int) -> int:
        """Send the reports that are due to the bounce server at `port`; return how many."""
        due = [report for report in self._reports if report.due_at <= now]
        for report in due:
            await asyncio.to_thread(_send, report, now, port)
            self._reports.remove(report)
        return len(due)

    def _take(self, session: Session, envelope: Envelope) -> int:
        number = super()._take(session, envelope)
        self._arrived.append(self._letters[-1])
        return number


def report_mail(report: DueReport, now: datetime) -> Message:
    """The report as RFC 3464 wants it, without its envelope."""
    recipient = report.letter.recipients[0]
    action = report.action
    status, words = _SAYINGS[action]
    mail = MIMEMultipart("report")
    mail.set_param("report-type", "delivery-status")
    mail["From"] = f"Mail Delivery System <MAILER-DAEMON@{_NAME}>"
    mail["To"] = report.letter.sender
    mail["Subject"] = f"Delivery Status Notification ({action})"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{action}.{report.letter.number}@{_NAME}>"
    mail["Auto-Submitted"] = "auto-replied"
    mail.attach(MIMEText(f"Your message to {recipient}: {action}. The server said: {words}\n"))
    status_part = MIMEBase("message", "delivery-status")
    status_part.set_payload(
        [
            _fields(("Reporting-MTA", f"dns; {_NAME}")),
            _fields(
                ("Final-Recipient", f"rfc822; {recipient}"),
                ("Action", action),
                ("Status", status),
                ("Remote-MTA", f"dns; {_NAME}"),
                ("Diagnostic-Code", f"smtp; {words}"),
            ),
        ]
    )
    mail.attach(status_part)
    headers = MIMEText(_headers(report.letter.parsed), "rfc822-headers")
    mail.attach(headers)
    return mail


def _fields(*named: tuple[str, str]) -> Message:
    part = Message()
    for name, value in named:
        part[name] = value
    return part


def _headers(mail: EmailMessage) -> str:
    return "".join(f"{name}: {mail[name]}\n" for name in ("Message-ID", "Subject", "To", "Date"))


def _send(report: DueReport, now: datetime, port: int) -> None:
    # RFC 3464 2.1.1: a report has a null return path, to prevent loops.
    with smtplib.SMTP("127.0.0.1", port, local_hostname=_NAME, timeout=_PATIENCE_SECONDS) as smtp:
        smtp.sendmail("", [report.letter.sender], report_mail(report, now).as_bytes())
