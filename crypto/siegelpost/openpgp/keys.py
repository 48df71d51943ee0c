"""What is known of a key, read from gpg's listing, and which keys are refused (pure).

Rules: exactly one primary key, neither revoked nor expired, with a valid part for encryption that
is long enough. The listing is python-gnupg's, after gpg's doc/DETAILS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from siegelpost.openpgp.errors import KeyRefused, Refusal

#: gpg's numbers of algorithms whose strength is their length (RFC 9580, 9.1): RSA, Elgamal, DSA.
_BY_LENGTH = {"1": "rsa", "2": "rsa", "3": "rsa", "16": "elg", "17": "dsa"}
_LEAST_BITS = 2048
_MOST_USER_IDS = 20


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A citizen's public key that may be used now."""

    #: of the primary key, hex digits in capitals
    fingerprint: str
    #: names and addresses that the key claims; unproven
    user_ids: tuple[str, ...] = field(repr=False)
    #: like `ed25519` or `rsa3072`, of the primary key
    algorithm: str
    #: when it was made
    created_at: datetime
    #: until when it can be encrypted to; None: without end
    expires_at: datetime | None
    #: cleaned: one user id's self-signatures, no foreign ones; ASCII armour
    armored: str = field(repr=False)

    @property
    def shown_fingerprint(self) -> str:
        """The fingerprint in groups of four, for people who compare."""
        return grouped(self.fingerprint)


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A detached signature."""

    #: ASCII armour
    armored: str
    #: hash in the words of RFC 3156, e.g. `pgp-sha512`
    micalg: str


def grouped(fingerprint: str) -> str:
    """Return hex digits in groups of four."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def usable_key(listing: Sequence[Mapping[str, Any]], armored: str) -> PublicKey:
    """Return the one key of `listing`; `armored` is its clean form.

    Raises KeyRefused with the first reason that applies.
    """
    if not listing:
        raise KeyRefused(Refusal.UNREADABLE)
    if len(listing) > 1:
        raise KeyRefused(Refusal.SEVERAL_KEYS)
    key = listing[0]
    if key["type"] != "pub":
        raise KeyRefused(Refusal.PRIVATE_KEY)
    if key["trust"] == "r":
        raise KeyRefused(Refusal.REVOKED)
    if key["trust"] == "e":
        raise KeyRefused(Refusal.EXPIRED)
    encrypting = [part for part in _parts(key) if "e" in part["cap"]]
    valid = [part for part in encrypting if part["trust"] not in ("r", "e", "i", "d", "n")]
    # A capital letter means: the key as a whole can do it now.
    if not valid or "E" not in key["cap"]:
        expired = any(part["trust"] == "e" for part in encrypting)
        raise KeyRefused(Refusal.EXPIRED if expired else Refusal.CANNOT_ENCRYPT)
    if any(_too_short(part) for part in (key, *valid)):
        raise KeyRefused(Refusal.TOO_WEAK)
    return PublicKey(
        fingerprint=key["fingerprint"],
        user_ids=tuple(str(uid) for uid in key["uids"][:_MOST_USER_IDS]),
        algorithm=key.get("curve") or _BY_LENGTH.get(key["algo"], "key") + key["length"],
        created_at=_time(key["date"]),
        expires_at=_end(key, valid),
        armored=armored,
    )


def _parts(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [key, *key.get("subkey_info", {}).values()]


def _too_short(part: Mapping[str, Any]) -> bool:
    return part["algo"] in _BY_LENGTH and int(part["length"]) < _LEAST_BITS


def _end(key: Mapping[str, Any], encrypting: Sequence[Mapping[str, Any]]) -> datetime | None:
    # Any of the parts that encrypt will do; without the primary key none does.
    last = None
    if all(part["expires"] for part in encrypting):
        last = max(_time(part["expires"]) for part in encrypting)
    ends = [
        moment for moment in (last, _time(key["expires"]) if key["expires"] else None) if moment
    ]
    return min(ends) if ends else None


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
