"""A mail server that takes everything and keeps nothing: its own process, as fast as can be.

Prints its port, serves until its standard input ends, then prints how many mails it took.
Offers DSN and PIPELINING, as the mail servers do that alerts go to.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250 DSN\r\n"
_REPLIES = {
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
}
_END = b"\r\n.\r\n"


class _Sink(asyncio.Protocol):
    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink.example ESMTP\r\n")
        self._rest = b""
        self._body = False

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while True:
            mark = _END if self._body else b"\r\n"
            line, found, rest = self._rest.partition(mark)
            if not found:
                return
            self._rest = rest
            if self._body:
                self._body = False
                _Sink.taken += 1
                self._transport.write(b"250 2.0.0 Ok: queued as %08X\r\n" % _Sink.taken)
            else:
                self._command(line[:4].upper())

    def _command(self, verb: bytes) -> None:
        if verb == b"DATA":
            self._body = True
            self._transport.write(b"354 go ahead\r\n")
        elif verb in (b"EHLO", b"HELO"):
            self._transport.write(_EHLO)
        elif verb == b"QUIT":
            self._transport.write(b"221 2.0.0 Bye\r\n")
            self._transport.close()
        else:
            self._transport.write(_REPLIES.get(verb, b"500 5.5.2 what?\r\n"))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()
    print(_Sink.taken, flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
