"""The open connections of an SMTP server, and their end, so that none outlives its event loop.

An `asyncio.Server` that is closed takes no new connection and leaves the open ones alone: mail
servers keep connections for reuse, and a TLS connection that is closed waits for the other side's
farewell. Whatever is open when the loop ends would be left to the garbage collector.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any, cast

from aiosmtpd.smtp import SMTP

#: Seconds that an orderly end may take: answers still to be sent, the farewell of TLS.
ORDERLY_SECONDS = 0.5
#: Turns of the event loop in which a connection just accepted is announced, or one broken off is
#: taken down through TLS, socket and protocol.
_TURNS = 12


class KnownConnection(SMTP):
    """aiosmtpd's protocol; stands in its server's set of connections while it is open."""

    def __init__(self, connections: set[Any], handler: object, **others: Any) -> None:
        """Remember the set; all else is aiosmtpd's."""
        super().__init__(handler, **others)
        self._connections = connections
        self._outer: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the set; a second call comes inside TLS, with TLS's own transport."""
        if self._outer is None:
            # uvloop's transports are none of asyncio's classes, so nothing can be asked about them.
            self._outer = cast(asyncio.WriteTransport, transport)
            self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the set."""
        self._connections.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Close, once what is written is sent; once only: TLS can't be broken off after two."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    def break_off(self) -> None:
        """Close the socket, whatever is still to be sent."""
        if self._outer is not None:
            self._outer.abort()


async def end_connections(
    connections: Collection[KnownConnection], *, orderly_seconds: float = ORDERLY_SECONDS
) -> None:
    """Close all `connections`, and break off those that are still there after `orderly_seconds`.

    The collection is the server's own, which takes no new ones any more.
    """
    until = time.monotonic() + orderly_seconds
    for _ in range(_TURNS):
        for connection in tuple(connections):
            connection.hang_up()
        await asyncio.sleep(0)
    while connections and time.monotonic() < until:  # noqa: ASYNC110 - one short wait, at the end
        await asyncio.sleep(0.01)
    for _ in range(_TURNS):
        for connection in tuple(connections):
            connection.break_off()
        await asyncio.sleep(0)
