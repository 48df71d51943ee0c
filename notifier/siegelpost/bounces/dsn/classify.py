"""The whole reader: one incoming message in, one `Report` out.

Order: complaints and receipts by their MIME type, RFC 3464 reports, sure automatic answers,
notices in plain words, other automatic answers, the rest.
Pure: no clock, no files, no network. Never raises; looks at `MAX_BYTES` at most.
"""

import re

from siegelpost.bounces.dsn import addresses
from siegelpost.bounces.dsn.answers import answer, is_answer, is_surely_answer, receipt
from siegelpost.bounces.dsn.delivery_status import Group, read_groups
from siegelpost.bounces.dsn.feedback import feedback
from siegelpost.bounces.dsn.mime import MAX_BYTES, Headers, Part, read_message
from siegelpost.bounces.dsn.model import Action, Kind, RecipientReport, Report
from siegelpost.bounces.dsn.plain import mentions, remote_words
from siegelpost.bounces.dsn.returned import header_of, message_id, returned_headers
from siegelpost.bounces.dsn.signs import SUBJECT_DELAYED, Notice, read_notice
from siegelpost.bounces.dsn.text import folded
from siegelpost.bounces.dsn.verdict import recipient_report

#: Points of `Notice.weight` from which a message without a report part counts as a notice.
NOTICE_WEIGHT = 4
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_EMBEDDED = re.compile(r"^(?:final|original)-recipient[ \t]*:[ \t]*\S", re.I | re.M)
_URGENCY = (
    Action.FAILED, Action.DELAYED, Action.RELAYED, Action.EXPANDED, Action.DELIVERED,
)  # fmt: skip


def parse_dsn(raw: bytes) -> Report:
    """Read any bytes as an incoming message about an earlier one.

    Never raises and never takes long; what is unreadable is `Kind.OTHER`. The result says what
    the message says: whether it belongs to a message of ours is the caller's to check.
    """
    try:
        report, headers, notice = _read(read_message(raw))
    except (ValueError, LookupError, RecursionError, OverflowError, TypeError, AttributeError):
        # A defect of ours must not lose a mail at the door; the fuzz tests call `_read` itself.
        return Report(kind=Kind.OTHER, source="unreadable", truncated=len(raw) > MAX_BYTES)
    del notice
    fields = {name: getattr(report, name) for name in _CARRIED}
    if report.kind is not Kind.OTHER:
        fields["original_headers"] = headers
        fields["original_message_id"] = message_id(headers)
    return Report(
        kind=report.kind, recipients=report.recipients, source=report.source,
        truncated=len(raw) > MAX_BYTES, **fields,
    )  # fmt: skip


_CARRIED = ("envelope_id", "reporting_mta", "arrival_at")


def _read(message: Part) -> tuple[Report, Headers, Notice]:
    notice = read_notice(message)
    headers = returned_headers(message, notice.whole)
    report = (
        feedback(message)
        or _delivery_status(message, notice, headers)
        or receipt(message, notice)
        or (answer(message) if is_surely_answer(message, notice) else None)
        or _words(message, notice, headers)
        or (answer(message) if is_answer(message, notice) else None)
        or Report(kind=Kind.OTHER, source="other")
    )
    return report, headers, notice


def _delivery_status(message: Part, notice: Notice, headers: Headers) -> Report | None:
    """An RFC 3464 report, as a MIME part or, from systems that lost the type, within the text."""
    texts = [p.text for p in message.walk() if p.content_type in _STATUS_TYPES]
    if not texts and _EMBEDDED.search(notice.text) and notice.weight(message) >= NOTICE_WEIGHT:
        texts = [notice.text]
    groups: list[Group] = []
    per_message = Group()
    for text in texts[:20]:
        head, *recipients = read_groups(text)
        groups += recipients
        for name, value in head.fields.items():
            per_message.fields.setdefault(name, value)
    if not groups:
        return None
    found = [_of_group(group, notice) for group in groups]
    if not any(one.recipient and addresses.is_address(one.recipient) for one in found):
        named = _named(message, notice, headers)
        if named:
            found[0] = _of_group(groups[0], notice, recipient=named[0][0])
    envelope = per_message.get("original-envelope-id")
    return Report(
        kind=_kind(found),
        recipients=tuple(_distinct(found)),
        envelope_id=addresses.xtext_decoded(envelope)[:500] or None,
        reporting_mta=per_message.host("reporting-mta"),
        arrival_at=per_message.moment("arrival-date"),
        source="rfc3464",
    )


