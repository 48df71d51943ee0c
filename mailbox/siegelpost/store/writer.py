"""Group commit: one writing thread that commits whatever is queued, without waiting for more.

On SQLite, brief items are committed by the event loop itself: the thread and the loop would hand
Python's interpreter lock to each other at every step, which costs more than the commit.
It waits for its turn without stopping the loop, so that what comes meanwhile joins the group; if
that takes long, or the disk is slow, the thread does it.

Every change of the database by the service goes through here, so that concurrent work shares
a commit and SQLite has one writer.
Each piece of work runs in its own savepoint: one that raises takes nothing else down, and its
caller gets its exception. A group of one kind runs without, which saves a third of what a commit
costs besides its rows, and is done again with savepoints if it raises.
Nobody's future resolves before the commit that carries it has returned.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from siegelpost.store.database import Database, translated
from siegelpost.store.errors import Busy, Deadlocked, StoreUnavailable
from siegelpost.store.turns import Turn

T = TypeVar("T")
Item = TypeVar("Item")

#: Changes the database over the given connection and returns a value; must not commit.
Work = Callable[[Connection], T]
#: Does many items of one kind at once; returns one result or exception an item, in order.
Bulk = Callable[[Connection, Sequence[Item]], "Sequence[T | Exception]"]

#: Most pieces of work that share a commit.
GROUP_LIMIT = 64
#: How often a group is tried that other processes' groups deadlock with.
DEADLOCK_TRIES = 5
#: Turns of the event loop in which brief items gather before it commits them.
GATHERING_TURNS = 2
#: Seconds between looks whether it is the event loop's turn, and how long it looks.
TURN_SECONDS = 0.001
PATIENCE_SECONDS = 0.1
#: A commit that kept the event loop longer, in seconds, leaves the next ones to the thread.
LONG_SECONDS = 0.1
#: For how long, in seconds.
PAUSE_SECONDS = 5.0


@dataclass(kw_only=True, slots=True)
class _Job(Generic[T]):
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    work: Work[T] | None = None
    bulk: Bulk[Any, T] | None = None
    item: Any = None
    result: T | None = None
    error: BaseException | None = field(default=None)


class GroupWriter:
    """The thread that owns the write transactions of this process."""

    def __init__(self, database: Database, *, group_limit: int = GROUP_LIMIT) -> None:
        """Start the thread; ``group_limit=1`` commits each piece of work alone (for measuring)."""
        self._database = database
        self._group_limit = group_limit
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._turn = Turn(database.turn_file)
        self._brief: list[_Job[Any]] = []
        self._here_from = 0.0 if database.dialect == "sqlite" else float("inf")
        self._thread = threading.Thread(target=self._run, name="siegelpost-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T]) -> T:
        """Run ``work`` in the next group commit; return its result once it is durable."""
        loop = asyncio.get_running_loop()
        return await self._submit(_Job(loop=loop, future=loop.create_future(), work=work))

    async def run_bulk(self, bulk: Bulk[Item, T], item: Item, *, brief: bool = False) -> T:
        """Like :meth:`run`, for items of one kind: ``bulk`` gets all that wait, in one call.

        ``brief`` items are small enough for the event loop to write them.
        """
        loop = asyncio.get_running_loop()
        job = _Job(loop=loop, future=loop.create_future(), bulk=bulk, item=item)
        if brief and not self._closed and time.monotonic() >= self._here_from:
            self._brief.append(job)
            if len(self._brief) == 1:
                loop.call_soon(self._gather, loop, GATHERING_TURNS)
            return await asyncio.shield(job.future)
        return await self._submit(job)

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        if not self._closed:
            self._closed = True
            self._leave_brief()
            self._queue.put(None)
            self._thread.join()
            self._turn.close()

    async def _submit(self, job: _Job[T]) -> T:
        if self._closed:
            raise StoreUnavailable("the service is stopping")
        self._queue.put(job)
        # A caller that goes away must not cancel what may already be committed.
        return await asyncio.shield(job.future)

    def _gather(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns and len(self._brief) < self._group_limit:
            loop.call_soon(self._gather, loop, turns - 1)
        else:
            self._commit_brief(loop, time.monotonic() + PATIENCE_SECONDS)

    def _commit_brief(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        """Commit what has gathered on this very thread, or leave it to the other."""
        if not self._brief:
            return  # the writer was closed meanwhile
        if not self._turn.take_at_once():
            if time.monotonic() < until:
                loop.call_later(TURN_SECONDS, self._commit_brief, loop, until)
            else:
                self._leave_brief()
            return
        begun = time.monotonic()
        group = self._brief[: self._group_limit]
        self._brief = self._brief[self._group_limit :]
        try:
            self._commit(group, self._database.write_at_once)
        except Busy:  # somebody who takes no turns: a command beside the service
            for job in group:
                self._queue.put(job)
        finally:
            self._turn.give()
        if self._brief:
            loop.call_soon(self._commit_brief, loop, time.monotonic() + PATIENCE_SECONDS)
        if time.monotonic() - begun > LONG_SECONDS:
            self._here_from = time.monotonic() + PAUSE_SECONDS

    def _leave_brief(self) -> None:
        jobs, self._brief = self._brief, []
        for job in jobs:
            self._queue.put(job)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group: list[_Job[Any]] = []
            job = self._queue.get()
            while True:
                if job is None:
                    stopping = True
                else:
                    group.append(job)
                if len(group) >= self._group_limit:
                    break
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._turn.take()
                try:
                    self._commit(group, self._database.write)
                finally:
                    self._turn.give()
        self._drain_after_stop()

    def _drain_after_stop(self) -> None:
        rest = []
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                job.error = StoreUnavailable("the service is stopping")
                rest.append(job)
        if rest:
            _deliver(rest)

    def _commit(
        self,
        group: list[_Job[Any]],
        write: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        # Items of one kind need no savepoint until something is wrong with one of them.
        together = group[0].bulk is not None and len({job.bulk for job in group}) == 1
        tries = DEADLOCK_TRIES
        while True:
            for job in group:
                job.result = job.error = None
            try:
                with write() as connection:
                    if together:
                        _run_together(connection, group[0].bulk, group)
                    else:
                        self._apply(connection, group)
            except Busy:
                raise
            except BaseException as error:  # every caller must hear of it, whatever it is
                tries -= 1
                if isinstance(error, Deadlocked) and tries:
                    continue
                if together and len(group) > 1 and not isinstance(error, StoreUnavailable):
                    together = False
                    continue
                for job in group:
                    job.error = error
            break
        _deliver(group)

    def _apply(self, connection: Connection, group: list[_Job[Any]]) -> None:
        bulks: dict[Any, list[_Job[Any]]] = {}
        for job in group:
            if job.bulk is not None:
                bulks.setdefault(job.bulk, []).append(job)
            else:
                assert job.work is not None
                _run_one(connection, job, job.work)
        for bulk, jobs in bulks.items():
            _run_bulk(connection, bulk, jobs)


def _run_one(connection: Connection, job: _Job[Any], work: Work[Any]) -> None:
    try:
        with translated(), connection.begin_nested():
            job.result = work(connection)
    except StoreUnavailable:
        raise  # the connection or the disk: the whole group fails
    except Exception as error:
        job.error = error


def _run_bulk(connection: Connection, bulk: Bulk[Any, Any], jobs: list[_Job[Any]]) -> None:
    try:
        with translated(), connection.begin_nested():
            _run_together(connection, bulk, jobs)
    except StoreUnavailable:
        raise
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].error = error
            return
        for job in jobs:  # find the one that fails, keep the others
            job.error = None
            _run_bulk(connection, bulk, [job])


def _run_together(connection: Connection, bulk: Any, jobs: list[_Job[Any]]) -> None:
    results = bulk(connection, [job.item for job in jobs])
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, Exception):
            job.error = result
        else:
            job.result = result


def _deliver(group: Sequence[_Job[Any]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in group:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: Sequence[_Job[Any]]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
