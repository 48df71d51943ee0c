"""Reports a second: taken over SMTP, read, sealed, recorded as evidence, answered."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, AlertId, MailboxId, NoticeId
from siegelpost.store import tables
from siegelpost.store.events import EventDraft, append_events
from tests.load.alerts import open_world
from tests.support.alerts import World
from tests.support.reports import address_of, bounce_server

CONNECTIONS = 20


def measure_bounces(folder: Path, url: str, *, count: int) -> dict[str, Any]:
    """Return rate and processor time for `count` reports about as many alerts."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_bounces(folder, url, count))


async def _bounces(folder: Path, url: str, count: int) -> dict[str, Any]:
    world = open_world(folder, url)
    queued = world.queue_notices([f"user-{n}@example.org" for n in range(count)])
    _accepted(world, queued)
    plan = {"addresses": [address_of(world.context, alert) for alert, _ in queued]}
    async with bounce_server(world.context, messages_per_minute=10_000_000) as server:
        plan |= {"port": server.port, "connections": CONNECTIONS}  # type: ignore[dict-item]  # JSON
        used = time.process_time()
        sender = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.load.report_sender",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        out, _ = await sender.communicate(json.dumps(plan).encode())
        used = time.process_time() - used
    result = json.loads(out)
    kept = len(world.rows(tables.Bounce))
    world.context.store.close()
    return {
        "rate": count / result["seconds"],
        "cpu_ms": 1000 * used / count,
        "answers": result["answers"],
        "recorded": kept,
    }


def _accepted(world: World, queued: list[tuple[AlertId, NoticeId]]) -> None:
    """As if the next server had taken all mails."""
    table, now = tables.core(tables.Alert), world.context.now()
    drafts = [
        EventDraft(
            type=EventType.ALERT_SENT,
            at=now,
            agency=AgencyId("agency-1"),
            notice=notice,
            mailbox=MailboxId("mailbox-1"),
            actor="service",
            facts={"alert": alert, "kind": "notice"},
        )
        for alert, notice in queued
    ]
    with world.context.store.database.write() as connection:
        connection.execute(
            table.update().values(state="accepted", finished_at=now, message_id="<sent@example>")
        )
        for first in range(0, len(drafts), 500):
            append_events(connection, drafts[first : first + 500], entropy=world.context.entropy)
