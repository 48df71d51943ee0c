"""Fixtures that every test may use; their code is in tests/support."""

import gc

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


# What is imported and collected is there for good: the garbage collector passes it over.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the service does."""
    return "asyncio"
