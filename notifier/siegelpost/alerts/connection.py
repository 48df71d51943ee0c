"""One SMTP connection: opened with TLS as the settings demand, used for many mails, overheard.

RFC 5321, 3207 (STARTTLS), 3461 (DSN), 1870 (SIZE). Built on aiosmtplib; what it raises becomes a
`Setback` that says at which step, why, and what that means.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import aiosmtplib
from aiosmtplib.response import SMTPResponse

from siegelpost.alerts.compose import Mail
from siegelpost.alerts.errors import AlertError
from siegelpost.alerts.settings import SmtpSettings, TlsPolicy
from siegelpost.alerts.transcript import MAX_LINE, RecordingProtocol, Transcript, readable
from siegelpost.alerts.verdict import Reason, Step, Verdict, verdict_of
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.times import format_time

#: How many EHLO lines are kept as capabilities, and how much of each.
_CAPABILITIES, _CAPABILITY_CHARACTERS = 40, 80


class Setback(AlertError):
    """An attempt ended without the server having taken the mail."""

    def __init__(
        self, step: Step, verdict: Verdict, reason: Reason, words: str, code: int | None = None
    ) -> None:
        """`words`: the server's or the operating system's, readable; `code`: of the reply."""
        super().__init__(f"{reason.value} at {step.value}")
        self.step, self.verdict, self.reason, self.code = step, verdict, reason, code
        self.words = words[:MAX_LINE]


class _Client(aiosmtplib.SMTP):
    """aiosmtplib's client over a recording protocol; connects to host and port only."""

    def __init__(self, transcript: Transcript, settings: SmtpSettings, helo: str) -> None:
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
        protocol = RecordingProtocol(
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


class Connection:
    """An open dialogue with the mail server."""

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        helo: str,
        tls_context: ssl.SSLContext | None,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare; `open` connects."""
        self._settings = settings
        self._tls_context = tls_context
        self._now = now
        self._transcript = Transcript(now)
        self._client = _Client(self._transcript, settings, helo)
        self._step = Step.CONNECT
        self._tls: dict[str, Json] | None = None
        self._opened: dict[str, Json] = {}
        #: whether DSN was asked for (RFC 3461)
        self.offered_dsn = False
        #: mails submitted so far
        self.mails = 0
        #: event loop time of the last use
        self.used_at = 0.0

    @property
    def usable(self) -> bool:
        """Whether another mail can go over it."""
        return self._client.is_connected and self.mails < self._settings.mails_per_connection

    @property
    def session(self) -> dict[str, Json]:
        """Evidence about the connection: server, TLS, capabilities, opening dialogue."""
        return self._opened

    async def open(self) -> None:
        """Connect, EHLO, STARTTLS, EHLO, AUTH; raises Setback, and leaves nothing open then."""
        opened_at = self._now()
        greeting = ""
        peer: str | None = None
        try:
            with self._setbacks():
                greeting = (await self._client.connect()).message
                peer = str(self._client.get_transport_info("peername")[0])
                await self._say_hello()
                await self._secure()
                await self._log_in()
        except BaseException:
            self._client.close()
            raise
        finally:
            self._opened = {
                "host": self._settings.host,
                "port": self._settings.port,
                "address": peer,
                "opened_at": format_time(opened_at),
                "greeting": self._words(greeting)[:MAX_LINE],
                "capabilities": self._capabilities(),
                "tls": self._tls,
                "dialogue": self._transcript.take(),
            }

    async def submit(self, mail: Mail) -> str:
        """Hand over one mail; return the words of the reply to its final dot.

        Raises Setback. The connection stays usable if the server's state is known.
        """
        client, options = self._client, self._dsn_options(mail)
        self.mails += 1
        self._step = Step.MAIL
        self._transcript.begin_mail(mail.envelope_id)
        try:
            with self._setbacks():
                await self._command(b"MAIL", f"FROM:<{mail.sender}>", options[0])
                self._step = Step.RCPT
                await self._command(b"RCPT", f"TO:<{mail.recipient}>", options[1])
                self._step = Step.DATA
                reply = await client.data(mail.data, timeout=self._settings.final_seconds)
                return self._words(reply.message)
        except Setback as setback:
            if setback.verdict is Verdict.ACCEPTED:  # some other 2yz than 250
                return setback.words
            if setback.code is None or not await self._reset():
                client.close()
            raise
        except BaseException:  # cancelled: nobody knows where the dialogue stands
            client.close()
            raise

    def dialogue(self) -> list[Json]:
        """Return the exchanges since the last call."""
        return self._transcript.take()

    @property
    def awaits_verdict(self) -> bool:
        """Whether a mail's end was sent and its reply has not come."""
        return self._transcript.awaits_verdict

    @property
    def step(self) -> Step:
        """Where the dialogue stands."""
        return self._step

    def abandon(self) -> None:
        """Close at once."""
        self._client.close()

    async def close(self) -> None:
        """Say QUIT if the server still listens, and close."""
        try:
            async with asyncio.timeout(2):
                await self._client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            pass  # a server that went away has closed it already
        finally:
            self._client.close()

    async def _say_hello(self) -> None:
        self._step = Step.EHLO
        await self._client.ehlo()

    async def _secure(self) -> None:
        policy = self._settings.tls
        if policy is TlsPolicy.NONE:
            return
        self._step = Step.STARTTLS
        if not self._client.supports_extension("starttls"):
            if policy is TlsPolicy.REQUIRED:
                raise Setback(
                    self._step,
                    Verdict.DEFERRED,
                    Reason.TLS_MISSING,
                    "the server offers no STARTTLS, and the settings demand it",
                )
            return
        await self._client.starttls(tls_context=self._tls_context)
        self._tls = self._describe_tls()
        await self._say_hello()

    async def _log_in(self) -> None:
        username, password = self._settings.username, self._settings.password or ""
        if username is None:
            return
        self._step = Step.AUTH
        self._transcript.keep_out(username, password)
        if self._tls is None:
            raise Setback(
                self._step,
                Verdict.DEFERRED,
                Reason.TLS_MISSING,
                "a password is only ever sent inside TLS",
            )
        await self._client.login(username, password)

    async def _command(self, verb: bytes, path: str, options: list[str]) -> None:
        # Not the library's mail() and rcpt(), which would parse the address a second time:
        # `mime.ascii_address` has made it safe.
        arguments = [path.encode("ascii"), *(option.encode("ascii") for option in options)]
        response = await self._client.execute_command(verb, *arguments)
        if not 200 <= response.code < 300:
            raise aiosmtplib.SMTPResponseException(response.code, response.message)

    async def _reset(self) -> bool:
        try:
            await self._client.rset(timeout=self._settings.command_seconds)
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    def _dsn_options(self, mail: Mail) -> tuple[list[str], list[str]]:
        mail_options, rcpt_options = [], []
        if self._client.supports_extension("size"):
            mail_options.append(f"SIZE={len(mail.data)}")
        self.offered_dsn = self._client.supports_extension("dsn")
        if self.offered_dsn:
            mail_options += ["RET=HDRS", f"ENVID={xtext(mail.envelope_id)}"]
            rcpt_options += [
                "NOTIFY=SUCCESS,FAILURE,DELAY",
                f"ORCPT=rfc822;{xtext(mail.recipient)}",
            ]
        return mail_options, rcpt_options

    def _describe_tls(self) -> dict[str, Json]:
        tls: ssl.SSLObject = self._client.get_transport_info("ssl_object")
        certificate, cipher = tls.getpeercert(binary_form=True), tls.cipher()
        return {
            "version": tls.version(),
            "cipher": cipher[0] if cipher else None,
            "certificate_sha256": hashlib.sha256(certificate).hexdigest() if certificate else None,
            "verified": tls.context.verify_mode is ssl.CERT_REQUIRED,
        }

    def _capabilities(self) -> list[Json]:
        response = self._client.last_ehlo_response
        lines = response.message.split("\n")[1:] if response else []
        return [self._words(line)[:_CAPABILITY_CHARACTERS] for line in lines[:_CAPABILITIES]]

    def _words(self, message: str) -> str:
        return readable(self._transcript.scrubbed(message.encode("utf-8", "surrogateescape")))

    @contextmanager
    def _setbacks(self) -> Iterator[None]:
        """Turn what the library and the network raise into Setback."""
        try:
            yield
        except aiosmtplib.SMTPResponseException as error:
            step = self._refusing_step(error)
            verdict, reason = verdict_of(step, error.code)
            code = error.code if 200 <= error.code < 600 else None
            raise Setback(step, verdict, reason, self._words(error.message), code) from error
        except ssl.SSLError as error:
            raise self._setback(Reason.TLS_FAILED, error) from error
        except TimeoutError as error:
            raise self._setback(Reason.TIMEOUT, error) from error
        except (aiosmtplib.SMTPServerDisconnected, ConnectionResetError) as error:
            raise self._setback(Reason.DISCONNECTED, error) from error
        except (OSError, aiosmtplib.SMTPConnectError) as error:
            raise self._setback(Reason.UNREACHABLE, error) from error
        except aiosmtplib.SMTPException as error:
            raise self._setback(Reason.UNINTELLIGIBLE, error) from error

    def _refusing_step(self, error: aiosmtplib.SMTPResponseException) -> Step:
        if isinstance(error, aiosmtplib.SMTPConnectResponseError):
            return Step.GREETING
        if self._step is Step.DATA and self._transcript.mail_sent:
            return Step.BODY
        return self._step

    def _setback(self, reason: Reason, error: Exception) -> Setback:
        if self.awaits_verdict:
            self._step, reason = Step.BODY, Reason.ANSWER_LOST
        elif self._step is Step.STARTTLS and reason is not Reason.TIMEOUT:
            reason = Reason.TLS_FAILED
        words = self._words(str(error)) or "no answer in time"
        return Setback(self._step, Verdict.DEFERRED, reason, words)


def xtext(text: str) -> str:
    """Encode a DSN parameter (RFC 3461 section 4)."""
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )
