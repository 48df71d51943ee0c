"""Events: one evidence record each (DESIGN sections 3 and 7).

An event's body is canonical JSON; its salted commitment is the leaf of the log. The events of one
subject form a chain: each names the commitment of the one before.
What an event does *not* mean: `alert-sent` is not arrived, `retrieved` is not read, `reply-fetched`
is not read either, and `time_at` is the service's own clock (timestamps and witnesses bound it from
outside).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import COMMITMENT_SIZE, SALT_SIZE, commitment
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, EventId, MailboxId, NoticeId, check_id
from siegelpost.evidence.times import format_time

__all__ = [
    "ERDS_EVIDENCE",
    "MAX_BODY",
    "SALT_SIZE",
    "SERVICE",
    "Event",
    "EventType",
    "commitment",
    "parse_event",
]

#: Largest event body in bytes; alert events hold every reply line of a mail server.
MAX_BODY = 64 * 1024

_ACTOR = re.compile(r"[a-z][a-z-]{0,29}(:[A-Za-z0-9][A-Za-z0-9._-]{0,99})?", re.ASCII)


class EventType(StrEnum):
    """The types of DESIGN section 3, spelled as in the body."""

    SUBMISSION_ACCEPTED = "submission-accepted"
    SUBMISSION_REJECTED = "submission-rejected"
    PROVIDED = "provided"
    ALERT_SENT = "alert-sent"
    ALERT_DELIVERED = "alert-delivered"
    ALERT_FAILED = "alert-failed"
    ALERT_DELAYED = "alert-delayed"
    ALERT_RELAYED = "alert-relayed"
    ALERT_DISPUTED = "alert-disputed"
    ALERT_RECEIVED = "alert-received"
    RETRIEVED = "retrieved"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    REPROVIDED = "reprovided"
    PAPER_SENT = "paper-sent"
    REMEDY_FAULTY = "remedy-faulty"
    REPLIED = "replied"
    REPLY_FETCHED = "reply-fetched"
    CONSENT_GIVEN = "consent-given"
    CONSENT_REVOKED = "consent-revoked"
    KEY_BOUND = "key-bound"
    KEY_RETIRED = "key-retired"
    ADDRESS_CHANGED = "address-changed"
    KEY_COPY_CHANGED = "key-copy-changed"
    LOGGED_IN = "logged-in"
    LOGIN_CHANGED = "login-changed"
    AGENCY_KEY_BOUND = "agency-key-bound"
    AGENCY_KEY_RETIRED = "agency-key-retired"
    REPLY_KEY_CHANGED = "reply-key-changed"
    FILE_VIEWED = "file-viewed"
    EXPORT_REQUESTED = "export-requested"
    EXPORT_DECIDED = "export-decided"
    EXPORTED = "exported"
    STAFF_CHANGED = "staff-changed"
    ERASED = "erased"
    KEY_OPENED = "key-opened"
    RENEWAL_ASKED = "renewal-asked"
    MANDATE_GIVEN = "mandate-given"
    MANDATE_REVOKED = "mandate-revoked"
    DELEGATE_LOOKED = "delegate-looked"
    ASSETS_PUBLISHED = "assets-published"


#: Subject of what concerns nobody in particular: the files that all browsers get.
SERVICE = "service"

#: The evidence of ETSI EN 319 522 that a type corresponds to; types without one are absent.
ERDS_EVIDENCE: Mapping[EventType, str] = {
    EventType.SUBMISSION_ACCEPTED: "SubmissionAcceptance (A.1)",
    EventType.SUBMISSION_REJECTED: "SubmissionRejection (A.2)",
    EventType.PROVIDED: "ContentConsignment (D.1)",
    EventType.ALERT_SENT: "ConsignmentNotification (D.3)",
    EventType.ALERT_DELIVERED: "NotificationDelivered",
    EventType.ALERT_FAILED: "ConsignmentNotificationFailure (D.4)",
    EventType.RETRIEVED: "ContentAccessTracking (D.6), ContentHandover (E.1)",
    EventType.ACKNOWLEDGED: "ConsignmentAcceptance (C.3)",
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. Construction raises FormatError if it could not be written and read back."""

    #: UUIDv7.
    id: EventId
    #: What happened.
    type: EventType
    #: When the service recorded it; aware UTC.
    time_at: datetime
    #: The agency concerned, if any.
    agency: AgencyId | None = None
    #: The notice concerned, if any.
    notice: NoticeId | None = None
    #: The mailbox concerned, if any.
    mailbox: MailboxId | None = None
    #: Who did it: "service", or a role and an id such as "client:<id>", "mailbox:<id>".
    actor: str
    #: What else was seen, by type; see the modules that write and verify it.
    facts: Mapping[str, Json]
    #: Commitment (32 bytes) of the previous event of the same subject; None for the first.
    previous: bytes | None = None

    def __post_init__(self) -> None:
        check_id(self.id, "event id")
        format_time(self.time_at)
        for what, value in (
            ("agency", self.agency),
            ("notice", self.notice),
            ("mailbox", self.mailbox),
        ):
            if value is not None:
                check_id(value, what)
        if _ACTOR.fullmatch(self.actor) is None:
            raise FormatError("malformed actor")
        if self.previous is not None and len(self.previous) != COMMITMENT_SIZE:
            raise FormatError("previous is no commitment")
        _ = self.subject

    @property
    def subject(self) -> str:
        """Whose chain the event belongs to: notice before mailbox before agency."""
        for kind, value in (
            ("notice", self.notice),
            ("mailbox", self.mailbox),
            ("agency", self.agency),
        ):
            if value is not None:
                return f"{kind}:{value}"
        if self.type is EventType.ASSETS_PUBLISHED:
            return SERVICE
        raise FormatError("an event needs a notice, a mailbox or an agency")

    def body(self) -> bytes:
        """The canonical JSON that is committed to, at most MAX_BODY bytes."""
        body = canonical.encode(
            {
                "id": self.id,
                "type": self.type.value,
                "time_at": format_time(self.time_at),
                "agency": self.agency,
                "notice": self.notice,
                "mailbox": self.mailbox,
                "actor": self.actor,
                "facts": self.facts,
                "previous": None if self.previous is None else self.previous.hex(),
            }
        )
        if len(body) > MAX_BODY:
            raise FormatError(f"event body of {len(body)} bytes exceeds {MAX_BODY}")
        return body


def parse_event(body: bytes) -> Event:
    """The event of a canonical body; FormatError (CanonicalError) for anything else."""
    fields = Fields(
        canonical.decode(body, max_size=MAX_BODY),
        "event",
        required=(
            "id",
            "type",
            "time_at",
            "agency",
            "notice",
            "mailbox",
            "actor",
            "facts",
            "previous",
        ),
    )
    try:
        kind = EventType(fields.text("type"))
    except ValueError:
        raise FormatError("event: unknown type") from None
    return Event(
        id=EventId(fields.text("id")),
        type=kind,
        time_at=fields.time("time_at"),
        agency=AgencyId(fields.text("agency")) if fields.has("agency") else None,
        notice=NoticeId(fields.text("notice")) if fields.has("notice") else None,
        mailbox=MailboxId(fields.text("mailbox")) if fields.has("mailbox") else None,
        actor=fields.text("actor"),
        facts=fields.mapping("facts"),
        previous=fields.hex("previous", size=32) if fields.has("previous") else None,
    )
