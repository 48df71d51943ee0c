"""A console beside a town's portal, over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from siegelpost.evidence.ids import NoticeId
from siegelpost.store.context import Context
from tests.support.console import Office, office
from tests.support.portal import Town, running_town

ALICE = "alice@beispiel.example"


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    """A portal with two agencies."""
    async with running_town(context) as town:
        yield town


@pytest.fixture
async def house(town: Town) -> AsyncIterator[Office]:
    """The console of both agencies."""
    opened = office(town.context)
    yield opened
    await opened.close()


@pytest.fixture
async def notice(town: Town) -> NoticeId:
    """A notice of the first agency to Alice."""
    enrolled = await town.letter("BG-35502-0012345")
    await town.active(ALICE, enrolled=enrolled)
    return await town.dispatch(enrolled)
