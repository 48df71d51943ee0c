"""The letterbox's servers: SMTP in, pages out, both on one event loop in a thread of their own.

A thread, so that it runs beside any program and any event loop (aiosmtpd needs asyncio's own).
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import ipaddress
import socket
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from siegelpost.bounces.connections import KnownConnection, end_connections
from siegelpost.letterbox.certificate import CertificateFiles, make_certificate
from siegelpost.letterbox.pages import create_pages

#: How many mails are kept if nobody says otherwise; older ones are forgotten.
KEPT = 200
#: Largest mail taken, in bytes.
MAX_MAIL = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail that came in."""

    #: from 1, in order of arrival
    number: int
    #: when it came
    received_at: datetime
    #: envelope sender
    sender: str
    #: envelope recipients
    recipients: tuple[str, ...]
    #: whether it came over TLS
    tls: bool
    #: headers and body as received
    raw: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        """The mail as the standard library reads it."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def header(self, name: str) -> str:
        """Return a header's decoded value, empty if absent."""
        return str(self.parsed.get(name, ""))

    def part(self, kind: str) -> str:
        """Return the text of the part `plain` or `html`, empty if absent."""
        body = self.parsed.get_body((kind,))
        return str(body.get_content()) if body is not None else ""


class Letterbox:
    """Takes mails on one port and shows them on another; start and stop it, or use `with`."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        *,
        folder: Path | None = None,
        kept: int = KEPT,
    ) -> None:
        """Bind both ports at once (0: any free one); the certificate goes into `folder`.

        The newest ``kept`` mails are kept.

        Raises ValueError for a host that is not this machine alone, OSError for taken ports.
        """
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the letterbox is for this machine only, never for production")
        self.host = host
        self._letters: deque[Letter] = deque(maxlen=kept)
        self._count = 0
        self._folder = None if folder else tempfile.TemporaryDirectory(prefix="siegelpost-box-")
        self._files = make_certificate(folder or Path(self._folder.name if self._folder else ""))
        self._sockets = _listen(host, smtp_port), _listen(host, http_port)
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._serve, name="letterbox", daemon=True)

    @property
    def smtp_port(self) -> int:
        """Port that takes mail."""
        return int(self._sockets[0].getsockname()[1])

    @property
    def http_port(self) -> int:
        """Port of the page."""
        return int(self._sockets[1].getsockname()[1])

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{self.host}:{self.http_port}/"

    @property
    def certificate(self) -> Path:
        """Certificate that clients have to trust (`SmtpSettings.ca_file`)."""
        return self._files.certificate

    @property
    def letters(self) -> list[Letter]:
        """The mails kept, newest first."""
        return list(reversed(self._letters))

    def start(self) -> None:
        """Begin to serve; returns when both ports answer."""
        self._thread.start()
        if not self._started.wait(timeout=20):
            raise RuntimeError("the letterbox did not start")

    def stop(self) -> None:
        """End both servers and forget all mails."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=20)
        for listening in self._sockets:
            listening.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Letterbox:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connections: set[KnownConnection] = set()
        protocol = partial(_protocol, connections, _Handler(self._take), self._files)
        smtp = await self._loop.create_server(protocol, sock=self._sockets[0])
        web = uvicorn.Server(
            uvicorn.Config(
                create_pages(lambda: self.letters),
                ws="none",
                lifespan="off",
                log_level="warning",
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(web.serve(sockets=[self._sockets[1]]))
        while not web.started:  # noqa: ASYNC110 - uvicorn tells it by this attribute alone
            await asyncio.sleep(0.01)
        self._started.set()
        try:
            await self._stop.wait()
        finally:
            smtp.close()
            web.should_exit = True
            await end_connections(connections)
            await serving

    def _take(self, session: Session, envelope: Envelope) -> int:
        self._count += 1
        content = envelope.original_content or b""
        self._letters.append(
            Letter(
                number=self._count,
                received_at=datetime.now(UTC),
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                tls=session.ssl is not None,
                raw=content,
            )
        )
        return self._count


async def run_letterbox(
    host: str = "127.0.0.1", smtp_port: int = 2525, http_port: int = 8025
) -> None:
    """Run a letterbox until cancelled; for commands. Programs use `Letterbox` itself."""
    letterbox = Letterbox(host, smtp_port, http_port)
    await asyncio.to_thread(letterbox.start)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.shield(asyncio.to_thread(letterbox.stop))


class _Handler:
    """aiosmtpd's view of the letterbox."""

    def __init__(self, take: Callable[[Session, Envelope], int]) -> None:
        self._take = take

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        number = self._take(session, envelope)
        return f"250 2.0.0 Ok: queued as LETTER{number:06d}"


def _protocol(
    connections: set[KnownConnection], handler: _Handler, files: CertificateFiles
) -> SMTP:
    return KnownConnection(
        connections,
        handler,
        hostname="letterbox.localhost",
        ident="Siegelpost letterbox",
        data_size_limit=MAX_MAIL,
        tls_context=files.server_context(),
        loop=asyncio.get_running_loop(),
    )


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), backlog=128)
