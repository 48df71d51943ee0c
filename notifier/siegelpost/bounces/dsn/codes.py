"""Status codes found in fields and in running text.

Implements the syntax of RFC 3463 (enhanced status codes) and RFC 5321 section 4.2 (replies).
What a code means is in `reasons`.
"""

import re

# Not inside an address literal, a version or a date: no digit or dot with a digit beside it.
_ENHANCED = re.compile(r"(?<![\w.])(?<!\d,)#?([245])\.(\d{1,3})\.(\d{1,3})(?![\w]|\.\d)")
_FIELD = re.compile(r"\s*([245])\s*\.\s*(\d{1,3})\s*\.\s*(\d{1,3})(?!\d)")
_SMTP = re.compile(r"(?<![\w.:/@#=-])([245][0-5]\d)(?=(?:[ \-]|:\s|$|,|\)|;)(?!\.\d))")
_SMTP_STRONG = re.compile(
    r"(?:^|said: ?|smtp; ?|returned:? ?['\"]?|reply:? |response:? |error:? |code:? |\]: ?|<<<\s?"
    r"|>: ?|#|\()([245][0-5]\d)(?=[ \-<>#:'\")]|$)",
    re.IGNORECASE | re.MULTILINE,
)


def field_status(value: str) -> str | None:
    """The Status field's code, spaces and comments tolerated."""
    match = _FIELD.match(value) or _ENHANCED.search(value[:400])
    if match:
        return ".".join(str(int(number)) for number in match.groups())
    return None


def enhanced(words: str) -> str | None:
    """The most telling enhanced code in the words: the first not generic, failures first."""
    found = [m.groups() for m in _ENHANCED.finditer(words[:8000])]
    codes = [".".join(str(int(number)) for number in groups) for groups in found]
    failing = [code for code in codes if code[0] != "2"] or codes
    return next((code for code in failing if not is_generic(code)), next(iter(failing), None))


def smtp_reply(words: str) -> int | None:
    """The SMTP reply code in the words; failures before successes, quoted replies first."""
    words = words[:8000]
    found = [int(m[1]) for m in _SMTP_STRONG.finditer(words)]
    found += [int(m[1]) for m in _SMTP.finditer(words)]
    return next((code for code in found if code >= 400), next(iter(found), None))


def is_generic(status: str | None) -> bool:
    """Whether the code says nothing but its class (x.0.0), or there is none."""
    return status is None or status.endswith(".0.0")
