"""For tests of incoming reports: reports as mail systems write them, and a server for them."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from siegelpost.bounces.intake import Intake, Reply
from siegelpost.bounces.report_events import Origin
from siegelpost.bounces.server import BounceServer
from siegelpost.bounces.settings import BounceSettings
from siegelpost.evidence.ids import AlertId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.context import Context
from siegelpost.store.return_addresses import return_address, return_token

DOMAIN = "post.example.org"
ORIGIN = Origin(peer="192.0.2.7", helo="mx.example.net", tls="TLSv1.3")

_REPORT = """\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: {subject}
Date: Tue, 24 Nov 2026 09:00:0{serial} +0100
Message-ID: <{serial}.report@mx.example.net>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=us-ascii

This is the mail system at mx.example.net.

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: {envelope}
Arrival-Date: Mon, 23 Nov 2026 09:00:00 +0100

Original-Recipient: rfc822;{recipient}
Final-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; inner.example.net
Diagnostic-Code: smtp; {words}

--=_b--
"""
_WORDS = {
    "delivered": ("2.0.0", "250 2.0.0 delivered to mailbox"),
    "relayed": ("2.0.0", "250 2.0.0 Ok: queued as 4XyZ"),
    "delayed": ("4.4.1", "connect to inner.example.net: Connection timed out"),
    "failed": ("5.1.1", "550 5.1.1 no such user here"),
}


def report(
    to: str,
    action: str = "failed",
    *,
    recipient: str = "alice@example.org",
    status: str | None = None,
    words: str | None = None,
    serial: int = 0,
) -> bytes:
    """Return a report about the mail whose return address is `to`; `serial` tells equals apart."""
    usual = _WORDS[action]
    text = _REPORT.format(
        to=to,
        subject=f"Mail delivery: {action}",
        envelope=to.partition("+")[2].partition("@")[0],
        recipient=recipient,
        action=action,
        status=status or usual[0],
        words=words or usual[1],
        serial=serial,
    )
    return text.replace("\n", "\r\n").encode("ascii")


def vacation(to: str) -> bytes:
    """Return what an absent person's mail system writes."""
    lines = [
        "From: alice@example.org",
        f"To: {to}",
        "Subject: Abwesenheitsnotiz: Neues Dokument",
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "",
        "Ich bin bis zum 7. Dezember nicht erreichbar.",
    ]
    return "\r\n".join([*lines, ""]).encode()


def address_of(context: Context, alert: str, *, domain: str = DOMAIN) -> str:
    """Return the address to which reports about `alert` come back."""
    secret = context.keyring.secret(KeyPurpose.RETURN_ADDRESS)
    token = return_token(secret, AlertId(alert), now=context.now())
    return return_address(token, domain)


async def hand_in(intake: Intake, raw: bytes, to: str, *, origin: Origin = ORIGIN) -> Reply:
    """Check the address and take the message, as the server does."""
    checked = intake.check(to)
    return checked if isinstance(checked, Reply) else await intake.take(raw, checked, origin)


@asynccontextmanager
async def bounce_server(context: Context, **others: Any) -> AsyncIterator[BounceServer]:
    """Serve on a free port of 127.0.0.1."""
    values: dict[str, Any] = {"domain": DOMAIN, "port": 0}
    server = BounceServer(context, BounceSettings(**(values | others)))
    await server.start()
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        server.stop()
        await running


def send(port: int, to: str, raw: bytes, *, sender: str = "", tls: Any = None) -> tuple[int, bytes]:
    """Hand over one message as a mail server would; return the reply that decided."""
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo("mx.example.net")
        if tls is not None:
            client.starttls(context=tls)
            client.ehlo("mx.example.net")
        reply = client.mail(sender)
        if reply[0] == 250:
            reply = client.rcpt(to)
        if reply[0] == 250:
            reply = client.data(raw)
        return reply
