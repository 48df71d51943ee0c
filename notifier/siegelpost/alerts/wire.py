"""How commands and mails are written on the wire: one line, DSN parameters, doubled dots (pure)."""

from __future__ import annotations

import re

_XTEXT = re.compile(r"[!-*,-<>-~]*")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def xtext(text: str) -> str:
    """Encode a DSN parameter (RFC 3461 section 4)."""
    if _XTEXT.fullmatch(text):
        return text
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )


def stuffed(data: bytes) -> bytes:
    """Return a mail as it goes over the wire: dots doubled, the end marked (RFC 5321 4.5.2).

    Lone CR and LF become line ends: a server that took them for such would read another mail.
    """
    lines = data.count(b"\r\n")
    if data.count(b"\n") != lines or data.count(b"\r") != lines:
        data = _LINE_END.sub(b"\r\n", data)
    if data[-2:] != b"\r\n":
        data += b"\r\n"
    if data[:1] == b".":
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def command_line(command: str) -> bytes:
    """Return a command as bytes with its CRLF; raises ValueError for what would be two."""
    if "\r" in command or "\n" in command:
        raise ValueError("a command of several lines")
    return command.encode("ascii") + b"\r\n"