def _of_group(group: Group, notice: Notice, *, recipient: str | None = None) -> RecipientReport:
    status = group.status
    action = group.action or _action_by_status(status, notice)
    return recipient_report(
        recipient=recipient or group.recipient,
        original_recipient=group.original_recipient,
        action=action,
        words=group.words,
        status=status,
        context="" if action not in {Action.FAILED, Action.DELAYED} else notice.text[:3000],
        remote_mta=group.host("remote-mta"),
        last_attempt_at=group.moment("last-attempt-date"),
        will_retry_until_at=group.moment("will-retry-until"),
    )


def _action_by_status(status: str | None, notice: Notice) -> Action:
    """For reports without a usable Action field."""
    if status is not None and status[0] == "2":
        return Action.DELIVERED
    if (status is None or status[0] == "4") and notice.speaks_of_delay:
        return Action.DELAYED
    return Action.FAILED


def _kind(found: list[RecipientReport]) -> Kind:
    actions = {one.action for one in found}
    if Action.FAILED in actions:
        return Kind.BOUNCE
    return Kind.DELAYED if Action.DELAYED in actions else Kind.DELIVERED


def _distinct(found: list[RecipientReport]) -> list[RecipientReport]:
    kept: dict[tuple[str | None, Action | None], RecipientReport] = {}
    for one in found:
        kept.setdefault((one.recipient and one.recipient.lower(), one.action), one)
    return list(kept.values())


def _words(message: Part, notice: Notice, headers: Headers) -> Report | None:
    """A notice in plain words, from systems that write no RFC 3464 report."""
    if notice.weight(message) < NOTICE_WEIGHT:
        return None
    if not (
        notice.speaks_of_failure
        or notice.titled_as_failure
        or notice.speaks_of_delay
        or message.has("x-failed-recipients")
        or SUBJECT_DELAYED.search(notice.subject)
        or notice.speaks_of_delivery
    ):
        return None
    named = _named(message, notice, headers)
    if not (named or notice.is_titled or notice.names_a_code):
        return None  # a postmaster's circular speaks of failures too, but of nobody's
    action = Action.FAILED
    if notice.speaks_of_delay:
        action = Action.DELAYED
    elif notice.speaks_of_delivery and not notice.speaks_of_failure:
        action = Action.DELIVERED
    named = named or [(None, notice.text)]
    found = [
        recipient_report(
            recipient=address,
            action=action,
            words=remote_words(chunk, notice.text, alone=len(named) == 1),
            context=notice.text[:3000] if len(named) == 1 else chunk,
        )
        for address, chunk in named
    ]
    return Report(kind=_kind(found), recipients=tuple(_distinct(found)), source="words")


def _named(message: Part, notice: Notice, headers: Headers) -> list[tuple[str | None, str]]:
    """Recipients with the words about each: from a header, the text, the returned message."""
    taking_part = [message.header(name) for name in ("to", "from", "delivered-to", "reply-to")]
    taking_part += [header_of(headers, name) for name in ("from", "return-path", "sender")]
    strangers = frozenset(a.lower() for value in taking_part for a in addresses.in_text(value))
    told = mentions(notice.text, strangers=strangers)
    failed = addresses.in_text(message.header("x-failed-recipients"))
    if failed:
        chunks = {mention.address.lower(): mention.chunk for mention in told}
        whole = notice.text
        return [(a, chunks.get(a.lower()) or (whole if len(failed) == 1 else "")) for a in failed]
    strong = [m for m in told if m.weight >= 3]
    if strong:
        return [(m.address, m.chunk) for m in strong]
    for name in ("x-original-to", "delivered-to", "envelope-to", "to"):
        returned = addresses.in_text(header_of(headers, name))
        others = [a for a in returned if a.lower() not in strangers] or returned
        if others:
            return [(address, notice.text) for address in others[:1]]
    if told:
        return [(m.address, m.chunk) for m in told]
    # Some systems write in the name of the mailbox that failed.
    writers = {a.lower() for a in addresses.in_text(message.header("from"))}
    told = mentions(notice.text, strangers=strangers - writers)
    return [(m.address, m.chunk) for m in told if m.weight >= 3]


def leading(report: Report) -> RecipientReport | None:
    """The recipient that decides the report's kind: the first failed, else delayed, else any."""
    for action in _URGENCY:
        for one in report.recipients:
            if one.action is action:
                return one
    return report.recipients[0] if report.recipients else None


def words_of(report: Report) -> str:
    """The remote words of the deciding recipient, for people."""
    one = leading(report)
    return folded(one.remote_words) if one else ""
