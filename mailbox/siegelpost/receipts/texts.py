"""Texts of others made fit for a typeset page: every character has a glyph, every line can break.

PDF/A and PDF/UA forbid characters without a glyph. What the fonts lack stands as ``\\u{1F4E7}``,
so that nothing that a mail server said is lost or looks like something else.
"""

from __future__ import annotations

import re
import unicodedata

#: Blocks that Libertinus Serif and DejaVu Sans Mono both cover, but for unassigned characters.
_COVERED = (
    (0x20, 0x7E),
    (0xA1, 0x17F),
    (0x388, 0x38A),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),
)
_SINGLE = frozenset("–—‘’‚“”„•…‰‹›€→←≤≥−\n")
_LONG = re.compile(r"[^\s\u200b]{41,}")
_CHUNK = 40
_BREAK = "\u200b"


def shown(text: str) -> str:
    """The text with code points in the place of what the fonts cannot show."""
    return "".join(
        character if _has_glyph(character) else f"\\u{{{ord(character):04X}}}"
        for character in unicodedata.normalize("NFC", text)
    )


def breakable(text: str) -> str:
    """`shown`, and long words without spaces may break after every 40 characters."""
    return _LONG.sub(_broken, shown(text))


def _broken(match: re.Match[str]) -> str:
    word = match.group()
    return _BREAK.join(word[start : start + _CHUNK] for start in range(0, len(word), _CHUNK))


def _has_glyph(character: str) -> bool:
    # A soft hyphen would show nothing where there was something.
    if character in _SINGLE:
        return True
    return character != "\u00ad" and any(
        first <= ord(character) <= last for first, last in _COVERED
    )
