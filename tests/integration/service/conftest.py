"""Databases for services that run as processes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.postgres import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def service_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty database of either kind; SQLite's is relative to the settings file."""
    if request.param == "sqlite":
        yield "sqlite:///siegelpost.db"
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"service_{uuid.uuid4().hex}"
    yield server.create(name)
    server.drop(name)
