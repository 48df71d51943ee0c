"""Settings of the API; ``service.settings`` fills them."""

from __future__ import annotations

from dataclasses import dataclass, field

from siegelpost.notices.limits import Limits


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """How the API behaves."""

    #: address by which clients reach the service, without a slash at the end; audience of
    #: assertions and issuer of tokens
    base_url: str
    #: what a dispatch may hold
    limits: Limits = field(default_factory=Limits)
    #: lifetime of an access token in seconds
    token_seconds: int = 600
    #: longest lifetime of a client assertion, from iat to exp, in seconds
    assertion_seconds: int = 300
    #: tolerated difference between the client's clock and ours, in seconds
    clock_skew_seconds: int = 30
    #: how long a client may pause while it sends a body, in seconds
    idle_seconds: float = 20.0
    #: how long the whole body may take, in seconds
    body_seconds: float = 300.0
    #: bytes of a JSON or form body
    small_body_bytes: int = 64 * 1024
    #: whether agencies may offer mailboxes whose key the service keeps
    managed_mailboxes: bool = False
    #: where citizens find the portal, as printed in letters; by default https://<origin>
    portal_url: str | None = None

    @property
    def token_url(self) -> str:
        """Address of the token endpoint."""
        return f"{self.base_url}/oauth/token"
