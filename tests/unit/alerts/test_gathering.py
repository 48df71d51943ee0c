"""Outcomes are recorded together where several end at once, and never wait for nobody."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from siegelpost.alerts import gathering
from siegelpost.alerts.gathering import Gathering

pytestmark = pytest.mark.anyio


async def test_one_alone_does_not_wait() -> None:
    gate = Gathering(32)
    gate.expect()
    async with asyncio.timeout(gathering.WAIT_SECONDS / 2):
        await gate.pass_through()


async def test_the_last_one_opens_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "WAIT_SECONDS", 60.0)
    gate, order, steps = Gathering(32), [], count()

    async def one(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(("ready", next(steps)))
        await gate.pass_through()
        order.append(("through", next(steps)))

    for _ in range(4):
        gate.expect()
    async with asyncio.timeout(5):
        await asyncio.gather(*(one(0.01 * number) for number in range(3)), forgotten(gate))
    assert [what for what, _ in order] == ["ready"] * 3 + ["through"] * 3


async def forgotten(gate: Gathering) -> None:
    await asyncio.sleep(0.1)
    gate.forget()


async def test_it_opens_when_enough_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "WAIT_SECONDS", 60.0)
    gate = Gathering(3)
    for _ in range(4):
        gate.expect()
    async with asyncio.timeout(5):
        await asyncio.gather(*(gate.pass_through() for _ in range(3)))


async def test_a_slow_one_holds_nobody_up_for_long() -> None:
    gate = Gathering(32)
    gate.expect()
    gate.expect()
    async with asyncio.timeout(10 * gathering.WAIT_SECONDS):
        await gate.pass_through()
