"""Signing mail by DKIM for sites whose own MTA does not (RFC 6376, Ed25519 by RFC 8463).

Relaxed/relaxed, one signature for each key: most servers still know only RSA. The tests hold it
against dkimpy, which takes twenty times as long for RSA.
It signs mails as `mime` writes them; not here: verifying, ARC, and the DNS itself.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

#: Signed where they occur; the first five once more than they occur, so that none can be added.
SIGNED_HEADERS = (
    *("from", "to", "subject", "date", "message-id"),
    *("auto-submitted", "content-language", "mime-version", "content-type"),
)
_OVERSIGNED = SIGNED_HEADERS[:5]
_LEAST_BITS = 2048  # RFC 8301
_SPACES = re.compile(rb"[ \t]+")
_SPACES_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_FOLDS = re.compile(rb"\r\n(?=[ \t])")

PrivateKey = Ed25519PrivateKey | RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class DnsRecord:
    """What a domain publishes about one key."""

    #: like `siegelpost-rsa._domainkey`, relative to the domain
    name: str
    #: value of the TXT record
    value: str

    @property
    def zone_line(self) -> str:
        """As a zone file wants it: strings of at most 255 characters."""
        strings = (self.value[at : at + 250] for at in range(0, len(self.value), 250))
        return f"{self.name} IN TXT ( " + " ".join(f'"{string}"' for string in strings) + " )"


class DkimSigner:
    """Signs mails for the domains that publish its keys."""

    def __init__(
        self, keys: Sequence[PrivateKey], *, domains: Sequence[str], selector: str
    ) -> None:
        """`selector` gets the algorithm appended: `siegelpost-ed25519`, `siegelpost-rsa`."""
        if not keys or not domains:
            raise ValueError("DKIM needs a key and a domain")
        if any(isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_BITS for key in keys):
            raise ValueError(f"RSA keys for DKIM have at least {_LEAST_BITS} bits")
        self._keys = tuple(keys)
        self._domains = tuple(domain.lower() for domain in domains)
        self._selector = selector

    def sign(self, data: bytes, *, sender: str, now: datetime) -> bytes:
        """Return `data` (CRLF) with its signatures before it; `sender` is the address in From."""
        head, _, body = data.partition(b"\r\n\r\n")
        headers = _relaxed_headers(head)
        body_hash = b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        names = [name for name in SIGNED_HEADERS if name in headers] + list(_OVERSIGNED)
        signed = b"".join(headers.get(name, b"") for name in names[: -len(_OVERSIGNED)])
        domain = self._domain_of(sender)
        lines = []
        for key in self._keys:
            kind = _kind(key)
            line = (
                f"DKIM-Signature: v=1; a={kind}-sha256; c=relaxed/relaxed;\r\n"
                f" d={domain}; s={self._selector}-{kind}; t={int(now.timestamp())};\r\n"
                f" h={_folded(names)};\r\n"
                f" bh={body_hash};\r\n b="
            ).encode("ascii")
            [own] = _relaxed_headers(line).values()
            lines.append(line + _wrapped(_signature(key, signed + own.removesuffix(b"\r\n"))))
        return b"".join(line + b"\r\n" for line in lines) + data

    def records(self) -> list[DnsRecord]:
        """What each of the domains has to publish."""
        return [
            DnsRecord(
                name=f"{self._selector}-{_kind(key)}._domainkey",
                value=f"v=DKIM1; k={_kind(key)}; h=sha256; p={_public(key)}",
            )
            for key in self._keys
        ]

    def _domain_of(self, sender: str) -> str:
        # DMARC wants the domain of From or one above it; the first serves if none is.
        domain = sender.rpartition("@")[2].lower()
        fitting = [own for own in self._domains if domain == own or domain.endswith("." + own)]
        return max(fitting, key=len) if fitting else self._domains[0]


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4."""
    text = (
        _SPACES.sub(b" ", _SPACES_AT_END.sub(b"", body)) if b" " in body or b"\t" in body else body
    )
    text = text.rstrip(b" \t") if not text.endswith(b"\r\n") else text
    while text.endswith(b"\r\n"):
        text = text[:-2]
    return text + b"\r\n" if text else b""


def make_keys() -> tuple[bytes, bytes]:
    """Make an Ed25519 and an RSA key; both as PKCS #8, DER."""
    keys: tuple[PrivateKey, PrivateKey] = (
        Ed25519PrivateKey.generate(),
        generate_private_key(public_exponent=65537, key_size=_LEAST_BITS),
    )
    ed25519, rsa = (
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in keys
    )
    return ed25519, rsa


@lru_cache(maxsize=4)
def signer(private: tuple[bytes, ...], domains: tuple[str, ...], selector: str) -> DkimSigner:
    """Return the signer for keys as `make_keys` makes them; remembered, as loading takes time."""
    keys = []
    for one in private:
        key = load_der_private_key(one, None)
        if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey):
            raise ValueError("DKIM knows Ed25519 and RSA")
        keys.append(key)
    return DkimSigner(keys, domains=domains, selector=selector)


def _relaxed_headers(head: bytes) -> dict[str, bytes]:
    # RFC 6376, 3.4.2. Mails of ours have each header once.
    found: dict[str, bytes] = {}
    for line in _FOLDS.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        lowered = name.strip().lower()
        found[lowered.decode("ascii")] = lowered + b":" + _SPACES.sub(b" ", value).strip() + b"\r\n"
    return found


def _signature(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        # RFC 8463, 3: PureEdDSA over the SHA-256 digest.
        return key.sign(hashlib.sha256(data).digest())
    return key.sign(data, PKCS1v15(), SHA256())


def _kind(key: PrivateKey) -> str:
    return "ed25519" if isinstance(key, Ed25519PrivateKey) else "rsa"


def _public(key: PrivateKey) -> str:
    public = key.public_key()
    if isinstance(key, Ed25519PrivateKey):
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463, 4
    else:
        raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(raw).decode()


def _folded(names: Sequence[str]) -> str:
    middle = (len(names) + 1) // 2
    return ":".join(names[:middle]) + ":\r\n  " + ":".join(names[middle:])


def _wrapped(signature: bytes) -> bytes:
    text = b64encode(signature)
    return b"\r\n  ".join(text[at : at + 72] for at in range(0, len(text), 72))
