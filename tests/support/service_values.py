"""People, calls and patience for tests of the running service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: Passphrase of every citizen here.
PASSPHRASE = "vier blaue Fahrräder im Regen"
#: When every citizen here was born.
BIRTH_DATE = "1984-05-03"


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """A citizen whom an agency has announced."""

    #: id of the enrolment
    id: str
    #: the agency's name for the citizen
    name: str
    #: activation code, as printed in the letter
    code: str
    #: ISO date
    birth_date: str


@dataclass(frozen=True, kw_only=True)
class Activated(Enrolled):
    """A citizen with an active mailbox."""

    #: login name and confirmed address
    email: str
    #: opens the mailbox
    passphrase: str
    #: opens it as well
    recovery_code: str


def enrolment(reference: str, name: str) -> dict[str, Any]:
    """The call that announces a citizen."""
    return {
        "reference": reference,
        "salutation": f"Frau {name.split()[-1]}",
        "birth_date": BIRTH_DATE,
        "language": "de",
        "address": {
            "name": name,
            "street": "Beispielweg 7",
            "postal_code": "59999",
            "city": "Musterstadt",
        },
    }


def notice(enrolment_id: str, *, title: str = "Bewilligung von Bürgergeld") -> dict[str, Any]:
    """The `notice` part of a dispatch."""
    return {
        "enrolment": enrolment_id,
        "cover": {
            "title": title,
            "kind": "grant",
            "what_is_this": "Sie bekommen Geld.",
            "what_to_do": "Prüfen Sie den Bescheid.",
            "who_helps": "Frau Muster, Zimmer 204",
        },
        "remedy": "given",
        "issued_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def eventually(holds: Callable[[], bool], what: str, *, patience_seconds: float = 60) -> None:
    """Wait until something holds; AssertionError with ``what`` if it never does."""
    end = time.monotonic() + patience_seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def in_threads(works: Sequence[Callable[[], None]]) -> list[threading.Thread]:
    """Start every work in a thread of its own."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads
