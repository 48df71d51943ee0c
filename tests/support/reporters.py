"""Mail systems that report about every alert of a running service, and repeat until heard."""

from __future__ import annotations

import smtplib
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import select

from siegelpost.evidence.ids import AlertId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service.administration import open_keyring
from siegelpost.service.settings import read_settings
from siegelpost.store import tables
from siegelpost.store.clock import SystemClock
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.return_addresses import return_address, return_token
from tests.support.reports import report, send
from tests.support.service import Service

_alert = tables.core(tables.Alert)


@dataclass(kw_only=True)
class Reporters:
    """Reports about alerts as soon as they are accepted; start, then `finish`."""

    #: whose alerts
    service: Service
    #: alert -> what was reported and answered with 250
    reported: dict[str, str] = field(default_factory=dict)
    #: connections that broke, and answers "later"
    repeated: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to report."""
        settings = read_settings(self.service.installation.settings)
        self._port = settings.bounces.port
        self._domain = settings.mail.domain
        self._secret = open_keyring(settings).secret(KeyPurpose.RETURN_ADDRESS)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, *, patience_seconds: float = 120) -> None:
        """Report about what is still unreported, then return."""
        self._ending.set()
        self._thread.join(timeout=patience_seconds)
        assert not self._thread.is_alive(), "reports stay unanswered"

    def _run(self) -> None:
        while True:
            ending = self._ending.is_set()
            waiting = self._waiting()
            for alert in waiting:
                action = "failed" if len(self.reported) % 3 == 2 else "delivered"
                self._report(alert, action)
            if ending and not waiting:
                return
            time.sleep(0.02)

    def _waiting(self) -> list[str]:
        try:
            with self.service.tables() as connection:
                found = connection.execute(
                    select(_alert.c.id).where(
                        _alert.c.notice_id.is_not(None), _alert.c.state == "accepted"
                    )
                ).scalars()
                return [alert for alert in found if alert not in self.reported]
        except StoreUnavailable:
            return []

    def _report(self, alert: str, action: str) -> None:
        token = return_token(self._secret, AlertId(alert), now=SystemClock().now())
        to = return_address(token, self._domain)
        # Expired: given up, and nothing said against the address.
        status, words = ("4.4.7", "delivery time expired") if action == "failed" else (None, None)
        raw = report(to, action, status=status, words=words)
        while True:
            try:
                code, _ = send(self._port, to, raw)
                if code == 250:
                    self.reported[alert] = action
                    return
                assert code in (421, 451), f"a report was answered with {code}"
            except (OSError, smtplib.SMTPException):
                pass
            self.repeated += 1
            time.sleep(0.05)
