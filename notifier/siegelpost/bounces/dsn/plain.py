"""Recipients named in the running text of a notice.

Covers qmail (QSBMF), Exim, Sendmail and Postfix transcripts, Exchange, Notes, GroupWise, provider
notices and whatever else lists addresses: each mention of an address is weighed by the line it
stands in, and the best kind of mention wins.
"""

import re
from dataclasses import dataclass, field

from siegelpost.bounces.dsn import addresses

MAX_LINES = 600
MAX_CHUNK = 2_000
MAX_SCAN = 16_384
MAX_FOUND = 200

_BRACKETED = re.compile(r"^(?:To ?:)?[\s*>'\"-]{0,8}<?<[^<>\s]{1,320}>+[\s:;.,'\")]*", re.I)
_LONE = re.compile(r"^[\s*>•·\"'‘’<(\[-]{0,12}[^\s<>]{1,320}[>\"'’)\]:;.,]{0,4}\s*$")
_LEADING = re.compile(
    r"^[\s*>•·\"'<\[-]{0,12}[^\s<>]{1,320}[>\"'\]]{0,2}"
    r"(?::|\.\.\.|\s+-|,\s| on \S| \(| {2,}|\t|;| (?:\d{3}|#\d)| (?:is|was|does|could|has"
    r"|unknown|no|user)\b)",
)
_COMMAND = re.compile(r"(?:>>>|RCPT TO:|C:|sent <<<|->).{0,40}rcpt to:?|rcpt to ?: ?", re.I)
_REPLY = re.compile(r"(?:^|[^\w.])[45]\d\d[ -][^\n]{0,200}@|<<<")
_LABEL = re.compile(
    r"(?:(?:final|original|failed|intended|undeliverable|unknown|invalid|bad|smtp|envelope|the"
    r" following)"
    r"[ -]?)?(?:recipients?|address(?:es)?|user(?: unknown)?|error-for|unknown user"
    r"|empf[äa]nger|e-?mail"
    r"|to|an|rcpt|userid|mailbox is full|recipient address|deliver(?:y|ed)? to|undeliverable to"
    r"|destinat\w+|адрес\w*|nicht zugestellt an|delivery failed|not delivered)"
    r"(?: ?\([a-z]{1,10}\))?\s?[:=]\s*$|SMTP[:=]\s*$|undeliverable to\s*$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"deliver|reach|recipient|unknown|not found|reject|failed|fail|undeliver|empfänger|zugestellt|"
    r"exist|mailbox|quota|user|bounce|addressed to|message to|mail to|account|zustell|e-mail an|"
    r"nachricht an|disabled|refus|kann nicht|address|blocked|entreg|remis",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"(?:^|\s)(?:from|sender|mail from|message-?id|msgid|x-[\w-]+|reply-to|return-path"
    r"|in-reply-to|von|"
    r"absender|envelope-from|original sender|message id|references|id|helo|received|for|by|"
    r"reporting-mta)\s?[:=]?\s*[\"'<(\[]*$|contact|reply to|ask |assistance|support|questions"
    r"|problem(?:s)? "
    r"(?:persist|please)|\bhelp\b|forward (?:this|the|it)|mailto:|kontakt|wenden sie|generated"
    r" from|"
    r"expanded from|sent by|message from|mail from|from <|on behalf of|https?://\S{0,200}$"
    r"|report this|please try|bitte (?:verwenden|nutzen)|new address|neue adresse",
    re.IGNORECASE,
)
#: "The message from … to …": the second one is the recipient.
_PASSED_ON = re.compile(
    r"\b(?:message|mail|e-?mail|nachricht) (?:from|von) \S{1,320} (?:to|an) [\"'<(]{0,3}$",
    re.IGNORECASE,
)
#: "<bounces@…>: Sender address rejected".
_OF_SENDER = re.compile(r"[>\"']{0,2}[:.]{0,3} ?(?:sender|absender)", re.IGNORECASE)
#: Exim's way to name the mailbox behind a pipe or file that failed.
_GENERATED = re.compile(r"generated (?:by|from) ([^\s<>()]{1,160}@[^\s<>()]{1,160})")
_CONTACT = re.compile(
    r"^(?:post-?master|abuse|mailer-daemon|support|help(?:desk)?|hostmaster|mail-?admin\w*|admin"
    r"|administrator|webmaster|noc|root|unblock\w*|delist\w*)@",
    re.IGNORECASE,
)


