"""A bounded reader for MIME trees (RFC 5322, RFC 2045, RFC 2046) that takes any bytes.

The standard library's parser is not used: on hostile input it is quadratic in places and some of
its accessors raise.
This one reads what reports need, in linear time: headers, nested multiparts, attached messages.
It does not build, repair or validate messages.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from siegelpost.bounces.dsn.text import charset_text, header_text, html_text, transfer_decoded

#: Bytes of one message that are looked at.
MAX_BYTES = 1_048_576
#: Characters of one text part that are looked at: reports speak early.
MAX_TEXT = 65_536
MAX_PARTS = 100
MAX_DEPTH = 10
MAX_HEADERS = 400
MAX_VALUE = 8_192
MAX_HEADER_BYTES = 262_144

_FIELD = re.compile(r"([!-9;-~]{1,78})[ \t]*:(.*)", re.DOTALL)
_PARAMETER = re.compile(
    r';\s*([\w-]{1,40})\*?(?:\d\*?)?\s*=\s*(?:"([^"]{0,400})"|([^\s;"]{1,400}))'
)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One node of a MIME tree. `parts` holds children of multiparts and the attached message."""

    #: Lower-case names with unfolded, undecoded values, in order.
    headers: Headers
    #: The undecoded body.
    body: bytes
    #: Lower-case `type/subtype`.
    content_type: str
    parameters: dict[str, str]
    parts: tuple["Part", ...]

    def raw(self, name: str) -> str:
        """First value of a header, undecoded; empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def header(self, name: str) -> str:
        """First value of a header with RFC 2047 words decoded; empty if there is none."""
        return header_text(self.raw(name)[:MAX_VALUE])

    def has(self, name: str) -> bool:
        """Whether the header is there at all, even empty."""
        return any(key == name for key, _ in self.headers)

    @cached_property
    def content(self) -> bytes:
        """The body with its transfer encoding undone, cut at `MAX_TEXT` bytes before."""
        encoding = self.raw("content-transfer-encoding").strip().lower()
        return transfer_decoded(self.body[: 2 * MAX_TEXT], encoding)[:MAX_TEXT]

    @cached_property
    def text(self) -> str:
        """The body as text with `\\n` line ends; HTML is stripped to its words."""
        words = charset_text(self.content, self.parameters.get("charset"))
        words = words.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        return html_text(words) if self.content_type == "text/html" else words

    def walk(self, *, into_messages: bool = False) -> list["Part"]:
        """This part and all below in reading order; attached messages stay closed by default."""
        found, waiting = [], [self]
        while waiting:
            part = waiting.pop()
            found.append(part)
            if into_messages or part is self or not part.is_message:
                waiting.extend(reversed(part.parts))
        return found

    @property
    def is_message(self) -> bool:
        """Whether the part is an attached message."""
        return self.content_type in {"message/rfc822", "message/global"}


def read_message(raw: bytes) -> Part:
    """Read a whole message. Bytes beyond `MAX_BYTES`, deep or many parts are left unread."""
    data = raw[:MAX_BYTES]
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data.startswith((b"From ", b">From ")):  # an mbox separator line
        data = data[data.find(b"\n") + 1 :]
    return _part(data.lstrip(b"\r\n"), depth=0, budget=[MAX_PARTS])


def read_headers(data: bytes) -> Headers:
    """Header fields up to the first empty line, continuation lines unfolded."""
    return _split(data)[0]


def _part(data: bytes, *, depth: int, budget: list[int], default: str = "text/plain") -> Part:
    budget[0] -= 1
    headers, body = _split(data)
    content_type, parameters = _content_type(headers, default)
    parts: tuple[Part, ...] = ()
    if depth < MAX_DEPTH and budget[0] > 0:
        if content_type.startswith("multipart/"):
            boundary = parameters.get("boundary", "").encode("latin-1", "replace")
            inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            pieces = _pieces(body, boundary, budget[0]) if boundary else []
            parts = tuple(
                _part(piece, depth=depth + 1, budget=budget, default=inner)
                for piece in pieces
                if budget[0] > 0
            )
        elif content_type in {"message/rfc822", "message/global"}:
            encoding = next((v for k, v in headers if k == "content-transfer-encoding"), "")
            inside = transfer_decoded(body, encoding.strip().lower())
            parts = (_part(inside.lstrip(b"\r\n"), depth=depth + 1, budget=budget),)
    return Part(
        headers=headers,
        body=body,
        content_type=content_type,
        parameters=parameters,
        parts=parts,
    )


def _split(data: bytes) -> tuple[Headers, bytes]:
    """Split at the first empty line, or at the first line that cannot be a header."""
    fields: list[list[str]] = []
    at, end = 0, len(data)
    while at < end:
        if len(fields) >= MAX_HEADERS or at >= MAX_HEADER_BYTES:
            gaps = (data.find(b"\n\n", at - 1), data.find(b"\n\r\n", at - 1))
            at = min((gap for gap in gaps if gap >= 0), default=end)
            at = min(end, data.find(b"\n", at + 1) + 1) if at < end else end
            break
        stop = data.find(b"\n", at)
        stop = end if stop < 0 else stop
        line = data[at:stop].rstrip(b"\r")
        if not line:
            at = stop + 1
            break
        if line[:1] in b" \t":
            if fields:
                _continue(fields[-1], line)
            elif not line.strip():
                at = stop + 1
                break
        else:
            name, colon, value = line[:200].partition(b":")
            if not colon or not _FIELD.fullmatch(name.decode("latin-1") + ":"):
                break  # the body began without an empty line
            value = line[len(name) + 1 :][:MAX_VALUE]
            fields.append([name.strip().decode("latin-1").lower(), charset_text(value, None)])
        at = stop + 1
    return tuple((field[0], "".join(field[1:]).strip()) for field in fields), data[at:]


def _continue(field: list[str], line: bytes) -> None:
    if len(field) < 200:
        field.append(" " + charset_text(line.strip()[:MAX_VALUE], None))


def _content_type(headers: Headers, default: str) -> tuple[str, dict[str, str]]:
    value = next((v for k, v in headers if k == "content-type"), default)[:MAX_VALUE]
    kind, semicolon, rest = value.partition(";")
    kind = kind.strip().lower()
    parameters: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(semicolon + rest):
        parameters.setdefault(name.lower(), quoted or bare)
    return kind if "/" in kind else default, parameters


def _pieces(body: bytes, boundary: bytes, limit: int) -> list[bytes]:
    """The parts of a multipart; the closing delimiter may be missing."""
    mark = b"--" + boundary
    pieces: list[bytes] = []
    at = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1
    if at == 0 and not body.startswith(mark):
        return []
    while len(pieces) < limit:
        start = body.find(b"\n", at)
        if body[at + len(mark) : at + len(mark) + 2] == b"--" or start < 0:
            break
        following = body.find(b"\n" + mark, start)
        if following < 0:
            pieces.append(body[start + 1 :])
            break
        pieces.append(body[start + 1 : following].removesuffix(b"\r"))
        at = following + 1
    return pieces
