"""Return addresses of alerts: where bounces come back to, signed and expiring (pure).

DESIGN section 8. The local part carries the alert's id and the day until which reports are taken,
under a MAC: whoever has not seen a mail of ours cannot make an address that we accept, and nothing
need be looked up to refuse one.

    bounces+<55 characters>    63 of the 64 octets that RFC 5321 4.5.3.1.1 allows
    token = base32(alert id, 16 bytes ‖ last day, 2 bytes ‖ HMAC-SHA-256, 16 bytes)

Base32 in lower case, because some systems change the case of local parts. The part before "+" lets
a mail server route by one entry (RFC 5233). The same token is the envelope id (RFC 3461 4.4).
Not here: what a report then says (`siegelpost.bounces`).
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from base64 import b32decode, b32encode
from binascii import Error as Base32Error
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from siegelpost.evidence.ids import AlertId

#: Local part before the token.
USER = "bounces"
#: How long reports are taken: some systems report weeks late.
LIFETIME = timedelta(days=60)
#: Most characters of a local part (RFC 5321 4.5.3.1.1).
MAX_LOCAL_PART = 64

_TOKEN = 55
_BYTES = 34
_MAC = 16
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_CONTEXT = b"siegelpost/return-address/v1\0"


class ReturnAddressError(Exception):
    """Not a return address that may be used now; the text may be told to the sender."""


class ReturnAddressForged(ReturnAddressError):
    """Malformed, of another service, or not signed by a key of ours."""


class ReturnAddressExpired(ReturnAddressError):
    """Ours, but its time is over."""


@dataclass(frozen=True, kw_only=True)
class ReturnAddress:
    """A return address that was checked."""

    #: the alert that was sent with it
    alert: AlertId
    #: what was signed; also the envelope id
    token: str
    #: from this moment on nothing is taken any more
    expires_at: datetime


def return_token(
    secret: bytes, alert: AlertId, *, now: datetime, lifetime: timedelta = LIFETIME
) -> str:
    """Return the 55 characters that name `alert` until the end of the day of `now + lifetime`.

    Raises ValueError for an alert id that is no UUID, and beyond the year 2199.
    """
    days = (now + lifetime - _EPOCH) // timedelta(days=1) + 1
    body = uuid.UUID(alert).bytes + days.to_bytes(2)
    return b32encode(body + _mac(secret, body)).decode("ascii").rstrip("=").lower()


def return_address(token: str, domain: str) -> str:
    """Return the whole address around `token`."""
    return f"{USER}+{token}@{domain}"


def check_return_address(
    address: str, secrets: Iterable[bytes], *, domain: str, now: datetime
) -> ReturnAddress:
    """Return what `address` says; raises ReturnAddressForged or ReturnAddressExpired.

    `secrets` are the one in force and its predecessors; capitals are of no matter.
    """
    local, _, at = address.lower().rpartition("@")
    user, plus, token = local.partition("+")
    if user != USER or not plus or at != domain.lower():
        raise ReturnAddressForged("no such mailbox here")
    return check_return_token(token, secrets, now=now)


def check_return_token(token: str, secrets: Iterable[bytes], *, now: datetime) -> ReturnAddress:
    """Return what a token says, in an address or as an envelope id; errors as above."""
    content = _decoded(token)
    body, mac = content[:-_MAC], content[-_MAC:]
    if not any(hmac.compare_digest(mac, _mac(secret, body)) for secret in secrets):
        raise ReturnAddressForged("this address was not issued here")
    expires_at = _EPOCH + timedelta(days=int.from_bytes(body[16:]))
    if now >= expires_at:
        raise ReturnAddressExpired("this address has expired")
    alert = AlertId(str(uuid.UUID(bytes=body[:16])))
    return ReturnAddress(alert=alert, token=token, expires_at=expires_at)


def _decoded(token: str) -> bytes:
    try:
        if len(token) != _TOKEN or not token.isascii():
            raise ValueError
        content = b32decode(token.upper() + "=")
        # Base32 of 34 bytes has three spare bits; only one spelling is ours.
        if len(content) != _BYTES or b32encode(content).decode().rstrip("=") != token.upper():
            raise ValueError
    except (ValueError, Base32Error):
        raise ReturnAddressForged("this address was not issued here") from None
    return content


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, _CONTEXT + body, hashlib.sha256)[:_MAC]
