"""Group commit: nothing is answered before it is durable, and one failure takes nothing else."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import IntegrityError

from siegelpost.store import tables, writer
from siegelpost.store.database import Database
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.store import Store
from siegelpost.store.turns import Turn
from tests.support.databases import START_AT

LEASE = tables.core(tables.Lease)


def put(name: str, holder: str = "somebody") -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        row = {"name": name, "holder": holder, "until": START_AT + timedelta(hours=1)}
        connection.execute(LEASE.insert(), row)
        return name

    return work


def count(store: Store) -> int:
    return store.read_now(
        lambda connection: connection.execute(select(func.count()).select_from(LEASE)).scalar_one()
    )


async def test_what_is_answered_is_there(store: Store) -> None:
    names = [f"n{number}" for number in range(200)]
    assert await asyncio.gather(*[store.write(put(name)) for name in names]) == names
    assert count(store) == 200


async def test_one_failure_takes_nothing_else_down(store: Store) -> None:
    works = [put(f"n{number % 50}") for number in range(60)]
    results = await asyncio.gather(*map(store.write, works), return_exceptions=True)
    assert sum(isinstance(result, IntegrityError) for result in results) == 10
    assert count(store) == 50


async def test_a_bulk_with_one_bad_item_keeps_the_others(store: Store) -> None:
    def bulk(connection: Connection, names: Sequence[str]) -> Sequence[str]:
        for name in names:
            put(name)(connection)
        return names

    names = ["a", "b", "a", "c"]
    results = await asyncio.gather(
        *[store.write_bulk(bulk, name) for name in names], return_exceptions=True
    )
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert count(store) == 3


def put_all(connection: Connection, names: Sequence[str]) -> Sequence[str]:
    writers.add(threading.current_thread().name)
    for name in names:
        put(name)(connection)
    return names


#: Names of the threads in which `put_all` ran.
writers: set[str] = set()


@pytest.mark.parametrize("brief", [True, False])
async def test_a_group_of_one_kind_needs_savepoints_only_when_one_of_it_is_bad(
    store: Store, brief: bool
) -> None:
    savepoints: list[str] = []
    for engine in {store.database.writing, store.database.writing_at_once}:
        event.listen(engine, "savepoint", lambda _connection, name: savepoints.append(name))

    def bulk(connection: Connection, names: Sequence[str]) -> Sequence[str]:
        for name in names:
            put(name)(connection)
        return names

    async def write(*names: str) -> list[str | BaseException]:
        return await asyncio.gather(
            *[store.write_bulk(bulk, name, brief=brief) for name in names], return_exceptions=True
        )

    assert await write("a", "b", "c") == ["a", "b", "c"]
    assert savepoints == []
    results = await write("d", "a", "e")
    assert [isinstance(result, IntegrityError) for result in results] == [False, True, False]
    (alone,) = await write("a")
    assert isinstance(alone, IntegrityError)
    assert count(store) == 5


async def test_brief_items_are_written_by_the_event_loop_on_sqlite_only(store: Store) -> None:
    writers.clear()
    names = [f"n{number}" for number in range(150)]
    brief = [store.write_bulk(put_all, name, brief=True) for name in names]
    assert await asyncio.gather(*brief) == names
    assert count(store) == 150
    here = threading.current_thread().name
    assert writers == {here if store.database.dialect == "sqlite" else "siegelpost-writer"}


async def test_a_bad_brief_item_keeps_the_others(store: Store) -> None:
    names = ["a", "b", "a", "c"]
    results = await asyncio.gather(
        *[store.write_bulk(put_all, name, brief=True) for name in names], return_exceptions=True
    )
    assert sum(isinstance(result, IntegrityError) for result in results) == 1
    assert count(store) == 3


async def test_brief_items_wait_in_the_thread_while_another_process_writes(store: Store) -> None:
    writers.clear()
    with store.database.write() as connection:
        put("other process")(connection)
        waiting = asyncio.create_task(store.write_bulk(put_all, "ours", brief=True))
        await asyncio.sleep(0.2)  # the event loop is free meanwhile
        if store.database.dialect == "sqlite":
            assert not waiting.done()
    assert await waiting == "ours"
    assert writers == {"siegelpost-writer"}
    assert count(store) == 2


@pytest.fixture
def others(store: Store) -> Iterator[Turn]:
    """Another service, whose turn it is to write."""
    if store.database.turn_file is None:
        pytest.skip("PostgreSQL has many writers")
    others = Turn(store.database.turn_file)
    writers.clear()
    assert others.take_at_once()
    yield others
    others.close()


async def test_brief_items_wait_for_another_service_without_stopping_the_loop(
    store: Store, others: Turn
) -> None:
    waiting = [asyncio.create_task(store.write_bulk(put_all, "first", brief=True))]
    await asyncio.sleep(writer.PATIENCE_SECONDS / 4)
    waiting.append(asyncio.create_task(store.write_bulk(put_all, "joins it", brief=True)))
    await asyncio.sleep(writer.PATIENCE_SECONDS / 4)
    assert not any(task.done() for task in waiting)
    others.give()
    await asyncio.gather(*waiting)
    assert writers == {threading.current_thread().name}
    assert count(store) == 2


async def test_brief_items_are_left_to_the_thread_when_the_turn_does_not_come(
    store: Store, others: Turn
) -> None:
    waiting = asyncio.create_task(store.write_bulk(put_all, "late", brief=True))
    await asyncio.sleep(writer.PATIENCE_SECONDS * 2)
    others.give()
    await waiting
    assert writers == {"siegelpost-writer"}


async def test_a_file_system_that_cannot_lock_stops_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    store = Store(database)
    assert await store.write(put("thread")) == "thread"
    assert await store.write_bulk(put_all, "loop", brief=True) == "loop"
    assert count(store) == 2
    store.close()


async def test_after_a_slow_commit_the_thread_takes_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LONG_SECONDS", 0.0)
    store = Store(database)
    writers.clear()
    await store.write_bulk(put_all, "slow", brief=True)
    writers.clear()
    await store.write_bulk(put_all, "next", brief=True)
    store.close()
    assert writers == {"siegelpost-writer"}


async def test_a_closing_store_keeps_brief_items_that_it_took(database: Database) -> None:
    store = Store(database)
    waiting = [
        asyncio.create_task(store.write_bulk(put_all, f"n{number}", brief=True))
        for number in range(20)
    ]
    await asyncio.sleep(0)
    store.writer.close()
    await asyncio.gather(*waiting)
    assert count(store) == 20
    store.close()


async def test_a_caller_that_goes_away_undoes_nothing(store: Store) -> None:
    task = asyncio.create_task(store.write(put("n")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(put("later"))
    assert count(store) == 2


async def test_a_closed_store_refuses_and_keeps_what_it_took(database: Database) -> None:
    store = Store(database)
    waiting = [asyncio.create_task(store.write(put(f"n{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.writer.close)
    await asyncio.gather(*waiting)
    assert count(store) == 20
    with pytest.raises(StoreUnavailable, match="stopping"):
        await store.write(put("late"))
    store.close()


async def test_groups_that_deadlock_are_tried_again(store: Store) -> None:
    if store.database.dialect != "postgresql":
        return  # SQLite has one writer: there is nobody to deadlock with
    await store.write(put("first"))
    await store.write(put("second"))
    update = "UPDATE lease SET holder = '{}' WHERE name = '{}'"
    both_hold = threading.Barrier(2, timeout=20)
    rounds = iter((True,))

    def other_process() -> None:
        with store.database.write() as connection:
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '10s'")
            connection.execute(text(update.format("other", "second")))
            both_hold.wait()
            connection.execute(text(update.format("other", "first")))

    def ours(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
        connection.execute(text(update.format("ours", "first")))
        if next(rounds, False):
            both_hold.wait()
        connection.execute(text(update.format("ours", "second")))

    thread = threading.Thread(target=other_process)
    thread.start()
    await store.write(ours)
    thread.join()
    holders = store.read_now(lambda c: set(c.execute(select(LEASE.c.holder)).scalars()))
    assert holders == {"ours"}


def test_errors_of_statements_do_not_show_personal_data(database: Database) -> None:
    with database.write() as connection:
        put("lease", "Alice Beispiel")(connection)
        with pytest.raises(IntegrityError) as caught, connection.begin_nested():
            put("lease", "Bob Muster")(connection)
    assert "Muster" not in str(caught.value)
    for engine in (database.writing, database.reading):
        assert engine.hide_parameters
