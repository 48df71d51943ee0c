"""Agencies' systems that dispatch again and again, and repeat what was not answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import httpx2

from siegelpost.service.client import AgencyClient, Refused
from tests.support.pdfs import make_pdf
from tests.support.service import Service
from tests.support.service_values import in_threads, notice

#: More kills than any machine needs for one that meets a call.
MOST_KILLS = 20
#: Answers after which a call is repeated with the same key.
_REPEATED = (429, 500, 502, 503, 504)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One dispatch, the same at every repetition."""

    #: the `notice` part
    notice: Mapping[str, Any]
    #: the document
    pdf: bytes
    #: of the call
    idempotency_key: str

    def send(self, client: AgencyClient) -> dict[str, Any]:
        """Send it (again)."""
        return client.dispatch(
            self.notice, [("Bescheid.pdf", self.pdf)], idempotency_key=self.idempotency_key
        )


@dataclass(kw_only=True)
class Senders:
    """Several systems at once, each with its own connection; start, then `finish`."""

    #: what they call
    service: Service
    #: enrolments to send to, in turn
    enrolments: Sequence[str]
    #: how many systems
    count: int = 4
    #: longest pause before the next call; all lengths up to it occur
    pause_seconds: float = 0.05
    #: how long they wait for an answer
    timeout_seconds: float = 30
    #: every answered call with its 201
    answered: list[tuple[Call, dict[str, Any]]] = field(default_factory=list)
    #: refusals and lost connections that were followed by a repetition, by their name
    repeated: Counter[str] = field(default_factory=Counter)
    #: what nobody expected
    failures: list[BaseException] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def broken_off(self) -> int:
        """Calls whose connection ended in the middle."""
        return self.repeated.total() - self.repeated["ConnectError"]

    def start(self) -> None:
        """Begin to send."""
        self._threads = in_threads([partial(self._send, n) for n in range(self.count)])

    def finish(self, *, patience_seconds: float = 120) -> None:
        """Begin nothing more and return when every call begun is answered."""
        self._ending.set()
        end = time.monotonic() + patience_seconds
        for thread in self._threads:
            thread.join(timeout=max(0.0, end - time.monotonic()))
        assert not any(thread.is_alive() for thread in self._threads), "calls stay unanswered"
        if self.failures:
            raise self.failures[0]

    def send_through_kills(self, kills: int, random: Random, lost: str) -> None:
        """Send, while the service is killed so often and searched each time, and finish.

        It is killed on until one kill has met a call. ``lost`` says what a finding would mean.
        """
        self.start()
        for killed in range(MOST_KILLS):
            if killed >= kills and self.broken_off:
                break
            time.sleep(0.3 + 0.7 * random.random())
            self.service.kill()
            assert self.service.findings() == [], lost
            self.service.start()
        time.sleep(0.5)
        self.finish()
        assert self.broken_off, "the kills met no call"

    def _send(self, sender: int) -> None:
        try:
            self._send_on(sender)
        except BaseException as error:
            self.failures.append(error)

    def _send_on(self, sender: int) -> None:
        client = self.service.another_client(timeout_seconds=self.timeout_seconds)
        number = 0
        try:
            while not self._ending.is_set():
                number += 1
                call = Call(
                    notice=notice(self.enrolments[number % len(self.enrolments)]),
                    pdf=make_pdf(f"Bescheid {sender}-{number}"),
                    idempotency_key=f"sender-{sender}-{number}",
                )
                self.answered.append((call, self._until_answered(client, call)))
                time.sleep(self.pause_seconds * (number * 3 % 8) / 7)
        finally:
            client.close()

    def _until_answered(self, client: AgencyClient, call: Call) -> dict[str, Any]:
        while True:
            try:
                return call.send(client)
            except httpx2.TransportError as error:
                self.repeated[type(error).__name__] += 1
            except Refused as refused:
                if refused.status not in _REPEATED:
                    raise
                self.repeated[str(refused.status)] += 1
            time.sleep(0.2)
