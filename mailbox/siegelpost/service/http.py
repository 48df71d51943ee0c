"""Bounds that uvicorn's parser does not set: how large and how slow a request's head may be.

Bodies are bounded by the API and the portal. Without this, a head or trailers without end fill the
memory, and a client that never ends its head or a request that is answered already keeps its
connection for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Largest request line, headers and trailers (RFC 9112, 7.1.2) together, in bytes.
HEAD_BYTES = 64 * 1024
#: How long a client may take from its first byte, or from connecting, to the end of the head.
HEAD_SECONDS = 20.0

#: Colon, space and line end of a field.
_FIELD_OVERHEAD = 4

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """One connection; closed if a head is too large or too slow, or answered before its end."""

    _field_bytes = 0
    _in_head = True
    _head_began = False
    _heads = 0
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless a head grows beyond its bound."""
        if self.transport.is_closing():
            return
        began_in_head, heads = self._in_head, self._heads
        super().data_received(data)
        # A head that came whole needs no timer, and most do: setting one costs more than parsing.
        if self._head_timer is None and self._head_began:
            self._time_head()
        # A whole request may arrive at once: then its head has ended, however long the body.
        if began_in_head and self._in_head and self._heads == heads:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head or the trailers, unless they grow beyond their bound."""
        self._field_bytes += len(name) + len(value) + _FIELD_OVERHEAD
        if self._field_bytes <= HEAD_BYTES:
            super().on_header(name, value)
        else:
            self._refuse()

    def on_message_begin(self) -> None:
        """Note that a head has begun."""
        super().on_message_begin()
        self._field_bytes = 0
        self._head_began = True

    def on_headers_complete(self) -> Any:
        """Note that it has ended."""
        self._head_arrived()
        self._in_head, self._head_began, self._head_bytes = False, False, 0
        self._heads += 1
        return super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Nobody waits for the rest of a request that is answered: its sender may never end it."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._in_head:
            self.transport.close()

    def _refuse(self) -> None:
        # In the middle of a body, an answer may be under way or out already.
        if self._in_head and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _time_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        self.transport.close()
