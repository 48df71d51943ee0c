"""A town around a portal, over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from siegelpost.store.context import Context
from tests.support.portal import Town, running_town
from tests.support.reply_street import Street, reply_street


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    """A portal with two agencies."""
    async with running_town(context) as town:
        yield town


@pytest.fixture
async def street(town: Town) -> Street:
    """Alice, who may reply to a notice, and its agency's key."""
    return await reply_street(town)
