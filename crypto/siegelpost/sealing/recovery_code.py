"""Recovery codes: 135 random bits that a person can write down and type again (DESIGN section 6).

Made in the citizen's browser; `portal`'s JavaScript mirrors this file.

Format: 27 characters of Crockford's base32 alphabet 0123456789ABCDEFGHJKMNPQRSTVWXYZ (five random
bits each, values 0 to 31 in that order) and one check character, in seven groups of four, such as
`7W0K-…-…`. The *canonical code* is the 27 characters in upper case, without check and hyphens.

Check character: start with c = 0; for each of the 27 values v in order, c = times2(c) XOR v; at
the end c = times2(c). times2(x) doubles in GF(32) modulo x^5 + x^2 + 1: y = x << 1, then
y XOR 37 if y > 31. It detects every single wrong character and every swap of two.

Typing: case, spaces, hyphens and dashes do not matter; O reads as 0, I and L as 1.
"""

from __future__ import annotations

from siegelpost.sealing.errors import RecoveryCodeError

#: Random bytes that `new_recovery_code` takes; five bits of each are used.
CODE_RANDOM = 27

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_LOOKALIKES = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013\u2014\u2212\t\r\n\u00a0")
_GROUP = 4
#: Longest text that is looked at.
_MAX_TYPED = 200


def new_recovery_code(random: bytes) -> str:
    """The code of 27 random bytes (the low five bits of each), grouped and with its check."""
    if len(random) != CODE_RANDOM:
        raise ValueError(f"{len(random)} random bytes instead of {CODE_RANDOM}")
    return format_recovery_code("".join(_ALPHABET[byte & 31] for byte in random))


def format_recovery_code(canonical_code: str) -> str:
    """The code as people see it: 28 characters in groups of four."""
    text = canonical_code + _check_character(canonical_code)
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def parse_recovery_code(typed: str) -> str:
    """The canonical 27 characters; RecoveryCodeError tells what is wrong, never the code."""
    if len(typed) > _MAX_TYPED:
        raise RecoveryCodeError("the text is far longer than a recovery code")
    text = typed.upper().translate(_LOOKALIKES)
    if len(text) != CODE_RANDOM + 1:
        raise RecoveryCodeError(f"{len(text)} characters instead of {CODE_RANDOM + 1}")
    for position, character in enumerate(text, 1):
        if character not in _VALUES:
            raise RecoveryCodeError(f"character {position} occurs in no recovery code")
    code, check = text[:-1], text[-1]
    if _check_character(code) != check:
        raise RecoveryCodeError("the check character does not match: one or more are mistyped")
    return code


def _check_character(code: str) -> str:
    check = 0
    for character in code:
        check = _times2(check) ^ _VALUES[character]
    return _ALPHABET[_times2(check)]


def _times2(value: int) -> int:
    doubled = value << 1
    return doubled ^ 37 if doubled > 31 else doubled
