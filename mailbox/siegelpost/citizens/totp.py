"""Time-based one-time passwords of authenticator apps (RFC 6238 over RFC 4226). Pure.

SHA-1, six digits and 30 seconds: what every app understands. SHA-1 is sound in HMAC.
Not here: limits on tries, and that a code counts once (`second_factor`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from datetime import datetime
from urllib.parse import quote

from siegelpost.citizens.errors import InputInvalid

#: Bytes of a secret (RFC 4226, 4: at least 128 bits, 160 recommended).
SECRET_SIZE = 20
#: Seconds of a time step.
STEP_SECONDS = 30
#: Digits of a code.
DIGITS = 6
#: Steps by which the phone's clock may be off, either way.
SKEW_STEPS = 1

_CODE = re.compile(rf"\d{{{DIGITS}}}", re.ASCII)
_SPACES = re.compile(r"[\s\-]+")


def step_of(now: datetime) -> int:
    """The number of the time step that ``now`` is in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of a time step (RFC 4226, 5.3)."""
    mac = hmac.new(secret, step.to_bytes(8), hashlib.sha1).digest()
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, *, now: datetime, last_step: int) -> int | None:
    """The step whose code it is, or None; none up to ``last_step``, so that a code counts once."""
    present = step_of(now)
    found = None
    for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1):
        same = hmac.compare_digest(code_at(secret, step), code)
        if same and step > last_step:
            found = step
    return found


def normal_totp(text: str) -> str:
    """The six digits as typed; InputInvalid if they can't be a code."""
    digits = _SPACES.sub("", unicodedata.normalize("NFKC", text[:40]))
    if _CODE.fullmatch(digits) is None:
        raise InputInvalid("code", f"not {DIGITS} digits")
    return digits


def in_base32(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode("ascii").rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def app_address(secret: bytes, *, service: str, login_name: str) -> str:
    """The ``otpauth://`` address that a QR code tells an app (Google's Key URI format)."""
    label = quote(f"{service}:{login_name}", safe="")
    base32 = in_base32(secret).replace(" ", "")
    return f"otpauth://totp/{label}?secret={base32}&issuer={quote(service, safe='')}"
