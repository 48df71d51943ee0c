"""A restart on the same host does not wait for the leases of the process that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from siegelpost.service.mailing import give_back_leases, holder_of
from siegelpost.store.clock import VirtualClock
from siegelpost.store.outbox import AlertState, claim_alerts
from siegelpost.store.store import Store
from tests.support.alerts import World

pytestmark = pytest.mark.anyio


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def claim(world: World, holder: str) -> list[AlertState]:
    with world.context.store.database.write() as connection:
        claimed = claim_alerts(
            connection,
            holder=holder,
            now=world.clock.now(),
            lease=timedelta(minutes=15),
            limit=10,
        )
    return [alert.found for alert in claimed]


@pytest.mark.parametrize(
    ("who", "ended"), [("dead", True), ("predecessor", True), ("alive", False), ("afar", False)]
)
async def test_only_leases_of_dead_processes_of_this_host_end(
    store: Store, clock: VirtualClock, who: str, ended: bool
) -> None:
    world = World.make(store, clock)
    world.queue_notice()
    dead = dead_process()
    holder = {
        "dead": holder_of(dead),
        "predecessor": holder_of(os.getpid()),
        "alive": holder_of(os.getppid()),
        "afar": f"another-host:{dead}",
    }[who]
    assert claim(world, holder) == [AlertState.QUEUED]
    await give_back_leases(world.context)
    assert claim(world, "next") == ([AlertState.SUBMITTING] if ended else [])
