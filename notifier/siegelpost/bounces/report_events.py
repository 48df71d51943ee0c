"""The events that a report leads to, and in them what they prove and what not (pure).

DESIGN sections 3 and 8. Facts hold what the report says about our recipient in readable form; the
message itself is kept sealed, under the digest that the event names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siegelpost.alerts.transcript import hidden
from siegelpost.bounces.decision import Decision
from siegelpost.bounces.dsn import RecipientReport, Report
from siegelpost.bounces.news import News
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, AlertId, MailboxId, NoticeId
from siegelpost.evidence.times import format_time
from siegelpost.store.columns import AnyRow
from siegelpost.store.events import EventDraft
from siegelpost.store.outbox import AlertKind
from siegelpost.store.tasks import TaskDraft, TaskKind

PROVES: Mapping[EventType, str] = {
    EventType.ALERT_SENT: (
        "A report about this mail came to its own return address, which only systems that had the "
        "mail can know: so a mail server had taken it, though its answer to us was lost. When it "
        "did is in the attempt; the time of this event is the report's arrival."
    ),
    EventType.ALERT_DELIVERED: (
        "A report came to this mail's own signed return address that says, in the recorded words, "
        "that the named system delivered the mail to the recipient's mailbox (RFC 3464, 2.3.3)."
    ),
    EventType.ALERT_DELAYED: (
        "A report came to this mail's own signed return address that says, in the recorded words, "
        "that the named system has the mail, could not yet deliver it, and goes on trying "
        "(RFC 3464, 2.3.3). Later reports of the same kind are kept and not recorded again."
    ),
    EventType.ALERT_RELAYED: (
        "A report came to this mail's own signed return address that says, in the recorded words, "
        "that the named system passed the mail on to one that sends no reports, or to several "
        "addresses (RFC 3464, 2.3.3). Later reports of the same kind are kept and not recorded "
        "again."
    ),
    EventType.ALERT_FAILED: (
        "A report came to this mail's own signed return address that says, in the recorded words, "
        "that the mail could not be delivered and nobody tries again (RFC 3464, 2.3.3)."
    ),
}
DOES_NOT_PROVE: Mapping[EventType, str] = {
    EventType.ALERT_SENT: "That the mail arrived in the recipient's mailbox, or was read.",
    EventType.ALERT_DELIVERED: (
        "That the recipient read the mail. Reports bear no signature: whoever saw the mail on its "
        "way could have written this one. A later report may say otherwise."
    ),
    EventType.ALERT_DELAYED: (
        "That the mail arrived, or that it will not. Reports bear no signature: whoever saw the "
        "mail on its way could have written this one."
    ),
    EventType.ALERT_RELAYED: (
        "That the mail arrived in the recipient's mailbox: nobody will report that. Reports bear "
        "no signature: whoever saw the mail on its way could have written this one."
    ),
    EventType.ALERT_FAILED: (
        "That no copy arrived: a system may report a failure after it delivered. Reports bear no "
        "signature: whoever saw the mail on its way could have written this one."
    ),
}
_WORDS = 2000


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a message came from, as our server saw it."""

    #: network address of the peer
    peer: str
    #: how it called itself
    helo: str | None = None
    #: version of TLS, if any
    tls: str | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message that came to an alert's return address."""

    #: its id in the store
    id: str
    #: whose return address it came to
    alert: AlertId
    #: what it says
    report: Report
    #: its bytes
    raw: bytes
    #: their SHA-256
    digest: bytes
    #: where from
    origin: Origin
    #: when it had come in
    received_at: datetime
    #: envelope id that the mail went out with
    envelope_id: str


