"""What comes back of the returned message: where it begins in a text, and its headers.

Implements RFC 6522 section 3 (third part) and the separators that systems without MIME print.
The headers are evidence of which message is meant; they are as forgeable as the rest.
"""

import re

from siegelpost.bounces.dsn.mime import Headers, Part, read_headers
from siegelpost.bounces.dsn.text import header_text

MAX_ORIGINAL_HEADERS = 100

_RETURNED_TYPES = {
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
    "text/rfc822-header",
}
#: Lines after which a text holds the returned message.
_SEPARATOR = re.compile(
    r"^[ \t>]*[-=_*+#]{2,}[ \t]*(?:(?:this|below|the|here|start|begin\w*|included|unsent|original|"
    r"returned|message|mail|undelivered|transmitted|forwarded|body|hier|ursprüngliche|copy|"
    r"original-?nachricht|enclosed|a copy|your)\b)[^\n]{0,100}?(?:message|header|mail|copy|follow|"
    r"nachricht|text)[^\n]{0,80}$"
    r"|^[ \t]*(?:included is a copy of the message|(?:the )?(?:original|your|unsent|undelivered) "
    r"(?:message|mail)(?: text| headers?)? (?:follows|is attached|attached|below|reads)"
    r"|message (?:text|headers?|contents) follows?|original message headers|original message"
    r"|ursprüngliche nachrichtenkopfzeilen|ursprüngliche nachricht|kopfzeilen der ursprünglichen"
    r"|(?:a )?copy of (?:the|your) (?:original )?(?:message|mail)|the following is a copy"
    r"|old message|here is your returned mail|the text of your message|your message reads"
    r"|mail headers? follow|original headers|nachrichten-?kopfzeilen"
    r"|en-têtes de message d'origine|encabezados originales"
    r")\b[^\n]{0,60}:?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
#: Two header lines of a returned message one after the other, after an empty line.
_HEADERS_START = re.compile(
    r"^(?:Received: (?:from|by|\(qmail)|Return-Path: ?<|Delivered-To: |DKIM-Signature: "
    r"|X-Mailer: )",
    re.MULTILINE | re.IGNORECASE,
)
_HEADER_LINE = re.compile(r"^(?:Message-ID|From|To|Subject|Date|Received|Return-Path)[ \t]*:", re.I)
#: Decorated headings of the notice itself.
_NO_SEPARATOR = (
    "transcript",
    "session",
    "could not",
    "warning",
    "resend",
    "message log",
    "failed",
    "blocked",
    "not deliver",
    "undeliverable",
    "address",
    "rejected",
    "not found",
    "incomplete",
)
_EXPECTED = {"message-id", "from", "to", "subject", "date", "received", "return-path"}
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")


def separator(text: str) -> int:
    """Where the returned message begins in a notice's text; its length if it does not."""
    starts = [len(text)]
    for match in _SEPARATOR.finditer(text):
        line = match.group().lower()
        if any(word in line for word in _NO_SEPARATOR):
            continue
        starts.append(match.start())
        break
    if headers := _HEADERS_START.search(text):
        starts.append(headers.start())
    return min(starts)


def returned_headers(message: Part, text: str) -> Headers:
    """Headers of the returned message, wherever it is: a MIME part or the tail of the text."""
    for part in message.walk()[1:]:
        if part.is_message and part.parts:
            if part.parts[0].headers:
                return _kept(part.parts[0].headers)
        elif part.content_type in _RETURNED_TYPES:
            found = read_headers(part.content.lstrip())
            if found:
                return _kept(found)
    tail = text[separator(text) :].split("\n")
    for index, line in enumerate(tail[:400]):
        if _HEADER_LINE.match(line.lstrip(" >\t")):
            block = "\n".join(line.lstrip(">") for line in tail[index : index + 400])
            if line[0] in " \t>":
                block = "\n".join(line.strip() for line in block.split("\n"))
            return _kept(read_headers(block.encode("utf-8", "replace")))
    return ()


def _kept(headers: Headers) -> Headers:
    names = {name for name, _ in headers}
    if _EXPECTED.isdisjoint(names):
        return ()
    return tuple((name, header_text(value)[:1000]) for name, value in headers)[
        :MAX_ORIGINAL_HEADERS
    ]


def header_of(headers: Headers, name: str) -> str:
    """First value of a returned header; empty if there is none."""
    return next((value for key, value in headers if key == name), "")


def message_id(headers: Headers) -> str | None:
    """The Message-ID of the returned message with its brackets."""
    value = header_of(headers, "message-id")
    match = _MESSAGE_ID.search(value)
    return match.group() if match else (value[:500] or None)
