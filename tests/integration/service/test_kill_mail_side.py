"""``kill -9`` of alert worker and bounce server under load: no alert and no report is lost.

Every alert gets one `alert-sent`, every report that was answered with 250 its one event.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import select

from siegelpost.evidence.events import EventType, parse_event
from siegelpost.store import tables
from siegelpost.store.database import Database
from tests.support.reporters import Reporters
from tests.support.service import Service, prepared_service
from tests.support.service_load import MOST_KILLS, Senders
from tests.support.service_values import eventually

_alert = tables.core(tables.Alert)
_event = tables.core(tables.Event)
_bounce = tables.core(tables.Bounce)

KILLS = 4
_TYPES = {"delivered": EventType.ALERT_DELIVERED.value, "failed": EventType.ALERT_FAILED.value}


def test_alerts_and_reports_survive_kills_exactly_once(
    tmp_path: Path, service_database: str
) -> None:
    seed = int(os.environ.get("SIEGELPOST_SEED", time.time_ns() % 1_000_000))
    print(f"SIEGELPOST_SEED={seed}")
    random = Random(seed)  # noqa: S311 - moments of kills
    with prepared_service(tmp_path, service_database) as service:
        service.start()
        enrolments = [service.activate(name).id for name in ("Alice Beispiel", "Bob Muster")]
        # Each notice costs an alert and a report, which are the matter here.
        senders = Senders(service=service, enrolments=enrolments, pause_seconds=0.15)
        reporters = Reporters(service=service)
        senders.start()
        reporters.start()
        for kills in range(MOST_KILLS):
            if kills >= KILLS and reporters.repeated:
                break
            time.sleep(random.uniform(0.3, 1.2))
            service.kill()
            assert service.findings() == []
            _end_leases(service)
            service.start()
        time.sleep(1)
        senders.finish()
        eventually(lambda: _all_ended(service), "alerts are still waiting", patience_seconds=120)
        reporters.finish()
        print(f"{len(reporters.reported)} reports, {reporters.repeated} repeated")
        assert reporters.repeated, "the kills met no report"
        _each_once(service, reporters)


def _end_leases(service: Service) -> None:
    # A vanished worker's alerts are taken over a quarter of an hour later: not waited for here.
    database, now = Database(service.database), datetime.now(UTC)
    with database.write() as connection:
        connection.execute(
            _alert.update()
            .where(_alert.c.state == "submitting")
            .values(due_at=now, lease_until=now)
        )
    database.close()


def _all_ended(service: Service) -> bool:
    with service.tables() as connection:
        waiting = select(_alert.c.id).where(_alert.c.finished_at.is_(None)).limit(1)
        return connection.execute(waiting).first() is None


def _each_once(service: Service, reporters: Reporters) -> None:
    with service.tables() as connection:
        alerts = set(
            connection.execute(select(_alert.c.id).where(_alert.c.notice_id.is_not(None))).scalars()
        )
        found = Counter[tuple[str, str]]()
        for row in connection.execute(
            select(_event).where(_event.c.type.in_(["alert-sent", *_TYPES.values()]))
        ):
            found[str(parse_event(row.body.encode()).facts["alert"]), row.type] += 1
        kept = Counter(connection.execute(select(_bounce.c.alert_id)).scalars())
    assert set(reporters.reported) == alerts
    wanted = {(alert, "alert-sent"): 1 for alert in alerts}
    wanted |= {(alert, _TYPES[action]): 1 for alert, action in reporters.reported.items()}
    assert found == wanted
    assert kept == dict.fromkeys(alerts, 1)
