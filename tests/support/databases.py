"""Databases, stores and contexts for tests: one suite over SQLite and PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.database import Database
from siegelpost.store.migrate import migrate
from siegelpost.store.store import Store
from tests.support.postgres import Server, running_server

if TYPE_CHECKING:
    from siegelpost.keyring.protocol import Keyring

#: When virtual time starts in tests: a Monday morning.
START_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
#: Name of the service in tests.
ORIGIN = "post.example.org"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL server for the whole run."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'siegelpost.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"t_{uuid.uuid4().hex}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables."""
    database = Database(database_url)
    migrate(database)
    yield database
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
def context(store: Store, clock: VirtualClock, keyring: Keyring) -> Context:
    """The injected world of a service at a virtual time."""
    return Context(store=store, clock=clock, keyring=keyring, entropy=os.urandom, origin=ORIGIN)
