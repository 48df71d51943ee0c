"""Values that the reader of delivery reports hands out.

Implements the vocabulary of RFC 3464 (actions), RFC 3463 and RFC 5248 (enhanced status codes)
and the kinds and reason classes of Siegelpost.
Does not read anything: see `classify.parse_dsn`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an incoming message is about."""

    #: At least one recipient will not get the message.
    BOUNCE = "bounce"
    #: A system says that it delivered, relayed or expanded the message.
    DELIVERED = "delivered"
    #: Not delivered yet; the reporting system goes on trying.
    DELAYED = "delayed"
    #: A vacation note, ticket acknowledgement, challenge or read receipt (RFC 3834, RFC 8098).
    AUTO_REPLY = "auto-reply"
    #: A complaint or aggregate report (RFC 5965, RFC 7489, RFC 8460).
    FEEDBACK = "feedback"
    #: Anything else: ordinary mail, newsletters, unreadable bytes.
    OTHER = "other"


class Action(StrEnum):
    """The Action field, RFC 3464 section 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class Reason(StrEnum):
    """Why a recipient was not served; the class, not the remote system's words."""

    UNKNOWN_USER = "unknown-user"
    MAILBOX_FULL = "mailbox-full"
    DISABLED = "disabled"
    HOST_UNKNOWN = "host-unknown"
    #: The sender, its host or its rate is not welcome; relaying denied; block lists; greylisting.
    POLICY = "policy"
    #: The message was taken for spam.
    SPAM = "spam"
    #: Virus, forbidden attachment, malformed or unconvertible content.
    CONTENT = "content"
    TOO_LARGE = "too-large"
    #: No connection, broken connection, DNS trouble, mail loop.
    NETWORK = "network"
    #: Given up after retrying, no better cause named.
    EXPIRED = "expired"
    #: SPF, DKIM, DMARC, SMTP AUTH or TLS demanded and not satisfied.
    AUTH = "auth"
    #: The SMTP dialogue itself went wrong.
    PROTOCOL = "protocol"
    #: The receiving system is broken, full or wrongly configured.
    SYSTEM = "system"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipientReport:
    """What one report says about one recipient."""

    #: Final-Recipient (RFC 3464 2.3.2) or the address found in the text; None if none is named.
    recipient: str | None
    #: The address that the sender used, xtext decoded (RFC 3461 4.2), if the report names it.
    original_recipient: str | None = None
    #: None where the message reports no delivery (auto-reply, feedback).
    action: Action | None = None
    #: Enhanced status code `class.subject.detail`: the Status field, else the one in the words.
    status: str | None = None
    #: Three-digit SMTP reply code found in the remote words.
    smtp_code: int | None = None
    #: Whether the ADDRESS should be regarded as failing for good, see `verdict.is_permanent`.
    permanent: bool | None = None
    #: None where nothing failed.
    reason: Reason | None = None
    #: Host that refused or took the message, without its type.
    remote_mta: str | None = None
    #: The remote system's own words, white space folded, at most 2,000 characters.
    remote_words: str = ""
    #: Last-Attempt-Date, aware.
    last_attempt_at: datetime | None = None
    #: Will-Retry-Until, aware.
    will_retry_until_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What one incoming message says. It proves nothing: a report can be forged by anyone."""

    kind: Kind
    #: One entry a recipient, in the order of the report; may be empty.
    recipients: tuple[RecipientReport, ...] = ()
    #: Message-ID of the returned message, with its angle brackets.
    original_message_id: str | None = None
    #: Original-Envelope-Id, xtext decoded: the ENVID of the submission (RFC 3461 4.4).
    envelope_id: str | None = None
    #: Reporting-MTA without its type.
    reporting_mta: str | None = None
    #: Arrival-Date: when the reporting system took the message, aware.
    arrival_at: datetime | None = None
    #: Headers of the returned message: lower-case name and unfolded value, at most 100.
    original_headers: tuple[tuple[str, str], ...] = ()
    #: Which reader understood it, for people who look into odd reports ("rfc3464", "qmail", …).
    source: str = ""
    #: The input was longer than the limit; what is beyond it was not read.
    truncated: bool = False
