"""One SMTP connection: opened with TLS as the settings demand, used for many mails, overheard.

RFC 5321, 3207 (STARTTLS), 3461 (DSN), 1870 (SIZE), 2920 (PIPELINING). Built on aiosmtplib; what it
raises becomes a `Setback` that says at which step, why, and what that means.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import aiosmtplib

from siegelpost.alerts.asking import AskingProtocol, Client
from siegelpost.alerts.compose import Mail
from siegelpost.alerts.errors import AlertError
from siegelpost.alerts.settings import SmtpSettings, TlsPolicy
from siegelpost.alerts.transcript import MAX_LINE, Transcript, readable
from siegelpost.alerts.verdict import Reason, Step, Verdict, verdict_of
from siegelpost.alerts.wire import command_line, stuffed, xtext
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


@dataclass(frozen=True, kw_only=True)
class _Offers:
    """What the server offers."""

    #: RFC 1870
    size: bool = False
    #: RFC 3461
    dsn: bool = False
    #: RFC 2920
    pipelining: bool = False


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
        self._client = Client(self._transcript, settings, helo)
        self._step = Step.CONNECT
        self._tls: dict[str, Json] | None = None
        self._opened: dict[str, Json] = {}
        self._offers = _Offers()
        self._body_expected = False
        #: mails submitted so far
        self.mails = 0
        #: event loop time of the last use
        self.used_at = 0.0

    @property
    def usable(self) -> bool:
        """Whether another mail can go over it."""
        return self._client.is_connected and self.mails < self._settings.mails_per_connection

    @property
    def offered_dsn(self) -> bool:
        """Whether DSN is asked for (RFC 3461)."""
        return self._offers.dsn

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
        self.mails += 1
        self._step = Step.MAIL
        self._transcript.begin_mail(mail.envelope_id)
        try:
            with self._setbacks():
                await self._ask_envelope(mail)
                return self._words(await self._hand_over(mail.data))
        except Setback as setback:
            if setback.verdict is Verdict.ACCEPTED:  # some other 2yz than 250
                return setback.words
            lost = setback.code in (None, 421)  # 421: the server closes it (RFC 5321 4.2.2)
            if lost or self._body_expected or not await self._reset():
                self._client.close()
            raise
        except BaseException:  # cancelled: nobody knows where the dialogue stands
            self._client.close()
            raise

    def dialogue(self) -> list[Json]:
        """Return the exchanges since the last call."""
        return self._transcript.take()

    @property
    def awaits_verdict(self) -> bool:
        """Whether a mail's end was sent and its reply has not come."""
        return self._transcript.awaits_verdict

    @property
    def _protocol(self) -> AskingProtocol:
        protocol = self._client.protocol
        if not isinstance(protocol, AskingProtocol):
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        return protocol

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
        offers = self._client.supports_extension
        self._offers = _Offers(
            size=offers("size"), dsn=offers("dsn"), pipelining=offers("pipelining")
        )

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

    async def _ask_envelope(self, mail: Mail) -> None:
        """Say MAIL, RCPT and DATA, in one packet where the server offers that."""
        of_mail, of_rcpt = self._dsn_options(mail)
        # `mime.ascii_address` and `xtext` have made all of it safe; `command_line` looks once more.
        commands = (
            (Step.MAIL, command_line(f"MAIL FROM:<{mail.sender}>{of_mail}")),
            (Step.RCPT, command_line(f"RCPT TO:<{mail.recipient}>{of_rcpt}")),
            (Step.DATA, b"DATA\r\n"),
        )
        self._body_expected = False
        together = len(commands) if self._offers.pipelining else 1
        for first in range(0, len(commands), together):
            await self._ask(commands[first : first + together])

    async def _ask(self, commands: Sequence[tuple[Step, bytes]]) -> None:
        replies, error = await self._protocol.ask(
            [line for _, line in commands], seconds=self._settings.command_seconds
        )
        # A server that refuses the recipient and asks for the mail nevertheless gets none: its
        # connection is closed.
        self._body_expected = commands[-1][0] is Step.DATA and (
            len(replies) == len(commands) and replies[-1].code == 354
        )
        for (self._step, _), reply in zip(commands, replies, strict=False):
            good = reply.code == 354 if self._step is Step.DATA else 200 <= reply.code < 300
            if not good:
                raise aiosmtplib.SMTPResponseException(reply.code, reply.message)
        if error is not None:
            self._step = commands[len(replies)][0]
            raise error

    async def _hand_over(self, data: bytes) -> str:
        replies, error = await self._protocol.ask(
            [stuffed(data)], seconds=self._settings.final_seconds
        )
        if error is not None:
            raise error
        self._body_expected = False
        if replies[0].code != 250:
            raise aiosmtplib.SMTPResponseException(replies[0].code, replies[0].message)
        return replies[0].message

    async def _reset(self) -> bool:
        try:
            await self._client.rset(timeout=self._settings.command_seconds)
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    def _dsn_options(self, mail: Mail) -> tuple[str, str]:
        of_mail = f" SIZE={len(mail.data)}" if self._offers.size else ""
        if not self._offers.dsn:
            return of_mail, ""
        of_mail += f" RET=HDRS ENVID={xtext(mail.envelope_id)}"
        return of_mail, f" NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{xtext(mail.recipient)}"

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
