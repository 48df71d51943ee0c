"""Web Key Directory: where a mail address's key is published (pure).

draft-koch-openpgp-webkey-service, section 3.1. Not here: fetching and serving.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from siegelpost.openpgp.errors import OpenPgpError

#: Every address of a directory begins with it.
PREFIX = "/.well-known/openpgpkey/"

_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)


@dataclass(frozen=True, kw_only=True)
class Locations:
    """The two places of one address's key; the first is asked first."""

    #: on the host openpgpkey.DOMAIN
    advanced: str
    #: on the domain itself; only if the advanced host does not exist
    direct: str


def zbase32(data: bytes) -> str:
    """Encode whole groups of five bits as z-base-32 (RFC 6189, 5.1.6)."""
    bits = int.from_bytes(data, "big")
    count = -(-len(data) * 8 // 5)
    bits <<= count * 5 - len(data) * 8
    return "".join(_ALPHABET[bits >> (5 * at) & 31] for at in reversed(range(count)))


def local_hash(local_part: str) -> str:
    """Return the 32 characters that stand for a local part; capitals don't matter in it."""
    lowered = "".join(c.lower() if c.isascii() else c for c in local_part)
    return zbase32(hashlib.sha1(lowered.encode(), usedforsecurity=False).digest())


def split_address(address: str) -> tuple[str, str]:
    """Return local part and domain in lower case; raises OpenPgpError for what is no address."""
    local, at, domain = address.strip().rpartition("@")
    domain = domain.lower()
    if not at or not local or len(local) > 64 or _DOMAIN.fullmatch(domain) is None:
        raise OpenPgpError("no mail address with a public domain")
    return local, domain


def locations(address: str) -> Locations:
    """Return where the key of `address` may be. Raises OpenPgpError for what is no address."""
    local, domain = split_address(address)
    digest, given = local_hash(local), quote(local, safe="")
    return Locations(
        advanced=f"https://openpgpkey.{domain}{PREFIX}{domain}/hu/{digest}?l={given}",
        direct=f"https://{domain}{PREFIX}hu/{digest}?l={given}",
    )
