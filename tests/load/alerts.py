"""Alerts a second: claimed, composed, submitted over reused connections, recorded as evidence."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import func, select

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store import tables
from siegelpost.store.clock import SystemClock
from siegelpost.store.database import Database
from siegelpost.store.migrate import migrate
from siegelpost.store.store import Store
from tests.support.alerts import World, settings

#: Different addresses, so that no row is hotter than in real life.
ADDRESSES = 500


def measure_alerts(folder: Path, url: str, *, count: int) -> dict[str, Any]:
    """Return rate and processor time for `count` alerts that wait when the worker starts."""
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.load.mail_sink"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sink.stdin is not None
    assert sink.stdout is not None
    try:
        port = int(sink.stdout.readline())
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(_alerts(folder, url, port, count))
        sink.stdin.close()
        result["taken"] = int(sink.stdout.readline())
        return result
    finally:
        sink.kill()
        sink.wait()


async def _alerts(folder: Path, url: str, port: int, count: int) -> dict[str, Any]:
    world = open_world(folder, url)
    store = world.context.store
    world.queue_notices([f"user-{n % ADDRESSES}@example-{n % 7}.org" for n in range(count)])
    alert_settings = settings(
        port,
        concurrency=64,
        domain_concurrency=64,
        smtp={"connections": 8, "command_seconds": 30.0, "final_seconds": 30.0},
    )
    worker = world.worker(alert_settings)
    begun, used = time.perf_counter(), time.process_time()
    running = asyncio.create_task(worker.run())
    waiting = count
    while waiting:
        await asyncio.sleep(0.1)
        waiting = await store.read(lambda connection: connection.execute(_WAITING).scalar_one())
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    worker.stop()
    await running
    sent = sum(1 for row in world.rows(tables.Event) if row.type == "alert-sent")
    store.close()
    return {"rate": count / seconds, "cpu_ms": 1000 * used / count, "recorded": sent}


def open_world(folder: Path, url: str) -> World:
    """An agency and a mailbox in a fresh database at real time."""
    database = Database(url)
    migrate(database)
    clock: Any = SystemClock()
    folder.mkdir(parents=True, exist_ok=True)
    keyring = FileKeyring.create(
        folder / "keyring.json", os.urandom(32), origin="post.example.org", now=clock.now()
    )
    return World.make(Store(database), clock, keyring)


_alert = tables.core(tables.Alert)
_WAITING = select(func.count()).select_from(_alert).where(_alert.c.finished_at.is_(None))
