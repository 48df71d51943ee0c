"""Databases, stores and contexts for tests: one suite over SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siegelpost.evidence.trust import Purpose
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.fsck import check_store
from siegelpost.store.log import log_origin
from siegelpost.store.migrate import migrate
from siegelpost.store.storages import PackageStorage
from siegelpost.store.store import Store
from tests.support.postgres import Server, running_server
from tests.support.postgres_reuse import Reused

#: When virtual time starts in tests: a Monday morning.
START_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
#: Name of the service in tests.
ORIGIN = "post.example.org"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL server for the whole run."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied: migrating once is enough."""
    file = tmp_path_factory.mktemp("migrated") / "siegelpost.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def reused_postgres(postgres: Server) -> Iterator[Reused]:
    """Databases with all tables that go from test to test."""
    _migrate(postgres.create("migrated"))
    reused = Reused(postgres, "migrated")
    yield reused
    reused.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of either kind with all tables and no rows."""
    if request.param == "sqlite":
        file = tmp_path / "siegelpost.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
        yield f"sqlite:///{file}"
        return
    reused: Reused = request.getfixturevalue("reused_postgres")
    url = reused.take()
    yield url
    reused.give_back(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with all tables."""
    database = Database(database_url)
    yield database
    database.close()


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """A store over it."""
    store = Store(database)
    yield store
    store.close()


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that only moves when told to."""
    return VirtualClock(START_AT)


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    """A fresh keyring of the service called ORIGIN."""
    return FileKeyring.create(
        tmp_path / "keyring.json", os.urandom(32), origin=ORIGIN, now=START_AT
    )


@pytest.fixture
def objects() -> PackageStorage | None:
    """Where large packages go: nowhere; tests/integration/objects overrides it."""
    return None


@pytest.fixture
def context(
    request: pytest.FixtureRequest,
    store: Store,
    clock: VirtualClock,
    keyring: FileKeyring,
    objects: PackageStorage | None,
) -> Iterator[Context]:
    """The injected world of a service at a virtual time; fsck finds its store sound at the end.

    Tests that damage it on purpose, or put in what no service writes, name the checks that may
    complain: ``unsound_store("notice")``; without a name, all.
    """
    yield Context(
        store=store,
        clock=clock,
        keyring=keyring,
        entropy=os.urandom,
        origin=ORIGIN,
        objects=objects,
    )
    database = store.database
    if database.dialect == "postgresql":
        reused: Reused = request.getfixturevalue("reused_postgres")
        database = reused.reader(database.url.render_as_string(hide_password=False))
    excused = request.node.get_closest_marker("unsound_store")
    if excused is not None and not excused.args:
        return
    keys = [key.verifier for key in keyring.public_keys() if key.purpose is Purpose.LOG]
    found = [
        str(finding)
        for finding in check_store(
            database, origin=log_origin(ORIGIN), verifiers=keys, objects=objects
        )
        if excused is None or finding.check not in excused.args
    ]
    if found:
        pytest.fail("fsck: " + "; ".join(found), pytrace=False)
