"""The textual header of an age v1 file: strict parser and writer (c2sp.org/age, "Header").

Accepts exactly the ABNF of the specification, within limits that hold before anything is parsed.
Not here: what stanzas mean (`keys`), the payload (`age_stream`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.sealing.buffers import Bytes
from siegelpost.sealing.errors import HeaderError, MacError

#: Largest header, in bytes, MAC line included; a hybrid stanza takes 1,558.
MAX_HEADER_SIZE = 64 * 1024
#: Most stanzas in a header.
MAX_STANZAS = 32
#: Length of a file key, in bytes.
FILE_KEY_SIZE = 16

_VERSION_LINE = b"age-encryption.org/v1"
_COLUMNS = 64
_MAC_LENGTH = 43
#: Whether an argument is one or more VCHAR of RFC 5234.
_VISIBLE = re.compile(rb"[\x21-\x7e]+").fullmatch


@dataclass(frozen=True, kw_only=True)
class Stanza:
    """One recipient stanza: the file key, wrapped for somebody."""

    #: Arguments in order, the type first; printable ASCII without spaces, none empty.
    arguments: tuple[str, ...]
    #: Decoded body.
    body: bytes

    @property
    def type(self) -> str:
        """The first argument, which names the recipient type."""
        return self.arguments[0]

    def encode(self) -> bytes:
        """The lines of this stanza; the body ends with a line shorter than 64 columns."""
        body = encode_base64(self.body)
        lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
        return "\n".join([" ".join(("->", *self.arguments)), *lines, ""]).encode("ascii")


@dataclass(frozen=True, kw_only=True)
class Header:
    """A parsed header whose MAC is not checked yet."""

    #: All stanzas in order, at least one.
    stanzas: tuple[Stanza, ...]
    #: The 32 bytes of the MAC line.
    mac: bytes
    #: The bytes under the MAC: from the start to the three hyphens, inclusive.
    covered: bytes
    #: Length of the whole header in bytes, its last newline included.
    size: int

    def check_mac(self, file_key: bytes) -> None:
        """Return if the MAC was made with `file_key`; else MacError."""
        if not hmac.compare_digest(_mac(file_key, self.covered), self.mac):
            raise MacError("the header MAC does not verify")

    def require_only(self, stanza_type: str) -> None:
        """Return if every stanza is of `stanza_type`; else HeaderError.

        For files sealed by others: a classical stanza beside a post-quantum one takes away the
        protection that the latter gives (c2sp.org/age says SHOULD NOT; DESIGN section 5, never).
        """
        for stanza in self.stanzas:
            if stanza.type != stanza_type:
                raise HeaderError(f"a stanza is of another type than {stanza_type}")


def write_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The header with `stanzas`, authenticated by `file_key` (16 bytes)."""
    covered = b"".join([_VERSION_LINE, b"\n", *(stanza.encode() for stanza in stanzas), b"---"])
    return covered + b" " + encode_base64(_mac(file_key, covered)).encode("ascii") + b"\n"


def parse_header(data: Bytes) -> Header:
    """The header at the start of `data` (the whole file or a longer prefix than the header).

    Raises HeaderError unless the header is exactly of the specified form and within the limits.
    """
    text = bytes(data[:MAX_HEADER_SIZE])
    line, position = _line(text, 0)
    if line != _VERSION_LINE:
        raise HeaderError("the first line is not that of age v1")
    stanzas: list[Stanza] = []
    while text.startswith(b"->", position):
        if len(stanzas) == MAX_STANZAS:
            raise HeaderError(f"more than {MAX_STANZAS} stanzas")
        stanza, position = _parse_stanza(text, position)
        stanzas.append(stanza)
    if not stanzas:
        raise HeaderError("no stanza")
    # c2sp.org/age, "scrypt recipient stanza": no other stanza may stand beside it, so that a
    # passphrase also authenticates.
    if len(stanzas) > 1 and any(stanza.type == "scrypt" for stanza in stanzas):
        raise HeaderError("a scrypt stanza is not alone")
    line, end = _line(text, position)
    if not line.startswith(b"--- ") or len(line) != len(b"--- ") + _MAC_LENGTH:
        raise HeaderError("malformed MAC line")
    mac = decode_base64(line[len(b"--- ") :])
    covered = text[: position + len(b"---")]
    return Header(stanzas=tuple(stanzas), mac=mac, covered=covered, size=end)


def header_size(data: Bytes) -> int:
    """Bytes of the header at the start of ``data``, which is known to be well-formed.

    A tenth of the price of `parse_header`. HeaderError where no MAC line is found.
    """
    # No line of a stanza's body or arguments starts with hyphens and a space.
    at = bytes(data[:MAX_HEADER_SIZE]).find(b"\n--- ")
    if at < 0:
        raise HeaderError("no MAC line")
    return at + len(b"\n--- ") + _MAC_LENGTH + len(b"\n")


def encode_base64(data: bytes) -> str:
    """Standard base64 without padding (RFC 4648, section 4)."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").decode("ascii")


def decode_base64(text: bytes | str) -> bytes:
    """The bytes of unpadded, canonical base64 (RFC 4648, 3.5); else HeaderError."""
    raw = text.encode("ascii") if isinstance(text, str) else text
    try:
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except binascii.Error:
        raise HeaderError("malformed base64") from None
    if encode_base64(data).encode("ascii") != raw:
        raise HeaderError("base64 is padded or not canonical")
    return data


def _parse_stanza(text: bytes, position: int) -> tuple[Stanza, int]:
    line, position = _line(text, position)
    prefix, *arguments = line.split(b" ")
    if prefix != b"->" or not arguments:
        raise HeaderError("malformed stanza line")
    for argument in arguments:
        # An empty argument means two spaces in a row.
        if not _VISIBLE(argument):
            raise HeaderError("malformed stanza argument")
    body: list[bytes] = []
    while True:
        line, position = _line(text, position)
        if len(line) > _COLUMNS:
            raise HeaderError("a stanza body line is too long")
        body.append(line)
        if len(line) < _COLUMNS:
            break
    stanza = Stanza(
        arguments=tuple(argument.decode("ascii") for argument in arguments),
        body=decode_base64(b"".join(body)),
    )
    return stanza, position


def _line(text: bytes, position: int) -> tuple[bytes, int]:
    end = text.find(b"\n", position)
    if end < 0:
        raise HeaderError(f"the header does not end within {len(text)} bytes")
    return text[position:end], end + 1


def _mac(file_key: bytes, covered: bytes) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"header").derive(file_key)
    return hmac.digest(key, covered, "sha256")
