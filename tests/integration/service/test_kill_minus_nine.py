"""``kill -9`` under load: every answered 201 is there exactly once (DESIGN section 1)."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from siegelpost.evidence.events import EventType
from siegelpost.store import tables
from siegelpost.store.database import Database
from tests.support.service import Service, prepared_service
from tests.support.service_load import MOST_KILLS, Senders
from tests.support.service_values import eventually

_alert = tables.core(tables.Alert)
_event = tables.core(tables.Event)
_notice = tables.core(tables.Notice)

#: How often the service is killed; slow machines stop earlier, but not before one met a call.
KILLS = 5
#: No further kill after this many seconds of trying.
LONGEST_SECONDS = 60
#: Receipts that are verified at the end.
SAMPLE = 3


@pytest.fixture
def seed() -> int:
    """Where and when the service is killed; set SIEGELPOST_SEED to repeat a run."""
    seed = int(os.environ.get("SIEGELPOST_SEED", time.time_ns() % 1_000_000))
    print(f"SIEGELPOST_SEED={seed}")  # pytest shows it with a failure
    return seed


def test_every_answered_dispatch_survives_kills_exactly_once(
    tmp_path: Path, service_database: str, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - moments of kills
    with prepared_service(tmp_path, service_database) as service:
        service.start()
        enrolments = [service.activate(name).id for name in ("Alice Beispiel", "Bob Muster")]
        senders = Senders(service=service, enrolments=enrolments)
        senders.start()
        kills = _kill_often(service, senders, random)
        time.sleep(0.5)
        senders.finish()
        print(f"{kills} kills, {len(senders.answered)} answered, repeated: {senders.repeated}")
        assert senders.broken_off, "the kills met no call"

        _alerts_end(service)
        _each_is_there_once(service, senders)
        _each_has_one_alert_event(service, senders)
        for call, answer in random.sample(senders.answered, SAMPLE):
            service.verify(service.receipt(answer["id"]), call.pdf)


def _kill_often(service: Service, senders: Senders, random: Random) -> int:
    end, kills = time.monotonic() + LONGEST_SECONDS, 0
    while kills < MOST_KILLS:
        if senders.broken_off and (kills >= KILLS or (kills >= 2 and time.monotonic() > end)):
            break
        # From the first instant after the start, when leftovers are taken up, to full load.
        time.sleep(random.choice([0.1, 0.5, 2.0]) * random.random())
        service.kill()
        kills += 1
        assert service.findings() == [], f"after kill {kills}"
        _bring_leases_to_their_end(service)
        service.start()
    return kills


def _bring_leases_to_their_end(service: Service) -> None:
    # A vanished worker's alerts are taken over a quarter of an hour later: not waited for here.
    database, now = Database(service.database), datetime.now(UTC)
    with database.write() as connection:
        connection.execute(
            _alert.update()
            .where(_alert.c.state == "submitting")
            .values(due_at=now, lease_until=now)
        )
    database.close()


def _alerts_end(service: Service) -> None:
    def ended() -> bool:
        with service.tables() as connection:
            waiting = select(_alert.c.id).where(_alert.c.finished_at.is_(None)).limit(1)
            return connection.execute(waiting).first() is None

    eventually(ended, "alerts are still waiting", patience_seconds=120)


def _each_is_there_once(service: Service, senders: Senders) -> None:
    answered = Counter(answer["id"] for _, answer in senders.answered)
    assert set(answered.values()) == {1}
    with service.tables() as connection:
        kept = Counter(connection.execute(select(_notice.c.id)).scalars())
    assert kept == answered
    client = service.another_client()
    try:
        for call, answer in senders.answered:
            assert call.send(client) == answer
    finally:
        client.close()


def _each_has_one_alert_event(service: Service, senders: Senders) -> None:
    with service.tables() as connection:
        sent = Counter(
            connection.execute(
                select(_event.c.notice_id).where(_event.c.type == EventType.ALERT_SENT.value)
            ).scalars()
        )
        alerts = {
            row.id: row.notice_id
            for row in connection.execute(select(_alert.c.id, _alert.c.notice_id))
        }
    assert sent == Counter(answer["id"] for _, answer in senders.answered)
    arrived = {
        alerts.get(letter.header("Message-ID").strip("<>").partition("@")[0])
        for letter in service.letterbox.letters
    }
    assert set(sent) <= arrived, "an alert never arrived"
