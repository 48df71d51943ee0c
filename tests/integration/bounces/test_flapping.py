"""2,000 alerts through a mail server that fails in every way it can: 2,000 outcomes, no more.

The server hangs up at any step, answers "later", refuses, loses answers after it took the mail, and
is away for hours. Later, reports come for most mails, some twice, some contradicting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from siegelpost.bounces.intake import Intake
from siegelpost.bounces.settings import BounceSettings
from siegelpost.evidence.events import EventType, parse_event
from siegelpost.evidence.ids import AlertId
from siegelpost.store import tables
from siegelpost.store.outbox import next_due_at
from tests.support.alerts import World, settings
from tests.support.reports import DOMAIN, address_of, hand_in, report
from tests.support.smtp_servers import Script, scripted_server
from tests.support.submissions import TOGETHER

pytestmark = pytest.mark.anyio

#: Answers beside the good one, by command; None hangs up.
FAULTS: dict[str, tuple[bytes | None, ...]] = {
    "GREETING": (None, b"421 4.3.2 shutting down\r\n", b"554 5.3.2 no service\r\n"),
    "EHLO": (None, b"421 4.3.2 too busy\r\n"),
    "MAIL": (None, b"451 4.3.0 later\r\n", b"421 4.7.0 too many\r\n"),
    "RCPT": (None, b"450 4.2.0 greylisted\r\n", b"452 4.2.2 full\r\n"),
    "DATA": (None, b"451 4.3.0 later\r\n"),
    "BODY": (None, b"451 4.3.0 queue full\r\n"),
}
#: Recipients who do not exist, of a hundred.
UNKNOWN = 3


class Flapping:
    """Decides for the scripted server; counts what was really taken."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.away = False

    def decide(self, verb: str, line: bytes) -> object:
        if self.away and verb == "GREETING":
            return None
        if verb == "RCPT" and b"<unknown-" in line:
            return b"550 5.1.1 no such user\r\n"
        if verb in FAULTS and self._random.random() < 0.06:
            return self._random.choice(FAULTS[verb])
        return NotImplemented


@pytest.mark.parametrize(("count", "pipelining"), [(200, False), (2000, True)])
async def test_as_many_outcomes_as_alerts(world: World, count: int, *, pipelining: bool) -> None:
    random = Random(20261123)  # noqa: S311 - faults, the same in every run
    emails = [
        f"unknown-{n}@example.org" if n % 100 < UNKNOWN else f"user-{n}@example-{n % 7}.org"
        for n in range(count)
    ]
    queued = dict(world.queue_notices(emails))
    flapping = Flapping(random)
    script = Script(decide=flapping.decide, answers=TOGETHER if pipelining else {})
    async with scripted_server(script) as port:
        await _work_off(world, port, flapping, random)
    taken = Counter(_message_id(mail) for mail in script.mails)
    states = Counter(row.state for row in world.rows(tables.Alert))
    assert states == {
        "accepted": count * (100 - UNKNOWN) // 100,
        "failed": count * UNKNOWN // 100,
    }
    outcomes = _outcomes(world)
    assert all(outcomes[alert].total() == 1 for alert in queued)
    for row in world.rows(tables.Alert):
        if row.state == "accepted":
            assert taken[f"<{row.id}@{DOMAIN}>"] >= 1
    assert max(taken.values()) > 1, "no answer was lost: the server flaps too little"

    await _report(world, list(queued), random)
    outcomes = _outcomes(world)
    for alert in queued:
        assert outcomes[alert]["alert-sent"] <= 1
        assert outcomes[alert]["alert-delivered"] <= 1
        assert outcomes[alert]["alert-failed"] <= 1


async def _work_off(world: World, port: int, flapping: Flapping, random: Random) -> None:
    worker = world.worker(settings(port, concurrency=64, smtp={"connections": 16}))
    for turn in range(4000):
        if not _open(world):
            break
        flapping.away = turn % 10 in (3, 4)
        if not await worker.run_once():
            due = world.context.store.read_now(next_due_at)
            assert due is not None
            wait = max(due - world.clock.now(), timedelta(seconds=random.randint(1, 60)))
            world.clock.advance(wait)
    await worker.close()
    assert _open(world) == 0


async def _report(world: World, alerts: list[AlertId], random: Random) -> None:
    intake = Intake(world.context, BounceSettings(domain=DOMAIN))
    mails = []
    for alert in alerts:
        to = address_of(world.context, alert)
        for serial in range(random.choice((0, 1, 1, 2, 3))):
            action = random.choice(("delivered", "delivered", "failed", "delayed", "relayed"))
            mails += [(to, report(to, action, serial=serial))] * random.choice((1, 1, 1, 2))
    random.shuffle(mails)
    for first in range(0, len(mails), 100):
        replies = await asyncio.gather(
            *(hand_in(intake, raw, to) for to, raw in mails[first : first + 100])
        )
        assert {reply.code for reply in replies} == {250}
    kept = {(to, raw) for to, raw in mails}
    assert len(world.rows(tables.Bounce)) == len(kept)


def _open(world: World) -> int:
    alert = tables.core(tables.Alert)
    count: int = world.context.store.read_now(
        lambda connection: connection.execute(
            select(func.count()).where(alert.c.finished_at.is_(None))
        ).scalar_one()
    )
    return count


def _outcomes(world: World) -> dict[Any, Counter[str]]:
    found: dict[Any, Counter[str]] = {}
    for row in world.rows(tables.Event):
        if row.type != EventType.PROVIDED.value:
            alert = parse_event(row.body.encode()).facts["alert"]
            found.setdefault(alert, Counter())[row.type] += 1
    return found


def _message_id(mail: bytes) -> str:
    return mail.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
