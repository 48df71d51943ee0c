"""Telephone numbers as people write them, made into what a telephone can call (RFC 3966).

`static/contacts.js` mirrors it for what scripts show. Whatever is not surely one number stays text.
"""

from __future__ import annotations

import re

#: What stands in one number, DIN 5008 and what came before it.
_WRITTEN = re.compile(r"\+?[0-9 \u00a0()/.\u2010-\u2013-]{3,40}")
#: A second number beside the first, or a day.
_MORE = re.compile(r"/\D*0|/.*/|\b\d{1,2}\.\s?\d{1,2}\.\s?(\d{4}|\d{2})?(?!\d)")
#: Another one or hours behind it: codes of country and place have fewer digits before `/` or `(`.
_BEHIND = re.compile(r"(\+(\D*\d){8}|00(\D*\d){8}|(?!\+|00)(\D*\d){7}).*[/(]")
#: ITU-T E.164: at most 15 digits with the country's; fewer than 7 are no subscriber's.
_SHORTEST, _LONGEST = 7, 15
#: Country of numbers that begin with a single zero.
_GERMANY = "49"
#: Such as 115, the authorities' number, and 116117: called as they are.
_SHORT = re.compile(r"1\d{2,5}")


def dialled(written: str) -> str | None:
    """``+49234567890``, or a short number as it is; None if it is not surely one number."""
    number = written.strip()
    if not _WRITTEN.fullmatch(number) or _MORE.search(number) or _BEHIND.match(number):
        return None
    abroad = number.startswith(("+", "00"))
    if abroad:
        # The trunk prefix, which is not dialled after the country's.
        number = number.replace("(0)", "", 1)
    digits = re.sub(r"[^0-9]", "", number)
    if not abroad and _SHORT.fullmatch(digits):
        return digits
    if abroad:
        digits = digits.removeprefix("00")
    elif digits.startswith("0"):
        digits = _GERMANY + digits[1:]
    else:
        return None
    if digits.startswith("0") or not _SHORTEST <= len(digits) <= _LONGEST:
        return None
    return f"+{digits}"
