"""An upload takes minutes: what may be is judged when it is there, not when it began."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text

from siegelpost.portal import replies as pages
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from tests.support.replies import MadeReply, Sender
from tests.support.reply_street import Street


async def slowly(
    sender: Sender, made: MadeReply, step: Callable[[], Awaitable[None]]
) -> httpx2.Response:
    """Upload the first bytes, let something happen, upload the rest."""

    async def parts() -> AsyncIterator[bytes]:
        yield made.sealed[:100]
        await step()
        yield made.sealed[100:]

    base = sender.who.client.base_url
    return await sender.who.client.post(
        f"{sender.base}/replies",
        headers={
            **made.headers(),
            "Cookie": "; ".join(f"{name}={value}" for name, value in sender.who.cookies.items()),
            "Origin": f"{base.scheme}://{base.netloc.decode('ascii')}",
            "X-Siegelpost-Form": sender.who.form_token,
        },
        content=parts(),
    )


async def test_mandate_that_ends_during_the_upload_lets_nothing_in(
    street: Street, clock: VirtualClock
) -> None:
    bob = await street.by_bob()
    made = await bob.make()
    mandate = tables.core(tables.Mandate)
    ends_at = clock.now() + timedelta(seconds=5)
    await street.town.context.store.write(
        lambda c: c.execute(mandate.update().values(ends_at=ends_at))
    )

    async def later() -> None:
        clock.advance(timedelta(seconds=10))

    assert (await slowly(bob, made, later)).status_code == 404
    await street.nothing_happened()


async def test_session_that_ends_during_the_upload_lets_nothing_in(street: Street) -> None:
    async def log_out() -> None:
        await street.town.context.store.write(lambda c: c.execute(text("DELETE FROM session")))

    made = await street.sender.make()
    assert (await slowly(street.sender, made, log_out)).status_code == 401
    await street.nothing_happened()


async def test_more_uploads_than_memory_is_set_aside_for_wait(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await street.by_bob()
    theirs = await bob.make()

    async def meanwhile() -> None:
        answer = await slowly(bob, theirs, meanwhile)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    made = await street.sender.make()
    monkeypatch.setattr(pages, "MAX_UPLOADS", 1)
    assert (await slowly(street.sender, made, meanwhile)).status_code == 201
    await bob.send(theirs)
