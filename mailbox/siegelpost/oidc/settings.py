"""Settings of one registration at one provider; `siegelpost.service` fills them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

#: Signature algorithms that are believed by default: asymmetric ones only.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "Ed25519"),
    "EdDSA",  # the older name of Ed25519 (RFC 9864)
)


@dataclass(frozen=True, kw_only=True)
class OidcSettings:
    """One client of one provider. Construction raises ValueError for what cannot work."""

    #: tells registrations apart in states and cookies: ``portal``, ``console``
    name: str
    #: exactly as the provider's metadata names it; https, or http on one's own machine
    issuer: str
    #: as registered there
    client_id: str
    #: for client_secret_basic; None only for a provider that authenticates clients by PKCE alone
    client_secret: str | None
    #: where the browser comes back to, exactly as registered
    redirect_uri: str
    #: ``openid`` and what else is asked for
    scopes: Sequence[str] = ("openid",)
    #: levels of assurance of which the id_token must name one; empty: any
    acr_values: Sequence[str] = ()
    #: signature algorithms that are believed
    algorithms: Sequence[str] = ALGORITHMS
    #: how far the provider's clock may be off
    clock_skew: timedelta = timedelta(seconds=60)
    #: how long somebody may take to log in there
    answer_within: timedelta = timedelta(minutes=10)
    #: seconds that one request to the provider may take
    seconds: float = 10.0
    #: most bytes that the provider may answer
    max_bytes: int = 256 * 1024
    #: how long metadata and keys are believed before they are fetched again
    metadata_lifetime: timedelta = timedelta(hours=1)
    #: certificates to trust instead of the system's
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        for what, address in (("issuer", self.issuer), ("redirect_uri", self.redirect_uri)):
            if not is_safe_address(address):
                raise ValueError(f"{what} is not an https address: {address}")
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid")
        if unknown := set(self.algorithms) - set(ALGORITHMS):
            raise ValueError(f"algorithms that are not believed: {', '.join(sorted(unknown))}")
        if not self.name.isascii() or not self.name.isalnum() or not self.client_id:
            raise ValueError("a name of letters and a client_id are needed")


def is_safe_address(address: str) -> bool:
    """Whether ``address`` is https, or http on one's own machine, without user and fragment."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or "#" in address or not address.isprintable():
        return False
    local = parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or local
