"""What a mail server's answer means for an alert (pure).

RFC 5321 4.2.1 (2yz, 4yz, 5yz), RFC 3463 (enhanced status codes). A server's refusal *before* the
envelope says nothing about the citizen's address: it is our server's state, and the alert waits.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Verdict(StrEnum):
    """How one attempt ended."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"


class Step(StrEnum):
    """Where in the dialogue an attempt ended."""

    COMPOSE = "compose"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    #: the reply to the final dot
    BODY = "body"


class Reason(StrEnum):
    """Why an attempt ended as it did; stable words for evidence, tasks and metrics."""

    #: the server took responsibility for the mail (RFC 5321 6.1)
    TAKEN = "taken"
    #: 4yz
    NOT_NOW = "not-now"
    #: 5yz
    REFUSED = "refused"
    #: no connection came about
    UNREACHABLE = "unreachable"
    #: the connection broke before the mail's end was sent
    DISCONNECTED = "disconnected"
    #: no reply within the time
    TIMEOUT = "timeout"
    #: the mail's end was sent and no answer came: it may have been taken
    ANSWER_LOST = "answer-lost"
    #: something that is no SMTP reply, or not one that fits
    UNINTELLIGIBLE = "unintelligible"
    #: TLS is demanded and the server has none
    TLS_MISSING = "tls-missing"
    #: the handshake failed or the certificate did not verify
    TLS_FAILED = "tls-failed"
    #: our login was not taken
    LOGIN_REFUSED = "login-refused"
    #: no connection came free while the lease left time for an attempt
    BUSY = "busy"
    #: the address had failed permanently before this attempt
    ADDRESS_FAILED_BEFORE = "address-failed-before"
    #: the address can't be used in a mail
    ADDRESS_UNUSABLE = "address-unusable"
    #: what is to be said is past its time (a code that has expired)
    TOO_LATE = "too-late"
    #: the mail could not be written
    NOT_COMPOSED = "not-composed"


#: Steps at which 5yz speaks about this mail and not about our server's state.
_OWN_STEPS = frozenset({Step.MAIL, Step.RCPT, Step.DATA, Step.BODY})

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= |$)")
#: Ids in the words of Postfix; Exim; Sendmail; Exchange; qmail; aiosmtpd says none.
_QUEUE_IDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bqueued as ([A-Za-z0-9.-]{3,64})",
        r"\bOK id=([A-Za-z0-9-]{6,64})",
        r"^(?:2\.\d\.\d )?([A-Za-z0-9]{8,32}) Message accepted for delivery",
        r"\[InternalId=([A-Za-z0-9-]{3,64})",
        r"\bqp (\d{1,20})$",
    )
)


def verdict_of(step: Step, code: int) -> tuple[Verdict, Reason]:
    """Return what reply `code` at `step` means (no call for the replies that let it go on)."""
    if step is Step.BODY and 200 <= code < 300:
        return Verdict.ACCEPTED, Reason.TAKEN
    if step is Step.AUTH and 400 <= code < 600:
        return Verdict.DEFERRED, Reason.LOGIN_REFUSED
    if step is Step.STARTTLS and 400 <= code < 600:
        return Verdict.DEFERRED, Reason.TLS_FAILED
    if 500 <= code < 600:
        verdict = Verdict.FAILED if step in _OWN_STEPS else Verdict.DEFERRED
        return verdict, Reason.REFUSED
    if 400 <= code < 500:
        return Verdict.DEFERRED, Reason.NOT_NOW
    return Verdict.DEFERRED, Reason.ANSWER_LOST if step is Step.BODY else Reason.UNINTELLIGIBLE


def enhanced_status(words: str) -> str | None:
    """Return the enhanced status code at the start of a reply's text (RFC 2034), if any."""
    match = _ENHANCED.match(words)
    return match.group() if match else None


def queue_id(words: str) -> str | None:
    """Return the id under which the server says it queued the mail, if it says so."""
    for pattern in _QUEUE_IDS:
        match = pattern.search(words)
        if match:
            return match.group(1)
    return None


def address_at_fault(step: Step, code: int | None, status: str | None) -> bool:
    """Return whether a refusal says that this address takes no mail for good.

    Only at RCPT. With an enhanced status: 5.1.x (bad address) and 5.2.1 (mailbox disabled), but not
    policy (5.7.x), which may be our own server's about us. Without one: 550, 551, 553.
    """
    if step is not Step.RCPT or code is None or not 500 <= code < 600:
        return False
    if status is not None:
        return status.startswith("5.1.") or status == "5.2.1"
    return code in (550, 551, 553)
