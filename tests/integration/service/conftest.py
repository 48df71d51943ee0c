"""Databases for services that run as processes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.postgres import Server
from tests.support.service import SQLITE


@pytest.fixture(params=["sqlite", "postgresql"])
def service_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database of either kind without rows; SQLite's is relative to the settings file."""
    if request.param == "sqlite":
        yield SQLITE
        return
    server: Server = request.getfixturevalue("postgres")
    request.getfixturevalue("reused_postgres")  # makes the template
    name = f"service_{uuid.uuid4().hex}"
    yield server.create(name, template="migrated")
    server.drop(name)
