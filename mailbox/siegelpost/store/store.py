"""The one door to the database for use cases and workers: read, write, be woken after commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from siegelpost.store.database import Database
from siegelpost.store.quick_select import QuickSelect
from siegelpost.store.writer import GROUP_LIMIT, Bulk, GroupWriter, Item, Work

T = TypeVar("T")


class Signal:
    """Wakes a worker of this process early; other processes find the work when they poll."""

    def __init__(self) -> None:
        """Start silent."""
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake whoever waits; call it on the event loop."""
        self._event.set()

    async def wait(self, timeout_seconds: float) -> None:
        """Return at the next :meth:`set`, or after ``timeout_seconds``."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


class Store:
    """Reads run in a small thread pool, writes in the group writer."""

    def __init__(
        self, database: Database, *, readers: int = 4, group_limit: int = GROUP_LIMIT
    ) -> None:
        """Open for business; ``readers`` is the number of reading threads."""
        self.database = database
        self.writer = GroupWriter(database, group_limit=group_limit)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="siegelpost-reader")
        self.alerts_queued = Signal()
        self.events_recorded = Signal()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reading connection, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    async def read_briefly(self, work: Callable[[Connection], T]) -> T:
        """Run a short, indexed read: on SQLite without leaving the event loop.

        There a hop to a thread and back costs more than such a read itself.
        """
        if self.database.dialect == "sqlite":
            return self.read_now(work)
        return await self.read(work)

    async def select(self, quick: QuickSelect, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of a hot path's one statement: on SQLite without leaving the loop."""
        if self.database.dialect == "sqlite":
            return quick(self.database, parameters)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, quick, self.database, parameters)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reading connection in the calling thread."""
        with self.database.read() as connection:
            return work(connection)

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` in a write transaction shared with others; durable when this returns."""
        result = await self.writer.run(work)
        self.events_recorded.set()
        return result

    async def write_bulk(self, bulk: Bulk[Item, T], item: Item, *, brief: bool = False) -> T:
        """Run ``item`` with its like in one call of ``bulk``; durable when this returns.

        ``brief`` says that it is small: on SQLite it may be written without leaving the event loop.
        """
        result = await self.writer.run_bulk(bulk, item, brief=brief)
        self.events_recorded.set()
        return result

    def close(self) -> None:
        """Commit what is queued and close all connections."""
        self.writer.close()
        self._readers.shutdown()
        self.database.close()


@contextmanager
def open_store(url: str) -> Iterator[Store]:
    """Open a store for a block, for commands and tests."""
    store = Store(Database(url))
    try:
        yield store
    finally:
        store.close()
