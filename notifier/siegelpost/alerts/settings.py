"""Settings of alert mail; the service fills them from its file and environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from siegelpost.store.return_addresses import LIFETIME


class TlsPolicy(StrEnum):
    """Whether mail may leave without TLS."""

    #: STARTTLS with a certificate that verifies, or the mail waits and finally fails
    REQUIRED = "required"
    #: STARTTLS where offered, without verifying; for test systems and unusual sites
    OPPORTUNISTIC = "opportunistic"
    #: plain text; only for a mail server on the same machine
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class SmtpSettings:
    """The mail server that takes the alerts: the site's own MTA or smarthost."""

    #: host name, also the name its certificate must bear
    host: str = "localhost"
    #: 25 or 587 with STARTTLS
    port: int = 25
    #: demanded by default
    tls: TlsPolicy = TlsPolicy.REQUIRED
    #: certificates to trust besides none of the system's; None: the system's
    ca_file: Path | None = None
    #: user name for AUTH (PLAIN, LOGIN or CRAM-MD5, only inside TLS); None: no AUTH
    username: str | None = None
    #: password for AUTH; kept out of every repr, log and transcript
    password: str | None = field(default=None, repr=False)
    #: our name in EHLO; None: the mail domain of AlertSettings
    helo: str | None = None
    #: for connecting and for each reply but the last, in seconds (RFC 5321 4.5.3.2 is longer)
    command_seconds: float = 60.0
    #: for the reply to the mail's final dot, in seconds
    final_seconds: float = 150.0
    #: connections open at once
    connections: int = 8
    #: mails over one connection before it is closed
    mails_per_connection: int = 200
    #: an unused connection is closed after so many seconds
    idle_seconds: float = 20.0


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """How alerts are composed, submitted and retried."""

    #: domain of Message-IDs, and of return addresses unless given
    domain: str
    #: domain of return addresses, whose mail reaches the bounce server; None: `domain`
    bounce_domain: str | None = None
    #: how long a return address takes reports
    return_lifetime: timedelta = LIFETIME
    #: From address where the agency has none of its own; None: alerts@domain
    from_address: str | None = None
    #: the next mail server
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    #: wait after the first attempt that was put off; doubles each time
    first_retry: timedelta = timedelta(minutes=1)
    #: longest wait between attempts
    longest_retry: timedelta = timedelta(hours=1)
    #: each wait is longer or shorter by up to this share, so that mails don't come in waves
    retry_jitter: float = 0.2
    #: how long a claimed alert is out of other workers' reach; longer than any attempt
    lease: timedelta = timedelta(minutes=15)
    #: alerts in work at once in one worker
    concurrency: int = 32
    #: of these for one domain of recipients, so that one slow provider doesn't hold up the others
    domain_concurrency: int = 16
    #: connections that come to nothing one after the other, until the server is left in peace
    breaker_failures: int = 5
    #: for how long
    breaker_rest: timedelta = timedelta(seconds=30)
    #: when to ask whether delivery was reported, where reports were asked for; None: never
    confirm_after: timedelta | None = timedelta(days=3)
    #: longest sleep before the outbox is looked at again, in seconds
    poll_seconds: float = 1.0
    #: how long a stopping worker waits for attempts that are under way, in seconds
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        longest = timedelta(seconds=self.attempt_seconds)
        if self.lease <= longest:
            raise ValueError(f"the lease must be longer than an attempt can last ({longest})")
        if min(self.concurrency, self.domain_concurrency, self.smtp.connections) < 1:
            raise ValueError("at least one connection and one alert at a time")

    @property
    def attempt_seconds(self) -> float:
        """Longest time that one attempt may take, in seconds; it is cut off then."""
        return 4 * self.smtp.command_seconds + self.smtp.final_seconds

    @property
    def fallback_sender(self) -> str:
        """From address of mails in nobody's name."""
        return self.from_address or f"alerts@{self.domain}"

    @property
    def return_domain(self) -> str:
        """Domain of return addresses."""
        return self.bounce_domain or self.domain
