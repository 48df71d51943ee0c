"""ZIP files in exactly one form: stored, in order, without dates, extras or comments.

Written as a stream over contents in memory, without copying them. Any `unzip` reads the result
(APPNOTE.TXT 6.3.10; language flag 11 for UTF-8 names). The reader accepts only what the writer
gives for the same names and contents, so that no two programs see different files in one archive:
everything between, before and behind the contents is rebuilt and compared.
For packages (`siegelpost.sealing`) and court files alike.
Not here: ZIP64, hence less than 4 GiB; compression; folders.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from siegelpost.evidence.errors import FormatError

Bytes: TypeAlias = "bytes | bytearray | memoryview"

#: Exclusive bound of a whole ZIP file, in bytes.
SIZE_BOUND = 0xFFFF_FFFF
#: Most entries, unless the caller allows more.
MAX_ENTRIES = 128

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_VERSION = 20
_MADE_BY_UNIX = 3 << 8 | _VERSION
_UTF8_NAMES = 1 << 11
_STORED = 0
_TIME = 0
#: 1 January 1980, the earliest date that the format has.
_DATE = 1 << 5 | 1
_REGULAR_FILE = 0o100644 << 16


class ZipError(FormatError):
    """The bytes are not in the one form."""


class ZipTooLarge(ZipError):
    """More, or larger, files than this format holds."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file in a ZIP."""

    #: File name, not empty; the caller makes sure that it is safe.
    name: str
    #: The bytes.
    content: Bytes


def write_zip(entries: Sequence[Entry], *, max_entries: int = MAX_ENTRIES) -> Iterator[Bytes]:
    """The pieces of the ZIP of `entries`; contents are passed on as they are.

    Raises ZipTooLarge above 4 GiB or `max_entries`, ZipError for names over 65,535 bytes.
    """
    if len(entries) > max_entries:
        raise ZipTooLarge(f"more than {max_entries} files in one archive")
    directory: list[bytes] = []
    position = 0
    for entry in entries:
        local, central = _headers(entry, position)
        directory.append(central)
        position += len(local) + len(entry.content)
        if position >= SIZE_BOUND:
            raise ZipTooLarge("an archive of 4 GiB or more")
        yield local
        yield entry.content
    yield _closing(directory, position)


def read_zip(data: Bytes, *, max_entries: int = MAX_ENTRIES) -> list[Entry]:
    """The files of a ZIP that `write_zip` made, as views on `data`; ZipError for any other."""
    view = memoryview(data).cast("B")
    entries: list[Entry] = []
    directory: list[bytes] = []
    position = 0
    while view[position : position + 4] == _LOCAL_SIGNATURE:
        if len(entries) == max_entries:
            raise ZipError(f"more than {max_entries} files in the archive")
        entry, start = _read_entry(view, position)
        local, central = _headers(entry, position)
        if view[position:start] != local:
            raise ZipError(f"file {len(entries)} is not stored in the one form")
        entries.append(entry)
        directory.append(central)
        position = start + len(entry.content)
    if view[position:] != _closing(directory, position):
        raise ZipError("the directory does not list exactly the files of the archive")
    return entries


def _read_entry(view: memoryview, position: int) -> tuple[Entry, int]:
    fixed = view[position : position + _LOCAL.size]
    if len(fixed) < _LOCAL.size:
        raise ZipError("the archive is cut within a file header")
    *_, size, name_size, _extra = _LOCAL.unpack(fixed)
    start = position + _LOCAL.size + name_size
    if start + size > len(view):
        raise ZipError("the archive is cut within a file")
    try:
        name = bytes(view[position + _LOCAL.size : start]).decode("utf-8")
    except UnicodeDecodeError:
        raise ZipError("a file name is not UTF-8") from None
    return Entry(name=name, content=view[start : start + size]), start


def _headers(entry: Entry, position: int) -> tuple[bytes, bytes]:
    name = entry.name.encode("utf-8")
    if not 0 < len(name) <= 0xFFFF:
        raise ZipError("a file name is empty or too long")
    size = len(entry.content)
    if size >= SIZE_BOUND:
        raise ZipTooLarge("a file of 4 GiB or more")
    checksum = zlib.crc32(entry.content)
    common = (_VERSION, _UTF8_NAMES, _STORED, _TIME, _DATE, checksum, size, size, len(name), 0)
    local = _LOCAL.pack(_LOCAL_SIGNATURE, *common) + name
    central = (
        _CENTRAL.pack(b"PK\x01\x02", _MADE_BY_UNIX, *common, 0, 0, 0, _REGULAR_FILE, position)
        + name
    )
    return local, central


def _closing(directory: Sequence[bytes], position: int) -> bytes:
    central = b"".join(directory)
    count = len(directory)
    return central + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(central), position, 0)
