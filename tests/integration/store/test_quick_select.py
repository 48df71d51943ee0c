"""One statement on the driver's own connection reads what SQLAlchemy reads."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, timedelta

import pytest
from sqlalchemy import bindparam, select, text

from siegelpost.store import tables
from siegelpost.store.database import Database
from siegelpost.store.errors import StoreUnavailable
from siegelpost.store.quick_select import QuickSelect
from siegelpost.store.store import Store
from tests.support.databases import START_AT

LEASE = tables.core(tables.Lease)
BY_HOLDER = QuickSelect(
    select(LEASE.c.name, LEASE.c.until, LEASE.c.holder)
    .where(LEASE.c.holder == bindparam("holder"), LEASE.c.name != "never")
    .order_by(LEASE.c.name)
)


@pytest.fixture
def filled(store: Store) -> Store:
    with store.database.write() as connection:
        connection.execute(
            LEASE.insert(),
            [
                {"name": name, "holder": holder, "until": START_AT + timedelta(seconds=1)}
                for name, holder in (("b", "us"), ("a", "us"), ("never", "us"), ("c", "them"))
            ],
        )
    return store


async def test_rows_are_those_of_sqlalchemy(filled: Store) -> None:
    rows = await filled.select(BY_HOLDER, {"holder": "us"})
    same = filled.read_now(
        lambda connection: connection.execute(BY_HOLDER.statement, {"holder": "us"}).all()
    )
    assert [tuple(row) for row in rows] == [tuple(row) for row in same]
    assert [row.name for row in rows] == ["a", "b"]
    assert rows[0].until == START_AT + timedelta(seconds=1)
    assert rows[0].until.tzinfo is UTC


async def test_each_call_sees_what_was_committed_before(filled: Store) -> None:
    assert len(await filled.select(BY_HOLDER, {"holder": "them"})) == 1
    with filled.database.write() as connection:
        connection.execute(LEASE.delete())
    assert await filled.select(BY_HOLDER, {"holder": "them"}) == []


async def test_a_hostile_parameter_is_only_a_value(filled: Store) -> None:
    assert await filled.select(BY_HOLDER, {"holder": "us' OR '1'='1"}) == []


def test_nothing_can_be_written_that_way_on_sqlite(database: Database) -> None:
    if database.dialect != "sqlite":
        pytest.skip("PostgreSQL's connections may write")
    with pytest.raises(StoreUnavailable, match="readonly"):
        database.read_directly("DELETE FROM lease", ())


async def test_a_lost_connection_is_made_again(filled: Store) -> None:
    if filled.database.dialect == "sqlite":
        pytest.skip("SQLite's connections cannot be taken away")
    await filled.select(BY_HOLDER, {"holder": "us"})
    with filled.database.write() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
    assert ended
    await asyncio.sleep(0.1)
    assert len(await filled.select(BY_HOLDER, {"holder": "us"})) == 2


def test_a_database_that_is_away_is_said_to_be() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with pytest.raises(StoreUnavailable):
        BY_HOLDER(away, {"holder": "us"})
    away.close()


def test_threads_keep_connections_of_their_own(filled: Store) -> None:
    found: list[int] = []

    def look() -> None:
        found.append(len(BY_HOLDER(filled.database, {"holder": "us"})))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2, 2, 2, 2]


def test_a_site_s_own_session_settings_win(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has no sessions")
    site = Database(f"{database_url}?options=-c%20statement_timeout%3D4321%20-c%20jit%3Don")
    with site.read() as connection:
        shown = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "jit", "plan_cache_mode")
        ]
    site.close()
    assert shown == ["4321ms", "on", "force_generic_plan"]
