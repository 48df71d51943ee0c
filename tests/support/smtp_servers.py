"""Scripted SMTP servers for faults: refusing, slow, silent, broken off, multi-line, without TLS.

A real protocol over a real socket on 127.0.0.1, small enough to misbehave on purpose.
`Script` says what to answer at each step; `None` means to close the connection there.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

#: Bytes to send, None to hang up, or a number of seconds to say nothing before going on.
Answer = bytes | float | None

DEFAULT: Mapping[str, Answer] = {
    "GREETING": b"220 fake.example.net ESMTP\r\n",
    "EHLO": b"250-fake.example.net\r\n250-SIZE 1000000\r\n250 DSN\r\n",
    "STARTTLS": b"502 5.5.1 no\r\n",
    "AUTH": b"535 5.7.8 no\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RCPT": b"250 2.1.5 Ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "BODY": b"250 2.0.0 Ok: queued as FAKE01\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}


@dataclass(kw_only=True)
class Script:
    """What a server answers, and what it has seen."""

    #: answers that differ from DEFAULT
    answers: Mapping[str, Answer] = field(default_factory=dict)
    #: called before each answer with verb and line; what it returns (not NotImplemented) goes first
    decide: Callable[[str, bytes], Answer | object] = lambda _verb, _line: NotImplemented
    #: offers STARTTLS with this context
    tls: ssl.SSLContext | None = None
    #: offered in EHLO after TLS
    ehlo_inside_tls: bytes = b"250-fake.example.net\r\n250-SIZE 1000000\r\n250 DSN\r\n"
    #: every command line received
    commands: list[bytes] = field(default_factory=list)
    #: every mail received, still dot-stuffed
    mails: list[bytes] = field(default_factory=list)
    #: connections opened
    connections: int = 0


@asynccontextmanager
async def scripted_server(script: Script) -> AsyncIterator[int]:
    """Serve `script` on a free port of 127.0.0.1 and yield the port."""
    tasks: set[asyncio.Task[None]] = set()
    sockets: list[asyncio.WriteTransport] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        sockets.append(writer.transport)  # inside TLS the writer has another one
        script.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _Dialogue(script, reader, writer).run()
        with suppress(OSError):
            writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await _some_turns()  # whoever was just accepted is here by then
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in sockets:
            transport.abort()
        await _some_turns()


async def _some_turns() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


class _Dialogue:
    def __init__(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._script, self._reader, self._writer = script, reader, writer
        self._inside_tls = False

    async def run(self) -> None:
        if not await self._answer("GREETING", b""):
            return
        while line := await self._reader.readline():
            self._script.commands.append(line.rstrip(b"\r\n"))
            verb = line[:4].strip().upper().decode("ascii", "replace")
            verb = {"STAR": "STARTTLS", "HELO": "EHLO"}.get(verb, verb)
            if verb == "STARTTLS" and self._script.tls is not None:
                self._writer.write(b"220 2.0.0 go\r\n")
                await self._writer.start_tls(self._script.tls)
                self._inside_tls = True
                continue
            if not await self._answer(verb, line) or verb == "QUIT":
                return
            if verb == "DATA" and self._last.startswith(b"354"):
                self._script.mails.append(await self._mail())
                if not await self._answer("BODY", b""):
                    return

    async def _mail(self) -> bytes:
        lines = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)

    async def _answer(self, verb: str, line: bytes) -> bool:
        decided = self._script.decide(verb, line)
        answer: object = self._default(verb) if decided is NotImplemented else decided
        if isinstance(answer, float | int):
            await asyncio.sleep(answer)
            answer = DEFAULT[verb]
        if not isinstance(answer, bytes):
            return False
        self._last = answer
        self._writer.write(answer)
        await self._writer.drain()
        return True

    def _default(self, verb: str) -> Answer:
        if verb in self._script.answers:
            return self._script.answers[verb]
        if verb == "EHLO" and self._inside_tls:
            return self._script.ehlo_inside_tls
        if verb == "EHLO" and self._script.tls is not None:
            return b"250-fake.example.net\r\n250 STARTTLS\r\n"
        return DEFAULT.get(verb, b"500 5.5.2 what?\r\n")
