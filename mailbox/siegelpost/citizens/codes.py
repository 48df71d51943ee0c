"""Codes and dates that people copy from paper: making, normalising, digesting (DESIGN section 6).

Letter codes are Crockford base32: no I, L, O, U, and what people write instead of 0 and 1 is
understood. The service keeps keyed digests only (see `peppers`).
Pure: randomness and secrets are parameters.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import date

from siegelpost.citizens.errors import InputInvalid

#: Random bytes that :func:`make_code` takes.
CODE_RANDOM = 18
#: Characters of a letter code without its separators: 28 × 5 = 140 bits.
CODE_LENGTH = 28
#: Characters a printed group.
CODE_GROUP = 4

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015_.]+")
_CODE = re.compile(rf"[{_ALPHABET}]{{{CODE_LENGTH}}}", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_GERMAN = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})", re.ASCII)
_DIGITS = re.compile(r"\d{8}", re.ASCII)


def make_code(random: bytes) -> str:
    """A letter code in seven groups of four, from CODE_RANDOM bytes (140 bits of them)."""
    if len(random) != CODE_RANDOM:
        raise ValueError(f"{len(random)} random bytes instead of {CODE_RANDOM}")
    number = int.from_bytes(random) >> (8 * CODE_RANDOM - 5 * CODE_LENGTH)
    characters = [_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(CODE_LENGTH))]
    return "-".join(
        "".join(characters[start : start + CODE_GROUP])
        for start in range(0, CODE_LENGTH, CODE_GROUP)
    )


def normal_code(text: str) -> str:
    """The 28 characters of a letter code as typed; InputInvalid if they can't be one."""
    if len(text) > 200:
        raise InputInvalid("code", "too long")
    plain = unicodedata.normalize("NFKC", text).upper()
    code = _SEPARATORS.sub("", plain).translate(_READ_AS)
    if _CODE.fullmatch(code) is None:
        raise InputInvalid("code", "not seven groups of four letters and digits")
    return code


def normal_birth_date(text: str) -> str:
    """``YYYY-MM-DD`` of an ISO or German date.

    Registers know people whose day or month of birth is unknown: those are 00 here, too.
    InputInvalid for anything else.
    """
    text = text[:40].strip()
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _GERMAN.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        raise InputInvalid("birth_date", "not a date")
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        raise InputInvalid("birth_date", "not a date") from None
    if not 1850 <= year <= 2200:
        raise InputInvalid("birth_date", "not a date of birth")
    return f"{year:04}-{month:02}-{day:02}"


def normal_digits(text: str) -> str:
    """The eight digits of an address code as typed; InputInvalid if they can't be one."""
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text[:60]))
    if _DIGITS.fullmatch(digits) is None:
        raise InputInvalid("code", "not eight digits")
    return digits


def keyed_digest(secret: bytes, kind: str, *parts: str | bytes) -> bytes:
    """HMAC-SHA256 of ``parts``, unambiguous and told apart by ``kind``: 32 bytes."""
    mac = hmac.new(secret, f"siegelpost/{kind}/v1\0".encode(), hashlib.sha256)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        mac.update(len(data).to_bytes(4) + data)
    return mac.digest()


def cookie_digest(value: str) -> bytes:
    """SHA-256 of a cookie's value: the value has 256 random bits, so no key is needed."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
