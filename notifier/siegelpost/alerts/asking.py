"""aiosmtplib's client and protocol, overheard, and able to ask several commands at once (RFC 2920).

The library asks one command at a time, with a lock and a timer for each. A mail's envelope is the
same three commands every time, so they go out together where the server offers PIPELINING, one by
one where it doesn't, and each reply stands with its own command on the record.
What a reply means is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from siegelpost.alerts.settings import SmtpSettings
from siegelpost.alerts.transcript import Transcript

#: Most bytes of the replies to one handful of commands (as in the library).
_MAX_REPLY_BYTES = 32 * 1024


class AskingProtocol(SMTPProtocol):
    """One connection's protocol; what `ask` waits for never reaches the library."""

    def __init__(self, transcript: Transcript, **options: Any) -> None:
        """Record into `transcript`; `options` go to aiosmtplib."""
        super().__init__(**options)
        self.transcript = transcript
        self._asked: asyncio.Future[None] | None = None
        self._wanted = 0
        self._replies: list[SMTPResponse] = []
        self._words: list[bytes] = []
        self._rest = b""
        self._patience = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        """Record, then send."""
        self.transcript.sent(data)
        super().write(data)

    async def ask(
        self, lines: Sequence[bytes], *, seconds: float
    ) -> tuple[list[SMTPResponse], Exception | None]:
        """Send `lines` at once, each with its CRLF, and return their replies in order.

        There are fewer replies than lines if the server went away, said nothing for `seconds`, or
        nothing that is SMTP; then the second value says why.
        """
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is None or transport.is_closing():
            return [], aiosmtplib.SMTPServerDisconnected("Connection lost")
        loop = asyncio.get_running_loop()
        asked = self._asked = loop.create_future()
        self._replies, self._words, self._rest = [], [], b""
        self._wanted, self._patience = len(lines), seconds
        self._timer = loop.call_later(seconds, self._out_of_patience)
        for line in lines:
            self.transcript.sent(line)
        transport.write(b"".join(lines))
        error: Exception | None = None
        try:
            await asked
        except aiosmtplib.SMTPException as raised:
            error = raised
        finally:
            self._asked = None
            self._timer.cancel()
        return self._replies, error

    def data_received(self, data: bytes) -> None:
        """Record, then hand on to whoever has asked."""
        self.transcript.received(data)
        if self._asked is None:
            super().data_received(data)
        elif not self._asked.done():
            try:
                self._read(data)
            except aiosmtplib.SMTPException as error:
                self._end(error)

    def eof_received(self) -> bool:
        """Tell who has asked that no more replies come."""
        self._end(aiosmtplib.SMTPServerDisconnected("Unexpected EOF received"))
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Likewise."""
        lost = aiosmtplib.SMTPServerDisconnected("Connection lost")
        lost.__cause__ = exc
        self._end(lost)
        super().connection_lost(exc)

    def _read(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if len(self._replies) == self._wanted:
                return  # unasked words; they are on the record
            if not line[:3].isdigit():
                text = line.decode("utf-8", "ignore").rstrip("\r")
                raise aiosmtplib.SMTPResponseException(-1, f"Malformed SMTP response line: {text}")
            self._words.append(line[4:].strip(b" \t\r"))
            if line[3:4] != b"-":
                words = b"\n".join(self._words).decode("utf-8", "surrogateescape")
                self._replies.append(SMTPResponse(int(line[:3]), words))
                self._words = []
                self._wait_again()
        if len(self._rest) + sum(map(len, self._words)) > _MAX_REPLY_BYTES:
            raise aiosmtplib.SMTPResponseException(-1, "Response too long")

    def _wait_again(self) -> None:
        assert self._asked is not None
        assert self._timer is not None
        if len(self._replies) == self._wanted:
            self._asked.set_result(None)
        elif self._wanted > 1:
            self._timer.cancel()
            self._timer = self._loop.call_later(self._patience, self._out_of_patience)

    def _out_of_patience(self) -> None:
        self._end(aiosmtplib.SMTPReadTimeoutError("Timed out waiting for server response"))

    def _end(self, error: Exception) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(error)


class Client(aiosmtplib.SMTP):
    """aiosmtplib's client over a recording protocol; connects to host and port only."""

    def __init__(self, transcript: Transcript, settings: SmtpSettings, helo: str) -> None:
        """Record into `transcript`; `helo` where the settings name nothing else."""
        super().__init__(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.helo or helo,
            timeout=settings.command_seconds,
            start_tls=False,  # done by `open`, step by step, on the record
        )
        self.transcript = transcript
        self._target = settings.host, settings.port
        self._socket: asyncio.Transport | None = None

    async def _create_connection(
        self,
        timeout: float | None,  # noqa: ASYNC109 - the signature is the library's
    ) -> SMTPResponse:
        # The library offers no hook for the protocol's class; this is its own method for TCP,
        # checked against it by the test of the whole dialogue.
        loop = asyncio.get_running_loop()
        protocol = AskingProtocol(
            self.transcript, loop=loop, connection_lost_callback=self._on_connection_lost
        )
        async with asyncio.timeout(timeout):
            transport, _ = await loop.create_connection(lambda: protocol, *self._target)
        self.protocol, self.transport, self._socket = protocol, transport, transport
        response = await protocol.read_response(timeout=timeout)
        if response.code != 220:
            raise aiosmtplib.SMTPConnectResponseError(response.code, response.message)
        return response

    def close(self) -> None:
        """Close at once: TLS would wait for the server's farewell, longer than the loop may run."""
        super().close()
        if self._socket is not None:
            self._socket.abort()
