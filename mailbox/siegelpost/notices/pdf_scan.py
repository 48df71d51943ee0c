"""A fast look at a PDF: is it beyond doubt an ordinary one? (ISO 32000-2, 7.5)

Says yes only to files with one classic cross-reference table in which every entry is right, one
trailer, a catalogue with pages, no object streams, and no name that may mean active content.
Everything else is not refused here but left to the thorough check in ``documents``, which costs a
hundred times as much.
Bytes in, values out. Not here: whether page contents draw anything sensible.
"""

from __future__ import annotations

import re

#: Names that mean code, programs or files inside a PDF (ISO 32000-2, 7.11.4, 12.6.4, 12.7.8, 13.7).
ACTIVE_NAMES = frozenset(
    {
        b"JavaScript",
        b"JS",
        b"Launch",
        b"EmbeddedFile",
        b"EmbeddedFiles",
        b"EF",
        b"RichMedia",
        b"XFA",
    }
)
#: Names behind which other names may hide, or which need a reader with keys.
_OPAQUE_NAMES = frozenset({b"ObjStm", b"XRef", b"XRefStm", b"Encrypt"})

_SUSPECTS = tuple(ACTIVE_NAMES | _OPAQUE_NAMES)

_DELIMITER = rb"(?=[\x00\t\n\f\r ()<>\[\]{}/%]|$)"
_SUSPICIOUS = re.compile(
    rb"/(?:(?:"
    + b"|".join(sorted(ACTIVE_NAMES | _OPAQUE_NAMES))
    + rb")"
    + _DELIMITER
    # Names may spell letters and digits as #xx (7.3.5).
    + rb"|([A-Za-z]{0,13}#[3-7][0-9A-Fa-f][A-Za-z0-9#]{0,60}))"
)
_HEADER = re.compile(rb"%PDF-(?:1\.[0-7]|2\.0)[\r\n ]")
_END = re.compile(rb"startxref[\r\n ]{1,4}(\d{1,10})[\r\n ]{1,4}%%EOF[\r\n ]{0,4}\Z")
_SECTION = re.compile(rb"(\d{1,10}) (\d{1,10})[ ]?\r?\n")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)")
_TRAILER = re.compile(rb"trailer[\r\n ]{0,4}<<(.{1,4000}?)>>[\r\n ]{0,4}startxref", re.DOTALL)
_ROOT = re.compile(rb"/Root (\d{1,10}) (\d{1,5}) R")
_PAGES = re.compile(rb"/Pages (\d{1,10}) (\d{1,5}) R")
_CATALOGUE = re.compile(rb"/Type ?/Catalog" + _DELIMITER)
_PAGE_TREE = re.compile(rb"/Type ?/Pages" + _DELIMITER)
_COUNT = re.compile(rb"/Count [1-9]")

_ENTRY_SIZE = 20
#: Bytes at the end in which ``startxref`` must stand.
_TAIL = 64


def starts_like_pdf(data: bytes) -> bool:
    """Whether ``data`` starts with a PDF header; readers tolerate up to 1 KiB of junk before it."""
    return data.find(b"%PDF-", 0, 1024) >= 0


def names_active_content(data: bytes) -> bool:
    """Whether a name in ``data`` may mean active content or hide it; may err towards yes."""
    return any(
        match.group(1) is None or _unescape(match.group(1)).startswith(_SUSPECTS)
        for match in _SUSPICIOUS.finditer(data)
    )


def is_ordinary(data: bytes) -> bool:
    """Whether ``data`` is beyond doubt an undamaged PDF without active content or encryption."""
    if _HEADER.match(data) is None:
        return False
    end = _END.search(data, max(0, len(data) - _TAIL))
    if end is None:
        return False
    found = _objects(data, int(end.group(1)))
    if found is None:
        return False
    objects, position = found
    trailer = _TRAILER.match(data, position)
    if trailer is None or b"/Prev" in trailer.group(1):
        return False
    # Streams are scanned too: telling them apart costs more, and a chance hit only costs time.
    if names_active_content(data):
        return False
    root = _follow(data, objects, _ROOT.search(trailer.group(1)))
    if root is None or _CATALOGUE.search(root) is None:
        return False
    pages = _follow(data, objects, _PAGES.search(root))
    return pages is not None and _PAGE_TREE.search(pages) is not None and _has_pages(pages)


def _objects(data: bytes, position: int) -> tuple[dict[int, int], int] | None:
    """Offsets by object number, and where the trailer starts; None if an entry is wrong."""
    if data[position : position + 4] != b"xref":
        return None
    position += 4
    while data[position : position + 1] in (b"\r", b"\n", b" "):
        position += 1
    objects: dict[int, int] = {}
    while section := _SECTION.match(data, position):
        first, count = int(section.group(1)), int(section.group(2))
        start, position = section.end(), section.end() + count * _ENTRY_SIZE
        entries = _ENTRY.findall(data, start, position)
        if len(entries) != count:
            return None
        for number, (offset, generation, kind) in enumerate(entries, first):
            if kind == b"f":
                continue
            at = int(offset)
            if not data.startswith(b"%d %d obj" % (number, int(generation)), at):
                return None
            objects[number] = at
    return (objects, position) if objects else None


def _follow(
    data: bytes, objects: dict[int, int], reference: re.Match[bytes] | None
) -> bytes | None:
    if reference is None:
        return None
    start = objects.get(int(reference.group(1)))
    if start is None:
        return None
    end = data.find(b"endobj", start)
    return data[start:end] if end >= 0 else None


def _has_pages(tree: bytes) -> bool:
    return _COUNT.search(tree) is not None


def _unescape(name: bytes) -> bytes:
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda match: bytes([int(match.group(1), 16)]), name)
