"""Settings of the bounce server; the service fills them from its file and environment."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class BounceSettings:
    """Where reports come in, and how much of them."""

    #: domain of the return addresses that are taken
    domain: str
    #: address to listen on
    host: str = "127.0.0.1"
    #: port to listen on; 0: any free one
    port: int = 2525
    #: our name in greeting and EHLO; None: `domain`
    hostname: str | None = None
    #: certificate for STARTTLS (PEM, with its chain); None: not offered
    certificate_file: Path | None = None
    #: its key (PEM)
    key_file: Path | None = None
    #: largest message in bytes; reports are small, but some hold the whole mail
    max_bytes: int = 1 << 20
    #: networks of the site's own mail servers: only a failure that one of them reports itself, not
    #: one that it passes on, makes the address undeliverable for later notices
    trusted_peers: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    #: messages kept of one alert besides those that count; a mail loop is cut off there
    reports_per_alert: int = 25
    #: seconds for each command, and for all of a message
    timeout_seconds: float = 60.0
    #: connections at once
    connections: int = 100
    #: of these from one address
    connections_per_peer: int = 20
    #: messages a minute from one address
    messages_per_minute: int = 30_000
    #: refusals a minute to one address: whoever guesses addresses is sent away
    refusals_per_minute: int = 120
    #: how long a stopping server waits for messages that are under way, in seconds
    stop_seconds: float = 10.0

    def trusts(self, peer: str) -> bool:
        """Whether `peer`, a network address, is one of the site's own mail servers."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in ip_network(network) for network in self.trusted_peers)

    def __post_init__(self) -> None:
        for network in self.trusted_peers:
            ip_network(network)
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate and key go together")
        if self.max_bytes < 1 << 16:
            raise ValueError("reports of 64 KiB must be taken")