@dataclass
class Mention:
    """One address and what the notice says after it."""

    address: str
    weight: int
    line: int
    words: list[str] = field(default_factory=list)

    @property
    def chunk(self) -> str:
        """The line and what follows it, up to the next recipient."""
        return "\n".join(self.words)[:MAX_CHUNK]


def mentions(text: str, *, strangers: frozenset[str]) -> list[Mention]:
    """Recipients named in the text, in order, all of the best weight found.

    `strangers` are lower-case addresses that take part in the notice but are not recipients: the
    one it was sent to, the one it came from. They count only where nobody else is named.
    """
    lines = text.split("\n")[:MAX_LINES]
    found: dict[str, Mention] = {}
    for number, line in enumerate(lines):
        if "@" not in line:
            continue
        for address in addresses.in_text(line[:2000]):
            weight = _weight(line, address, strangers)
            known = found.get(address.lower())
            if known is None:
                if len(found) < MAX_FOUND:
                    found[address.lower()] = Mention(address, weight, number)
            elif weight > known.weight:
                # An address list before a transcript is where its words stand.
                known.line = number if known.weight < 4 else known.line
                known.weight = weight
    ranked = list(found.values())
    best = max((mention.weight for mention in ranked), default=0)
    if best <= 0:
        return [
            Mention(match[1], 3, 0, lines[:60]) for match in _GENERATED.finditer(text[:MAX_SCAN])
        ][:MAX_FOUND]
    limit = best if best < 5 else 5
    chosen = sorted((m for m in ranked if m.weight >= limit), key=lambda m: m.line)
    for mention, follower in zip(chosen, [*chosen[1:], None], strict=True):
        end = follower.line if follower else len(lines)
        mention.words = lines[mention.line : max(mention.line + 1, end)][:60]
    return chosen


def _weight(line: str, address: str, strangers: frozenset[str]) -> int:
    """5 and more: named as a recipient; 1 to 4: mentioned; 0 and less: somebody else."""
    at = line.find(address)
    before = line[:at]
    if _OF_SENDER.match(line[at + len(address) :]):
        weight = -1
    elif _PASSED_ON.search(before[-400:]):
        weight = 4
    elif _FOREIGN.search(before[-80:]):
        weight = -1
    elif _COMMAND.search(before[-60:]) or (_BRACKETED.match(line) and at < 12):
        weight = 6
    elif _LONE.match(line) or _LABEL.search(before[-60:]):
        weight = 5
    elif (_LEADING.match(line) and at < 14) or (
        _REPLY.search(line[: at + len(address)]) and at < 120
    ):
        weight = 4
    elif _SENTENCE.search(line):
        weight = 3
    else:
        weight = 1
    if _CONTACT.match(address):
        weight -= 4
    if address.lower() in strangers:
        weight -= 5
    return weight


_TELLING = re.compile(
    r"(?<![\w.:])[45]\d\d[ -](?=\D)|#?\b[45]\.\d\.\d{1,2}\b|<<<|said:|because|reason|grund\b|error|"
    r"unknown|quota|full|does ?n[o']t|not (?:found|exist|listed|known)|timed? out|refused|fehler",
    re.IGNORECASE,
)


def remote_words(chunk: str, notice: str, *, alone: bool) -> str:
    """The lines that look like a remote system's answer; else the chunk as it is.

    `alone`: the recipient is the only one, so that replies elsewhere in the notice are about it.
    """
    order = [(chunk, _SMTP_LINE), (notice, _SMTP_LINE), (chunk, _TELLING), (notice, _TELLING)]
    if not alone:
        own_words = re.search(r"[a-z]{3}", re.sub(r"\S*@\S*", "", chunk), re.IGNORECASE)
        order = [order[0], order[2]] if own_words else [order[0], order[2], order[1], order[3]]
    for text, pattern in order:
        lines = text.split("\n")[:300]
        hits = [number for number, line in enumerate(lines) if pattern.search(line)]
        if hits:
            start, end = hits[0], min(len(lines), hits[-1] + 3, hits[0] + 15)
            return "\n".join(lines[start:end])[:MAX_CHUNK]
    return chunk[:MAX_CHUNK]


_SMTP_LINE = re.compile(
    r"(?<![\w.:/-])[45]\d\d[ -](?:#?[45]\.\d|[\w<\"'(\[])|#?\b[45]\.\d\.\d{1,2}\b"
)
