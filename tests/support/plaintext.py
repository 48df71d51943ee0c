"""Search for a text in bytes, in every form in which software is wont to keep text."""

from __future__ import annotations

import base64
import binascii
import json
import quopri
import re
import unicodedata
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator

#: Shortest form that is searched for; shorter ones would be found by chance.
SHORTEST = 8
#: Starts of zlib and gzip streams.
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
#: How much of a packed stream is unpacked, in bytes.
_UNPACKED = 1 << 22


def forms(text: str) -> dict[str, bytes]:
    """``text`` in encodings by name; each at least SHORTEST bytes long, and none twice.

    Whatever holds another text with ``text`` in it, in one of these forms, holds one of them.
    """
    found = {
        "utf-8": text.encode(),
        "utf-8 decomposed": unicodedata.normalize("NFD", text).encode(),
        "latin-1": text.encode("latin-1", "replace"),
        "utf-16le": text.encode("utf-16le"),
        "utf-16be": text.encode("utf-16be"),
        "casefolded": text.casefold().encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "percent": urllib.parse.quote(text, safe="").encode(),
        "percent lower": urllib.parse.quote(text, safe="").lower().encode(),
        "quoted-printable": quopri.encodestring(text.encode(), quotetabs=True).strip(),
    }
    found |= binary_forms("utf-8", text.encode())
    found |= binary_forms("latin-1", text.encode("latin-1", "replace"))
    assert all(len(form) >= SHORTEST for form in found.values())
    once: dict[bytes, str] = {}
    for name, form in found.items():
        once.setdefault(form, name)
    return {name: form for form, name in once.items()}


def binary_forms(name: str, data: bytes) -> dict[str, bytes]:
    """``data`` as it is, in hex, and in base64 whatever comes before it."""
    found = {name: data, f"{name} hex": data.hex().encode()}
    found[f"{name} HEX"] = data.hex().upper().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data)
        # Characters that also hold bits of a neighbour are left out.
        inside = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        found[f"{name} base64 at {before}"] = inside
        found[f"{name} base64url at {before}"] = inside.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def search(data: bytes, wanted: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """The names of all forms that occur in ``data``, or inside packed streams in it."""
    wanted = list(wanted)
    for where, content in (("", data), *(("packed: ", one) for one in _unpacked(data))):
        for name, form in wanted:
            if form in content:
                yield where + name


def _unpacked(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in _PACKED.finditer(data):
        stream = zlib.decompressobj(wbits=47)  # zlib or gzip
        try:
            yield stream.decompress(view[start.start() : start.start() + _UNPACKED], _UNPACKED)
        except (zlib.error, binascii.Error):
            continue
