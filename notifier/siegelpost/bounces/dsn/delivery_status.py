"""Reader of message/delivery-status and message/global-delivery-status bodies.

Implements RFC 3464 section 2 (per-message and per-recipient fields), RFC 3461 section 6 (the
returned envelope id and original recipient) and RFC 6533 section 4.
Liberal where real systems are: groups torn apart by empty lines, missing address types, fields of
both groups in one, unknown fields, comments after codes.
It does not judge: see `verdict`.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_tz

from siegelpost.bounces.dsn import addresses
from siegelpost.bounces.dsn.codes import field_status
from siegelpost.bounces.dsn.model import Action
from siegelpost.bounces.dsn.text import folded, header_text

#: Recipients of one report that are kept.
MAX_RECIPIENTS = 500

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,60})[ \t]*:[ \t]*(.*)")
_WORD = re.compile(r"[\s\"']*([A-Za-z]+)")
_TYPE = re.compile(r"^\s*[A-Za-z][\w.-]{0,30}\s*;")
_RECIPIENT_FIELDS = {"final-recipient", "original-recipient", "action", "status"}
_FIRST_FIELDS = {"final-recipient", "original-recipient", "x-actual-recipient"}
_ACTIONS = {
    "failed": Action.FAILED,
    "failure": Action.FAILED,
    "fail": Action.FAILED,
    "undeliverable": Action.FAILED,
    "delayed": Action.DELAYED,
    "deferred": Action.DELAYED,
    "warning": Action.DELAYED,
    "delivered": Action.DELIVERED,
    "delivery": Action.DELIVERED,
    "deliverable": Action.DELIVERED,
    "success": Action.DELIVERED,
    "relayed": Action.RELAYED,
    "expanded": Action.EXPANDED,
}


@dataclass
class Group:
    """Fields of one group: first value of each name."""

    fields: dict[str, str] = field(default_factory=dict)

    def get(self, *names: str) -> str:
        """First of the named fields that is there and not empty."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")

    @property
    def is_recipient(self) -> bool:
        """Whether any per-recipient field is in the group."""
        return not _RECIPIENT_FIELDS.isdisjoint(self.fields)

    @property
    def recipient(self) -> str | None:
        """Final-Recipient; where it is a local name only, the next best real address."""
        choices = [
            addresses.typed(self.fields[name])[1]
            for name in ("final-recipient", "x-actual-recipient", "original-recipient")
            if self.fields.get(name)
        ]
        choices = [choice for choice in choices if choice]
        if self.original_recipient and self.original_recipient not in choices:
            choices.append(self.original_recipient)
        real = [choice for choice in choices if addresses.is_address(choice)]
        plain = [choice for choice in real if not choice.upper().startswith("IMCEAEX-")]
        return next(iter(plain or real or choices), None)

    @property
    def original_recipient(self) -> str | None:
        """Original-Recipient with its xtext undone."""
        value = self.get("original-recipient", "x-original-recipient")
        return addresses.xtext_decoded(addresses.typed(value)[1]) or None if value else None

    @property
    def action(self) -> Action | None:
        """Action, comments and synonyms of odd systems tolerated."""
        word = _WORD.match(self.get("action"))
        return _ACTIONS.get(word[1].lower()) if word else None

    @property
    def status(self) -> str | None:
        """Status as `class.subject.detail`."""
        return field_status(self.get("status"))

    @property
    def words(self) -> str:
        """Diagnostic-Code without its type, with what else the system had to say."""
        value = self.get("diagnostic-code", "x-supplementary-info", "x-display-name-reason")
        return folded(_TYPE.sub("", value, count=1))

    def host(self, name: str) -> str | None:
        """A typed host field (`dns; mx.example.org`) without type and comment."""
        value = addresses.typed(self.get(name))[1]
        return folded(value.split(" (", 1)[0])[:255] or None

    def moment(self, name: str) -> datetime | None:
        """A date field as an aware UTC datetime; None if absent or impossible."""
        return moment(self.get(name))


def moment(value: str) -> datetime | None:
    """An RFC 5322 date as an aware UTC datetime; a date without a zone counts as UTC."""
    try:
        fields = parsedate_tz(value[:100])
        if fields is None:
            return None
        at = datetime(*fields[:6], tzinfo=UTC)
        offset = fields[9] or 0
        return datetime.fromtimestamp(at.timestamp() - offset, UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def read_groups(text: str) -> list[Group]:
    """Groups of fields: those about the message first merged into one, then one a recipient.

    The list's first entry is always the per-message group, possibly empty.
    """
    message, recipients = Group(), list[Group]()
    current: Group | None = None
    for block in _blocks(text):
        names = {name for name, _ in block}
        if names.isdisjoint(_RECIPIENT_FIELDS):
            # Odd systems put an empty line between Final-Recipient and Diagnostic-Code.
            about = current if current and "reporting-mta" not in names else message
            for name, value in block:
                about.fields.setdefault(name, value)
            continue
        if current is None or not names.isdisjoint(_FIRST_FIELDS & set(current.fields)):
            current = None
        for name, value in block:
            starts = name in _FIRST_FIELDS and current is not None and name in current.fields
            if name in {"reporting-mta", "arrival-date", "original-envelope-id"}:
                message.fields.setdefault(name, value)
            elif current is None or starts:
                if len(recipients) >= MAX_RECIPIENTS:
                    return [message, *recipients]
                current = Group({name: value})
                recipients.append(current)
            else:
                current.fields.setdefault(name, value)
    return [message, *recipients]


def _blocks(text: str) -> list[list[tuple[str, str]]]:
    """Runs of fields between empty lines; continuation lines joined."""
    blocks: list[list[tuple[str, str]]] = [[]]
    length = 0
    for line in text.split("\n"):
        if not line.strip():
            if blocks[-1]:
                blocks.append([])
        elif line[0] in " \t" and blocks[-1]:
            name, value = blocks[-1][-1]
            length += len(line)
            if length <= 4000:
                blocks[-1][-1] = name, f"{value} {line.strip()}"
        elif match := _FIELD.match(line[:4000]):
            length = len(line)
            blocks[-1].append((match[1].lower(), header_text(match[2])))
        if len(blocks) > 2 * MAX_RECIPIENTS:
            break
    return [block for block in blocks if block]
