"""A town around a portal, over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from siegelpost.store.context import Context
from tests.support.portal import Town, running_town


@pytest.fixture
async def town(context: Context) -> AsyncIterator[Town]:
    """A portal with two agencies."""
    async with running_town(context) as town:
        yield town
