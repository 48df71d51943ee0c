"""Limits of mails under way to one domain, so that a slow provider leaves slots for the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class DomainSlots:
    """So many at once for each domain; a domain that nobody uses costs nothing."""

    def __init__(self, limit: int) -> None:
        """Allow `limit` mails under way for each domain."""
        self._limit = limit
        self._slots: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def slot(self, address: str) -> AsyncIterator[None]:
        """Hold a slot of the address's domain for the length of the block."""
        domain = address.rpartition("@")[2].lower()
        semaphore, users = self._slots.get(domain, (asyncio.Semaphore(self._limit), 0))
        self._slots[domain] = semaphore, users + 1
        try:
            async with semaphore:
                yield
        finally:
            semaphore, users = self._slots[domain]
            if users == 1:
                del self._slots[domain]
            else:
                self._slots[domain] = semaphore, users - 1
