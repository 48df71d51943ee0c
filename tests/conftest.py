"""Fixtures that every test may use; their code is in tests/support."""

import pytest

from tests.support.databases import (
    clock,
    context,
    database,
    database_url,
    keyring,
    migrated_sqlite,
    objects,
    postgres,
    reused_postgres,
    store,
)
from tests.support.remembered import remembered
from tests.support.service import running_service

__all__ = [
    "clock",
    "context",
    "database",
    "database_url",
    "keyring",
    "migrated_sqlite",
    "objects",
    "postgres",
    "remembered",
    "reused_postgres",
    "running_service",
    "store",
]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"
