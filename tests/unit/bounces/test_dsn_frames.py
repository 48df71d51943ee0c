"""The same refusal gets the same class in whatever frame a mail system puts it.

Frames are the words around, which no refusal may be read out of ("I've given up" is qmail's in
every report).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from siegelpost.bounces.dsn import dsn_line

WORDINGS = Path(__file__).parents[2] / "vectors" / "dsn" / "wordings.txt"
ALICE = "alice@example.org"
ORIGINAL = f"""\
Received: from post.agency.example (post.agency.example [192.0.2.9])
	by mx.example.net (Postfix) with ESMTPS id 4QxT0; Tue, 3 Mar 2026 09:14:01 +0100 (CET)
From: "Jobcenter Musterstadt" <alert@agency.example>
To: {ALICE}
Subject: Neue Nachricht in Ihrem Postfach
Message-ID: <a-77@agency.example>
"""
QMAIL = """\
Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{to}>:
{frame}
--- Below this line is a copy of the message.

"""
#: From, subject, text; `{words}` is what the refusing system wrote.
FRAMES: dict[str, tuple[str, str, str]] = {
    "exim": (
        "Mail Delivery System <Mailer-Daemon@host.example>",
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        "  {to}\n    host mx.example.org [192.0.2.4]\n"
        "    SMTP error from remote mail server after RCPT TO:<{to}>:\n    {words}\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n",
    ),
    "qmail": (
        "MAILER-DAEMON@mx.example.net",
        "failure notice",
        QMAIL.replace(
            "{frame}",
            "192.0.2.4 does not like recipient.\nRemote host said: {words}\n"
            "Giving up on 192.0.2.4.",
        ),
    ),
    "qmail after the mail": (
        "MAILER-DAEMON@mx.example.net",
        "failure notice",
        QMAIL.replace(
            "{frame}", "192.0.2.4 failed after I sent the message.\nRemote host said: {words}\n"
        ),
    ),
    "sendmail": (
        "Mail Delivery Subsystem <MAILER-DAEMON@mail.example.org>",
        "Returned mail: see transcript for details",
        "The original message was received at Tue, 3 Mar 2026 09:14:01 +0100\n"
        "from post.agency.example [192.0.2.9]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n"
        "<{to}>\n    (reason: {words})\n\n   ----- Transcript of session follows -----\n"
        "... while talking to mx.example.org.:\n>>> RCPT To:<{to}>\n<<< {words}\n\n"
        "   ----- Original message follows -----\n",
    ),
    "German gateway": (
        "postmaster@firma.example",
        "Unzustellbar: Neue Nachricht",
        "Ihre Nachricht an {to} konnte nicht zugestellt werden.\n\nFehlerdetails:\n{words}\n",
    ),
    "provider": (
        "MAILER-DAEMON@yahoo.example",
        "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n"
        "<{to}>:\n{words}\n\n--- Below this line is a copy of the message.\n\n",
    ),
    "hMailServer": (
        "mailer-daemon@hmail.example",
        "Message undeliverable: Neue Nachricht",
        "Your message did not reach some or all of the intended recipients.\n\n"
        "The following recipient(s) could not be reached:\n\n{to}\n   Error Type: SMTP\n"
        "   Remote server (192.0.2.4) issued an error.\n"
        "   hMailServer sent: RCPT TO:<{to}>\n   Remote server replied: {words}\n\nhMailServer\n",
    ),
    "Postfix": (
        "MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        "--b\n\nThis is the mail system at host mx.example.net.\n\n"
        "I'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\n"
        "<{to}>: host mx.example.org[192.0.2.4] said: {words} (in reply to RCPT TO command)\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        "Final-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.0.0\n"
        "Remote-MTA: dns; mx.example.org\nDiagnostic-Code: smtp; {words}\n\n--b--\n",
    ),
}


def wordings() -> list[tuple[str, str]]:
    """Refusals with their class; without those that name nobody's mistake or another recipient."""
    lines = WORDINGS.read_text(encoding="utf-8").splitlines()
    told = [line.split(" | ", 1) for line in lines if line and not line.startswith("#")]
    return [
        (reason, words)
        for reason, words in told
        if set(re.findall(r"[\w.]+@[\w.]+", words)) <= {ALICE}
        and "delayed" not in words
        and reason != "other"
    ]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_refusal_gets_its_class_in_every_frame(frame: str) -> None:
    sender, subject, text = FRAMES[frame]
    kind = 'multipart/report; report-type=delivery-status; boundary="b"' if "--b" in text else None
    wrong = []
    for reason, words in wordings():
        body = text.replace("{to}", ALICE).replace("{words}", words)
        raw = (
            f"Return-Path: <>\nFrom: {sender}\nTo: <b.77.k2@bounce.agency.example>\n"
            f"Subject: {subject}\nMIME-Version: 1.0\n"
            f"Content-Type: {kind or 'text/plain; charset=utf-8'}\n\n{body}"
            + ("" if kind else ORIGINAL)
        ).encode()
        line = dsn_line(frame, raw)
        if (line["kind"], line["recipient"], line["reason"]) != ("bounce", ALICE, reason):
            wrong.append((words, reason, line))
    assert wrong == []
    assert len(wordings()) > 200
