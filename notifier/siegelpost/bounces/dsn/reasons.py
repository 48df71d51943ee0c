"""From codes and remote words to a reason class.

Implements the meanings of RFC 3463, RFC 5248 and the IANA registry of enhanced status codes, and
a table of what real systems write, which often says more than their code.
The words win over the code, a specific code over a bare SMTP reply.
"""

import re

from siegelpost.bounces.dsn.codes import is_generic
from siegelpost.bounces.dsn.model import Reason
from siegelpost.bounces.dsn.phrases import EARLY_NETWORK, EARLY_POLICY, ORDER, PHRASES

_R = Reason
_BY_DETAIL: dict[str, Reason] = {
    "1.0": _R.UNKNOWN_USER, "1.1": _R.UNKNOWN_USER, "1.2": _R.HOST_UNKNOWN,
    "1.3": _R.UNKNOWN_USER, "1.4": _R.UNKNOWN_USER, "1.6": _R.UNKNOWN_USER,
    "1.7": _R.POLICY, "1.8": _R.POLICY, "1.9": _R.OTHER, "1.10": _R.HOST_UNKNOWN,
    "2.0": _R.OTHER, "2.1": _R.DISABLED, "2.2": _R.MAILBOX_FULL, "2.3": _R.TOO_LARGE,
    "2.4": _R.SYSTEM, "3.0": _R.SYSTEM, "3.1": _R.SYSTEM, "3.2": _R.SYSTEM, "3.3": _R.SYSTEM,
    "3.4": _R.TOO_LARGE, "3.5": _R.SYSTEM, "3.6": _R.SYSTEM, "4.0": _R.NETWORK,
    "4.1": _R.NETWORK, "4.2": _R.NETWORK, "4.3": _R.NETWORK, "4.4": _R.HOST_UNKNOWN,
    "4.5": _R.SYSTEM, "4.6": _R.NETWORK, "4.7": _R.EXPIRED, "4.8": _R.POLICY,
    "5.0": _R.PROTOCOL, "5.1": _R.PROTOCOL, "5.2": _R.PROTOCOL, "5.3": _R.POLICY,
    "5.4": _R.PROTOCOL, "5.5": _R.PROTOCOL, "5.6": _R.AUTH, "6.0": _R.CONTENT,
    "6.1": _R.CONTENT, "6.2": _R.CONTENT, "6.3": _R.CONTENT, "6.4": _R.CONTENT,
    "6.5": _R.CONTENT, "6.6": _R.CONTENT, "6.7": _R.PROTOCOL, "6.8": _R.PROTOCOL,
    "6.9": _R.PROTOCOL, "6.10": _R.PROTOCOL, "7.0": _R.POLICY, "7.1": _R.POLICY,
    "7.2": _R.POLICY, "7.3": _R.POLICY, "7.8": _R.AUTH, "7.9": _R.AUTH, "7.10": _R.AUTH,
    "7.11": _R.AUTH, "7.12": _R.AUTH, "7.13": _R.DISABLED, "7.17": _R.UNKNOWN_USER,
    "7.18": _R.HOST_UNKNOWN, "7.20": _R.AUTH, "7.21": _R.AUTH, "7.22": _R.AUTH,
    "7.23": _R.AUTH, "7.24": _R.AUTH, "7.25": _R.POLICY, "7.26": _R.AUTH, "7.27": _R.POLICY,
    "7.28": _R.POLICY, "7.29": _R.AUTH, "7.30": _R.AUTH,
}  # fmt: skip
_BY_REPLY: dict[int, Reason] = {
    421: _R.NETWORK, 450: _R.OTHER, 451: _R.SYSTEM, 452: _R.SYSTEM, 500: _R.PROTOCOL,
    501: _R.PROTOCOL, 502: _R.PROTOCOL, 503: _R.PROTOCOL, 504: _R.PROTOCOL, 511: _R.UNKNOWN_USER,
    521: _R.HOST_UNKNOWN, 530: _R.AUTH, 535: _R.AUTH, 550: _R.OTHER, 551: _R.UNKNOWN_USER,
    552: _R.MAILBOX_FULL, 553: _R.UNKNOWN_USER, 554: _R.POLICY, 556: _R.HOST_UNKNOWN,
    555: _R.PROTOCOL,
}  # fmt: skip
_PATTERNS = [
    (reason, re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE))
    for reason, phrases in (
        (_R.POLICY, EARLY_POLICY),
        (_R.NETWORK, EARLY_NETWORK),
        *((key, PHRASES[key]) for key in ORDER),
    )
]
_QUOTES = str.maketrans("’‘`´", "''''")
#: What a relay writes before it quotes the system that refused.
_QUOTED = re.compile(
    r"other server returned was:|remote server was:|response was:|said:|server responded:"
    r"|responded with|remote host said|returned ['\"]|server error:|error was:",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]{1,120}@[^\s<>\"'(),;:]{1,120}")
_HOST = re.compile(r"[\w.-]{1,120}\[[\da-fA-F.:]{3,45}\]")
_RCPT = re.compile(r"rcpt to|does not like recipient|recipient address", re.IGNORECASE)


def from_words(words: str) -> Reason | None:
    """The class that the remote words name, None if they name none."""
    # Names of people and hosts say nothing of the cause: "spam@…", "mx-virus.…[192.0.2.1]".
    words = _ADDRESS.sub("@", words[:2000].translate(_QUOTES))
    words = _HOST.sub("host", words)
    quoted = _QUOTED.split(words)[1:]
    for text in [*quoted[-1:], words]:
        for reason, pattern in _PATTERNS:
            if pattern.search(text):
                return reason
    return None


def from_status(status: str | None) -> Reason | None:
    """The class that an enhanced code stands for; None for success and for x.0.0."""
    if status is None or status[0] == "2" or is_generic(status):
        return None
    detail = status.split(".", 1)[1]
    subject = detail.split(".", 1)[0]
    return _BY_DETAIL.get(detail) or _BY_DETAIL.get(f"{subject}.0") or Reason.OTHER


def reason_of(words: str, field: str | None, enhanced: str | None, reply: int | None) -> Reason:
    """One class out of all hints: words, then the more specific code, then the bare reply."""
    named = from_words(words)
    if named is not None:
        return named
    status = field if is_generic(enhanced) else enhanced
    by_code = from_status(status) or from_status(field)
    if by_code is not None:
        return by_code
    if reply is not None and reply >= 400:
        if reply in {550, 553} and _RCPT.search(words):
            return Reason.UNKNOWN_USER
        return _BY_REPLY.get(reply, Reason.OTHER)
    return Reason.OTHER
