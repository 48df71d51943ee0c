"""Fetches citizens' keys from web key directories, without becoming a tool against our own net.

Whoever names an address chooses the host that we ask: so https only, every host resolved here and
only public addresses connected to (the very ones that were checked), few redirections, each
checked anew, little time and few bytes. Not here: what the content is worth (`citizens.openpgp`).
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from siegelpost.citizens.openpgp import HostMissing
from siegelpost.openpgp.armor import MAX_KEY

#: Gives a host's IP addresses; raises OSError if it has none.
Resolve = Callable[[str], list[str]]

_REDIRECTIONS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
#: Networks that stand for others, private ones perhaps (NAT64, 6to4, Teredo).
_STAND_INS = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)


class PublicFetcher:
    """A `siegelpost.citizens.openpgp.Fetcher` over the public internet."""

    def __init__(
        self,
        *,
        seconds: float = 10.0,
        max_bytes: int = MAX_KEY,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        allowed: Callable[[str], bool] | None = None,
        port: int = 443,
    ) -> None:
        """The last four are for tests, which have no public internet."""
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve or addresses_of
        self._allowed = allowed or is_public
        self._port = port

    async def __call__(self, url: str) -> bytes | None:
        """See the protocol."""
        return await asyncio.to_thread(self._fetch, url)

    def _fetch(self, url: str) -> bytes | None:
        ends_at = time.monotonic() + self._seconds
        for hop in range(_REDIRECTIONS + 1):
            parts = urlsplit(url)
            if parts.scheme != "https" or not parts.hostname or parts.username is not None:
                return None
            if parts.port not in (None, 443):
                return None
            try:
                addresses = self._resolve(parts.hostname)
            except (OSError, UnicodeError):
                if hop == 0:
                    raise HostMissing(parts.hostname) from None
                return None
            if not addresses or not all(map(self._allowed, addresses)):
                return None
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            try:
                status, location, body = self._get(parts.hostname, addresses[0], target, ends_at)
            except (OSError, http.client.HTTPException, ValueError):
                return None
            if status in _REDIRECTS and location:
                url = urljoin(url, location)
                continue
            return body if status == 200 else None
        return None

    def _get(
        self, host: str, address: str, target: str, ends_at: float
    ) -> tuple[int, str | None, bytes | None]:
        connection = _Pinned(host, address, self._port, timeout=_left(ends_at), context=self._tls)
        try:
            connection.request("GET", target, headers={"Accept": "*/*", "Connection": "close"})
            answer = connection.getresponse()
            if answer.status != 200:
                return answer.status, answer.headers.get("Location"), None
            body = b""
            while chunk := answer.read1(16 * 1024):
                body += chunk
                if len(body) > self._max_bytes:
                    return answer.status, None, None
                if connection.sock is not None:
                    connection.sock.settimeout(_left(ends_at))
                _left(ends_at)
            return answer.status, None, body
        finally:
            connection.close()


class _Pinned(http.client.HTTPSConnection):
    """Connects to the address that was checked, and checks the certificate for the host's name."""

    def __init__(
        self, host: str, address: str, port: int, *, timeout: float, context: ssl.SSLContext
    ) -> None:
        super().__init__(host, timeout=timeout, context=context)
        self._pinned = (address, port)
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection(self._pinned, self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def addresses_of(host: str) -> list[str]:
    """Return the IP addresses of `host`; raises OSError if it has none."""
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).partition("%")[0] for entry in found]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _STAND_INS):
            return False
    return ip.is_global and not ip.is_multicast


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("took too long")
    return left