def report_drafts(
    message: Message,
    news: News,
    decision: Decision,
    alert: AnyRow,
    *,
    attempt: tuple[int, Mapping[str, Any]] | None,
) -> list[EventDraft]:
    """Return the events of `decision`; none for mails that concern no notice.

    `attempt` is the last one on record, for an `alert-sent` that the report shows.
    """
    if alert.notice_id is None:
        return []
    return [
        EventDraft(
            type=event,
            at=message.received_at,
            agency=None if alert.agency_id is None else AgencyId(alert.agency_id),
            notice=NoticeId(alert.notice_id),
            mailbox=None if alert.mailbox_id is None else MailboxId(alert.mailbox_id),
            actor="service",
            facts={
                "alert": alert.id,
                "kind": alert.kind,
                "address": alert.email,
                **_seen(event, message, news, alert, attempt),
                "reason": decision.reason,
                "proves": PROVES[event],
                "does_not_prove": DOES_NOT_PROVE[event],
            },
        )
        for event in decision.events
    ]


def report_tasks(
    message: Message, news: News, decision: Decision, alert: AnyRow
) -> list[TaskDraft]:
    """Return the agency's task if the mail failed after all, or a report says so."""
    if EventType.ALERT_FAILED not in decision.events and not decision.ask:
        return []
    if alert.notice_id is None or alert.agency_id is None:
        return []
    about = news.about
    since = alert.finished_at or alert.created_at
    return [
        TaskDraft(
            kind=TaskKind.ALERT_FAILED,
            agency=AgencyId(alert.agency_id),
            notice=NoticeId(alert.notice_id),
            alert=AlertId(alert.id),
            facts={
                "alert_kind": AlertKind(alert.kind).value,
                "reported": True,
                "contradicts_delivery": decision.ask,
                "days_after_sending": max(0, (message.received_at - since).days),
                "reason": about.reason.value if about and about.reason else None,
                "status": about.status if about else None,
                "permanent": about.permanent if about else None,
            },
        )
    ]


def _seen(
    event: EventType,
    message: Message,
    news: News,
    alert: AnyRow,
    attempt: tuple[int, Mapping[str, Any]] | None,
) -> dict[str, Json]:
    if event is EventType.ALERT_SENT:
        number, evidence = attempt or (alert.attempts, {"reason": "worker-vanished"})
        return {"attempt": number, "submission": dict(evidence), "shown_by": message.id}
    return {"report": _report(message, news.about)}


def _report(message: Message, about: RecipientReport | None) -> dict[str, Json]:
    report, origin = message.report, message.origin
    token = message.envelope_id

    def said_of(text: str | None) -> str | None:
        return _clean(text, token)

    said: dict[str, Json] = {
        "bounce": message.id,
        "message_sha256": message.digest.hex(),
        "message_bytes": len(message.raw),
        "received_at": format_time(message.received_at),
        "received_from": {"address": origin.peer, "helo": origin.helo, "tls": origin.tls},
        "kind": report.kind.value,
        "format": report.source,
        "reporting_mta": said_of(report.reporting_mta),
        "envelope_id": said_of(report.envelope_id),
        "envelope_id_is_ours": report.envelope_id == message.envelope_id,
    }
    if about is not None:
        said |= {
            "recipient": said_of(about.recipient),
            "original_recipient": said_of(about.original_recipient),
            "action": about.action.value if about.action else None,
            "status": about.status,
            "smtp_code": about.smtp_code,
            "permanent": about.permanent,
            "reason": about.reason.value if about.reason else None,
            "remote_mta": said_of(about.remote_mta),
            "remote_words": said_of(about.remote_words),
            "last_attempt_at": _time(about.last_attempt_at),
        }
    return said


def _clean(text: str | None, token: str) -> str | None:
    """Return `text` as an event may hold it, the return token as its digest."""
    if text is None:
        return None
    # Capitals are of no matter in return addresses. An expression of its own for each token costs
    # more than reading the report, so it is only made where it may be needed.
    if not text.isascii() or token.lower() in text.lower():
        text = re.sub(re.escape(token), hidden(token), text, flags=re.IGNORECASE)
    # Reports may hold half characters, which canonical JSON refuses.
    return text[:_WORDS].encode("utf-8", "replace").decode("utf-8")


def _time(moment: datetime | None) -> str | None:
    try:
        return None if moment is None else format_time(moment)
    except OverflowError:  # the last hours of year 9999, in some zone
        return None
