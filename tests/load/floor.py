"""The floor under everything: raw durable commits of one blob, without any service around."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import psycopg


def sqlite_floor(folder: Path, *, size: int, seconds: float) -> float:
    """Commits a second of one ``size`` byte row each: WAL, synchronous FULL, 16 kB pages."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    for pragma in ("page_size = 16384", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE blob (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    data = os.urandom(size)

    def one() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO blob (data) VALUES (?)", (data,))
        connection.execute("COMMIT")

    rate = _rate(one, seconds)
    connection.close()
    return rate


def postgresql_floor(conninfo: str, *, size: int, seconds: float) -> float:
    """Commits a second of one ``size`` byte row each, over one psycopg connection."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE floor (id bigint GENERATED ALWAYS AS IDENTITY, data bytea NOT NULL)"
        )
        data = os.urandom(size)

        def one() -> None:
            connection.execute("INSERT INTO floor (data) VALUES (%b)", (data,), prepare=True)

        rate = _rate(one, seconds)
        connection.execute("DROP TABLE floor")
        return rate


def _rate(one: object, seconds: float) -> float:
    assert callable(one)
    for _ in range(50):
        one()
    count, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        one()
        count += 1
    return count / passed
