"""The service sweeps by itself, at its start and again and again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from siegelpost.service.housekeeping import keep_house
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.portal import Town


async def test_running_service_removes_sessions_that_ended(town: Town, clock: VirtualClock) -> None:
    await town.active("alice@beispiel.example")
    sweeping = asyncio.create_task(keep_house(town.context, seconds=0.01))
    try:
        await asyncio.sleep(0.1)
        assert await _sessions(town) == 1
        clock.advance(timedelta(hours=13))
        for _ in range(500):
            if not await _sessions(town):
                break
            await asyncio.sleep(0.01)
        assert await _sessions(town) == 0
    finally:
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def _sessions(town: Town) -> int:
    count = select(func.count()).select_from(tables.core(tables.Session))
    return await town.context.store.read(lambda c: c.execute(count).scalar_one())
