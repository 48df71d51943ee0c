"""Every command and every full reply line of an SMTP dialogue, with times, as evidence.

DESIGN section 8. aiosmtplib keeps neither reply codes of continuation lines nor what it sent, so a
protocol of our own (`asking`) listens on both sides of the wire, above TLS.
Commands may be sent before the replies to those before them have come (RFC 2920): replies come in
the order of the commands.
Credentials of AUTH never enter the record, nor does the mail's body (its digest stands elsewhere).
A mail's return token, with which reports are believed, stands as its digest.
Bytes outside of printable ASCII are written as ``\\xNN``.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.times import format_time

#: Most characters of commands and replies kept of one part of a dialogue; RFC 5321 needs far less.
#: Two parts and the rest of an alert's event fit into the largest event body.
MAX_CHARACTERS = 8000
#: Most characters kept of one line; RFC 5321 4.5.3.1.5 allows 512.
MAX_LINE = 1000

#: Most bytes of JSON around one command and its reply, and around one line.
_EXCHANGE_FRAME, _LINE_FRAME = 120, 4
_CUT = "[cut here]"
_REDACTED = "[redacted]"
_PRINTABLE = bytes(range(0x20, 0x7F))


class Transcript:
    """The record of one connection, taken out part by part."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Start empty; `now` dates the lines."""
        self._now = now
        self._exchanges: list[dict[str, Any]] = []
        self._unanswered: deque[dict[str, Any]] = deque()
        self._room = MAX_CHARACTERS
        self._partial = b""
        self._authenticating = False
        self._secrets: list[bytes] = []
        self._mail_follows = False
        self._data_asked = False
        self._token = self._token_digest = b""
        #: whether the present mail's body has been sent
        self.mail_sent = False
        #: whether it has been sent and its reply has not come yet
        self.awaits_verdict = False

    def begin_mail(self, token: str = "") -> None:
        """Forget about the mail before; wherever `token` comes, its digest is written."""
        self._token = token.encode().lower()
        self._token_digest = hidden(token).encode()
        self.mail_sent = self.awaits_verdict = False

    def keep_out(self, *secrets: str) -> None:
        """Replace these words wherever a server should repeat them."""
        self._secrets += [secret.encode() for secret in secrets if secret]

    def sent(self, data: bytes) -> None:
        """Record what goes out: one command line, or a mail's body."""
        if self._mail_follows:
            self._mail_follows = False
            self.mail_sent = self.awaits_verdict = True
            command = f"[mail, {len(data)} bytes on the wire]"
        elif self._authenticating:
            self._secrets.append(data.strip())
            command = _REDACTED
        elif data[:5].upper() == b"AUTH ":
            self._authenticating = True
            method, _, token = data[5:].strip().partition(b" ")
            self._secrets.append(token)
            command = f"AUTH {readable(method)}" + (f" {_REDACTED}" if token else "")
        else:
            command = readable(self.scrubbed(data.rstrip(b"\r\n")))
        self._data_asked = command == "DATA"  # nothing is sent after it before its reply
        self._unanswered.append(self._open(self._fitting(command)))

    def received(self, data: bytes) -> None:
        """Record what came in, line by line."""
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()[: 4 * MAX_LINE]
        for line in lines:
            self._reply(line.rstrip(b"\r"))

    def take(self) -> list[Json]:
        """Return what has been recorded since the last call, and make room again."""
        taken: list[Json] = list(self._exchanges)
        self._exchanges = []
        self._unanswered.clear()
        self._room = MAX_CHARACTERS
        return taken

    def _open(self, command: str | None) -> dict[str, Any]:
        exchange: dict[str, Any] = {
            "command": command,
            "sent_at": None if command is None else format_time(self._now()),
            "reply": [],
            "replied_at": None,
        }
        self._exchanges.append(exchange)
        self._room -= _EXCHANGE_FRAME
        return exchange

    def scrubbed(self, line: bytes) -> bytes:
        """Return `line` without credentials and return token, which a server may have echoed."""
        for secret in self._secrets:
            if len(secret) > 2:
                line = line.replace(secret, _REDACTED.encode())
        # Capitals are of no matter in return addresses, and some servers repeat them so.
        if self._token and self._token in line.lower():
            kept, size = [], len(self._token)
            while (at := line.lower().find(self._token)) >= 0:
                kept += [line[:at], self._token_digest]
                line = line[at + size :]
            line = b"".join([*kept, line])
        return line

    def _reply(self, line: bytes) -> None:
        line = self.scrubbed(line)
        asked = bool(self._unanswered)
        if asked:
            last = self._unanswered[0]
        elif self._exchanges and self._exchanges[-1]["replied_at"] is None:
            last = self._exchanges[-1]  # further lines of words without having been asked
        elif self._exchanges and self._room <= 0:
            last = self._exchanges[-1]
            if last["reply"][-1:] != [_CUT]:
                last["reply"].append(_CUT)
            return  # unasked words without end would fill any event
        else:
            last = self._open(None)  # a greeting, or words without having been asked
        text = self._fitting(readable(line))
        if not (text == _CUT and last["reply"][-1:] == [_CUT]):
            last["reply"].append(text)
        if line[3:4] != b"-":
            last["replied_at"] = format_time(self._now())
            if asked:
                self._unanswered.popleft()
            self.awaits_verdict = False
            self._authenticating = self._authenticating and line[:3] == b"334"
            last_command = self._data_asked and not self._unanswered
            self._mail_follows = last_command and line[:3] == b"354"

    def _fitting(self, text: str) -> str:
        if self._room <= 0:
            return _CUT
        kept = text[: min(self._room, MAX_LINE)]
        self._room -= len(kept) + kept.count("\\") + kept.count('"') + _LINE_FRAME
        return kept if len(kept) == len(text) else kept + _CUT


def hidden(token: str) -> str:
    """Return what evidence says instead of a return token: whoever knows it can report."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def readable(line: bytes) -> str:
    """Return a line as printable ASCII; every other byte as ``\\xNN``."""
    if not line.translate(None, _PRINTABLE):
        return line.decode("ascii")
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in line)
