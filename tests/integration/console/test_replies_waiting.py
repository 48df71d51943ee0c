"""Replies that nobody fetches are told: to operators at once, to clerks after a day."""

from __future__ import annotations

from datetime import timedelta

from siegelpost.console.words import minute
from siegelpost.notices.agency_replies import fetch_reply
from siegelpost.notices.eligibility import Sender as Client
from siegelpost.staff.roles import Role
from siegelpost.store.clock import VirtualClock
from tests.integration.portal.test_replies_fetched import client
from tests.support.console import Office
from tests.support.portal import AGENCY, CLIENT, OTHER_AGENCY, Town
from tests.support.reply_street import reply_street

TOLD = "Antworten, die niemand abgeholt hat"


async def test_replies_that_nobody_fetches_are_told(
    town: Town, house: Office, clock: VirtualClock
) -> None:
    street = await reply_street(town)
    made = [await street.sender.make() for _ in range(2)]
    system = await client(town, OTHER_AGENCY)

    async def metrics() -> list[str]:
        lines = (await system.http.get("/metrics")).text.splitlines()
        return [line for line in lines if line.startswith("siegelpost_replies_waiting")]

    clerk = await house.desk(Role.CLERK)
    others = [
        await house.desk(Role.ADMIN, name="Frauke Fachfrau"),
        await house.desk(Role.CLERK, agency=OTHER_AGENCY, name="Charlie Muster"),
    ]
    assert await metrics() == []
    first = clock.now()
    await street.sender.send(made[0])
    clock.advance(timedelta(minutes=10))
    await street.sender.send(made[1])
    assert await metrics() == [
        f'siegelpost_replies_waiting{{agency="{AGENCY}"}} 2.0',
        f'siegelpost_replies_waiting_seconds{{agency="{AGENCY}"}} 600.0',
    ]
    assert TOLD not in (await clerk.get("/console/")).text

    clock.advance(timedelta(days=1, minutes=1))
    for desk in (clerk, *others):
        await desk.log_in()
    told = (await clerk.get("/console/")).text
    assert f"{TOLD}: 2<" in told
    assert f"Die erste kam am {minute(first)}." in told
    for desk in others:
        assert TOLD not in (await desk.get("/console/")).text

    by = Client(client_id=CLIENT, agency_id=AGENCY)
    await fetch_reply(town.context, by, made[0].said.reply)
    assert f"{TOLD}: 1<" in (await clerk.get("/console/")).text
    await fetch_reply(town.context, by, made[1].said.reply)
    assert TOLD not in (await clerk.get("/console/")).text
    assert await metrics() == []
