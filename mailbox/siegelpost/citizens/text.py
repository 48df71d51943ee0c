"""Checks of texts that people or agencies give: one line, no control characters, a known length."""

from __future__ import annotations

import re
import unicodedata

from siegelpost.citizens.errors import InputInvalid

#: Longest e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets).
LONGEST_EMAIL = 254

# Deliberately narrower than RFC 5321: no quoted local parts, no address literals.
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]",
    re.ASCII,
)


def checked_line(text: str, field: str, *, longest: int, empty: bool = False) -> str:
    """``text`` in NFC without outer spaces; InputInvalid if empty, too long or not one line."""
    if len(text) > longest:
        raise InputInvalid(field, f"longer than {longest} characters")
    text = unicodedata.normalize("NFC", text).strip()
    if not text and not empty:
        raise InputInvalid(field, "empty")
    # Control, surrogate, and the marks that turn the reading direction of what follows.
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text) or (
        set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    ):
        raise InputInvalid(field, "holds a control character")
    return text


def checked_email(text: str) -> str:
    """An e-mail address with its domain in lower case; InputInvalid if mail can't go there."""
    text = checked_line(text, "email", longest=LONGEST_EMAIL)
    local, _, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise InputInvalid("email", "not an e-mail address") from None
    email = f"{local}@{domain}"
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    if _EMAIL.fullmatch(email) is None or dotted or len(email) > LONGEST_EMAIL:
        raise InputInvalid("email", "not an e-mail address")
    return email


def normal_login_name(text: str) -> str:
    """A login name as stored and compared: NFKC, casefolded, no outer spaces (UTS 39 in spirit).

    InputInvalid if shorter than 3 or longer than 254 characters, or with spaces inside.
    """
    if len(text) > LONGEST_EMAIL:
        raise InputInvalid("login_name", "too long")
    name = unicodedata.normalize("NFKC", text).casefold().strip()
    name = unicodedata.normalize("NFKC", name)  # casefolding can leave the normal form
    checked_line(name, "login_name", longest=LONGEST_EMAIL)
    if len(name) < 3:
        raise InputInvalid("login_name", "shorter than 3 characters")
    if any(character.isspace() for character in name):
        raise InputInvalid("login_name", "holds a space")
    return name
