"""The SMTP server for reports: aiosmtpd with thin handlers around `Intake` (DESIGN section 4.6).

Takes mail with a null return path for our return addresses only: it relays nothing, and nothing can
be sent to anybody through it. Everything else is refused before any message comes.
Runs in the event loop of the service.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence

from aiosmtpd.smtp import SMTP, Envelope, Session

from siegelpost.bounces.connections import KnownConnection, end_connections
from siegelpost.bounces.intake import BUSY, Intake, Reply
from siegelpost.bounces.peers import Peers
from siegelpost.bounces.report_events import Origin
from siegelpost.bounces.settings import BounceSettings
from siegelpost.store.context import Context
from siegelpost.store.return_addresses import ReturnAddress

_log = logging.getLogger(__name__)

#: Commands of one kind over one connection; then it is closed (RFC 5321 allows it: 421).
_COMMANDS = 2000
#: Longest line: old systems write reports with lines beyond the 998 characters of RFC 5322.
_LINE_BYTES = 64 * 1024

_NOT_A_REPORT = Reply(code=550, text="5.7.1 only reports with a null return path are taken here")
_ONE_ADDRESS = Reply(code=452, text="4.5.3 one recipient at a time")
_TOO_MANY = Reply(code=421, text="4.7.0 too much from your address, try again later")


class BounceServer:
    """Serves until told to stop."""

    def __init__(self, context: Context, settings: BounceSettings) -> None:
        """Read the certificate, if the settings name one; serve nothing yet."""
        # aiosmtpd writes every command with its addresses into the log.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._settings = settings
        self._intake = Intake(context, settings)
        self._peers = Peers(settings)
        self._tls = _server_context(settings)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._busy: set[asyncio.Future[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def port(self) -> int:
        """The port it listens on, once `start` has returned."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; raises OSError if the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connection, self._settings.host, self._settings.port
        )
        _log.info("taking reports", extra={"host": self._settings.host, "port": self.port})

    async def run(self) -> None:
        """Serve until `stop`, or until the task is cancelled; then end what is under way."""
        if self._server is None:
            await self.start()
        try:
            await self._stopping.wait()
        finally:
            await self._close()

    def stop(self) -> None:
        """Take no new connection; `run` returns when messages under way are answered."""
        self._stopping.set()

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        if self._busy:
            await asyncio.wait(self._busy, timeout=self._settings.stop_seconds)
        await end_connections(self._connections)

    def _connection(self) -> SMTP:
        return _Connection(self)


class _Connection(KnownConnection):
    """One connection: aiosmtpd's protocol with our limits; its handler is itself a thin one."""

    line_length_limit = _LINE_BYTES

    def __init__(self, server: BounceServer) -> None:
        settings = server._settings
        super().__init__(
            server._connections,
            _Handler(server),
            data_size_limit=settings.max_bytes,
            hostname=settings.hostname or settings.domain,
            ident="ESMTP reports only",
            tls_context=server._tls,
            timeout=settings.timeout_seconds,
            command_call_limit=_COMMANDS,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        self._of = server
        self._peer: str | None = None

    def _create_envelope(self) -> Envelope:
        return _Envelope()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, or end it at once where there are too many."""
        first = self._peer is None  # the second call comes inside TLS
        super().connection_made(transport)
        if first:
            self._peer = _host(transport.get_extra_info("peername"))
            if not self._of._peers.connect(self._peer):
                assert self._outer is not None
                self._outer.write(f"{_TOO_MANY}\r\n".encode("ascii"))
                self.hang_up()

    def connection_lost(self, error: Exception | None) -> None:
        """Count it out."""
        if self in self._connections:
            self._of._peers.disconnect(self._peer or "")
        super().connection_lost(error)


class _Envelope(Envelope):
    """An envelope that remembers what its recipient's address says."""

    def __init__(self) -> None:
        super().__init__()
        self.to: ReturnAddress | None = None


class _Handler:
    """aiosmtpd's view of the intake; names and arguments are aiosmtpd's."""

    def __init__(self, server: BounceServer) -> None:
        self._intake = server._intake
        self._peers = server._peers
        self._busy = server._busy

    async def handle_EHLO(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, lines: list[str]
    ) -> Sequence[str]:
        session.host_name = name
        return [line for line in lines if not line.upper().startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address not in ("", "<>"):
            return self._refused(server, session, _NOT_A_REPORT)
        if not self._peers.message(_peer(session), _now()):
            return self._sent_away(server)
        envelope.mail_from = "<>"
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if envelope.rcpt_tos:
            return str(_ONE_ADDRESS)  # RFC 5321 4.5.3.1.10: the sender brings the others later
        checked = self._intake.check(address)
        if isinstance(checked, Reply):
            return self._refused(server, session, checked)
        envelope.rcpt_tos.append(address)
        _of(envelope).to = checked
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answered = asyncio.get_running_loop().create_future()
        self._busy.add(answered)
        try:
            origin = Origin(
                peer=_peer(session),
                helo=_readable(session.host_name),
                tls=session.ssl["ssl_object"].version() if session.ssl else None,
            )
            content = envelope.original_content or b""
            to = _of(envelope).to
            assert to is not None
            return str(await self._intake.take(content, to, origin))
        finally:
            self._busy.discard(answered)
            answered.set_result(None)

    async def handle_exception(self, error: Exception) -> str:
        """Answer "later" for a defect of ours: the sender's queue keeps the message."""
        _log.error("report broke off", exc_info=error)
        return str(BUSY)

    def _refused(self, server: SMTP, session: Session, reply: Reply) -> str:
        if reply.code >= 500 and not self._peers.refusal(_peer(session), _now()):
            return self._sent_away(server)
        return str(reply)

    def _sent_away(self, server: SMTP) -> str:
        # aiosmtpd writes the answer after this returns, and then finds the connection closing.
        asyncio.get_running_loop().call_later(0.1, _hang_up, server)
        return str(_TOO_MANY)


def _of(envelope: Envelope) -> _Envelope:
    assert isinstance(envelope, _Envelope)
    return envelope


def _hang_up(server: SMTP) -> None:
    if isinstance(server, _Connection):
        server.hang_up()


def _peer(session: Session) -> str:
    return _host(session.peer)


def _host(peername: object) -> str:
    return str(peername[0]) if isinstance(peername, tuple) and peername else "unknown"


def _readable(name: str | None) -> str | None:
    return None if name is None else name[:255].encode("ascii", "replace").decode("ascii")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _server_context(settings: BounceSettings) -> ssl.SSLContext | None:
    if settings.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context
