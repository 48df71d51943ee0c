"""Reports about mail rather than about its delivery: complaints and aggregate reports.

Implements recognition of RFC 5965 (ARF), RFC 6591 (authentication failures), RFC 7489 section 7.2
(DMARC aggregate reports) and RFC 8460 section 5.3 (TLS reports). Attachments are not opened.
"""

import re

from siegelpost.bounces.dsn import addresses
from siegelpost.bounces.dsn.mime import Part
from siegelpost.bounces.dsn.model import Kind, RecipientReport, Report

_DMARC = re.compile(r"report[\s_-]{0,3}domain:?\s.{1,255}submitter", re.IGNORECASE)
_DMARC_LOOSE = re.compile(r"dmarc (?:aggregate )?report|aggregate (?:dmarc )?report", re.IGNORECASE)
_COMPLAINT = re.compile(
    r"^\W*(?:e-?mail (?:feedback|abuse) report|complaint about message from|abuse report|fbl report"
    r"|feedback loop|spam (?:report|complaint)|client tos notification|\[?abuse\]? report)",
    re.IGNORECASE,
)
_SPAMCOP = re.compile(r"^\[spamcop \(", re.IGNORECASE)
_ABUSE_TEXT = re.compile(
    r"this is an? (?:e-?mail )?(?:abuse|feedback) report|^feedback-type:\s*\w", re.I | re.M
)
_FIELD = re.compile(
    r"^(?:original-rcpt-to|removal-recipient|x-hmxmroriginalrecipient)[ \t]*:[ \t]*(\S.{0,320})$",
    re.IGNORECASE | re.MULTILINE,
)


def feedback(message: Part) -> Report | None:
    """The report for a complaint or aggregate report; None if the message is neither."""
    kind = message.parameters.get("report-type", "").lower()
    subject = message.header("subject")
    parts = message.walk()
    arf = [p for p in parts if p.content_type == "message/feedback-report"]
    if arf or kind == "feedback-report":
        text = "\n".join(part.text for part in arf) or "\n".join(p.text for p in parts[:4])
        return Report(kind=Kind.FEEDBACK, recipients=_recipients(text), source="arf")
    if any(message.has(name) for name in ("x-xarf", "x-arf")) or _SPAMCOP.search(subject):
        return Report(kind=Kind.FEEDBACK, source="complaint")
    if kind == "tlsrpt" or message.has("tls-report-domain"):
        return Report(kind=Kind.FEEDBACK, source="tlsrpt")
    packed = any(
        re.search(r"zip|xml", p.content_type) or re.search(r"\.(?:zip|gz|xml)\b", _name(p), re.I)
        for p in parts
    )
    if _DMARC.search(subject) or (packed and _DMARC_LOOSE.search(subject)) or (
        packed and any(_name(p).count("!") >= 2 for p in parts)
    ):  # fmt: skip
        return Report(kind=Kind.FEEDBACK, source="dmarc")
    first = next((p.text for p in parts if p.content_type == "text/plain"), "")[:4000]
    told = bool(_ABUSE_TEXT.search(first))
    if told or (_COMPLAINT.search(subject) and any(p.is_message for p in parts[1:])):
        inside = next((p.body[:8192] for p in parts[1:] if p.is_message), b"")
        text = first + "\n" + inside.decode("latin-1")
        return Report(kind=Kind.FEEDBACK, recipients=_recipients(text), source="complaint")
    return None


def _name(part: Part) -> str:
    disposition = part.raw("content-disposition")[:600]
    return part.parameters.get("name", "") + " " + disposition


def _recipients(text: str) -> tuple[RecipientReport, ...]:
    found = dict.fromkeys(addresses.cleaned(match[1]) for match in _FIELD.finditer(text[:65536]))
    return tuple(RecipientReport(recipient=a) for a in found if addresses.is_address(a))[:200]
