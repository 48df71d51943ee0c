"""File names that are safe to unpack anywhere.

Names come from agencies' software and end up in citizens' download folders on any system, so
paths, control characters, direction overrides and device names are taken out, and no two names
differ by case alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

#: Most UTF-8 bytes in a name; file systems end at 255, people much earlier.
MAX_NAME_SIZE = 120
#: Name of a document whose own name has nothing left.
FALLBACK = "Dokument"

_RESERVED = {"manifest.json", "manifest.sig"}
# Forbidden on some system, or with a meaning in shells and addresses.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
# Devices of Windows, which also takes small raised digits for these and overlooks spaces.
_DEVICE = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)", re.IGNORECASE
)
# Controls, format characters (direction overrides, joiners), surrogates, private use, separators.
# Unassigned ones stay: what is assigned differs between Python versions.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_MAX_PASSES = 8


def safe_name(name: str) -> str:
    """`name` as a harmless file name (NFC, at most MAX_NAME_SIZE bytes, its extension kept).

    Safe names stay as they are.
    """
    # One step may lay bare what another one takes out (a device name behind dropped dots).
    for _ in range(_MAX_PASSES):
        cleaned = _clean(name)
        if cleaned == name:
            return name
        name = cleaned
    return FALLBACK


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Safe names in the same order; later ones that differ by case alone get ` (2)`, ` (3)`, …"""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate = safe = safe_name(name)
        number = 2
        while fold(candidate) in taken:
            suffix = f" ({number})"
            stem, extension = _split(safe)
            room = MAX_NAME_SIZE - len((suffix + extension).encode())
            candidate = _trim(_cut(stem, room)) + suffix + extension
            number += 1
        taken.add(fold(candidate))
        result.append(candidate)
    return tuple(result)


def fold(name: str) -> str:
    """What two names must not share: they would be one file on some systems."""
    return unicodedata.normalize("NFC", name.casefold())


def _clean(name: str) -> str:
    visible = "".join(
        character for character in name if unicodedata.category(character) not in _INVISIBLE
    )
    plain = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", visible))
    plain = _trim(" ".join(plain.split()))
    if _DEVICE.match(plain) or plain.casefold() in _RESERVED:
        plain = "_" + plain
    return _shorten(plain, MAX_NAME_SIZE)


def _trim(name: str) -> str:
    # A leading dot hides a file; Windows drops trailing dots and spaces.
    return name.strip(" .")


def _shorten(name: str, size: int) -> str:
    stem, extension = _split(name)
    stem = _trim(_cut(stem, size - len(extension.encode())))
    return (stem or FALLBACK) + extension


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if dot and stem and re.fullmatch(r"[A-Za-z0-9]{1,10}", extension):
        return stem, dot + extension
    return name, ""


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
