"""Alerts out and reports in, a second: each round on fresh databases, medians in the end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.load.alerts import measure_alerts
from tests.load.bounces import measure_bounces
from tests.support.postgres import Server

#: What is asked for on two processors, mail sink and report sender included.
WANTED = {"alerts": 500, "reports": 200}
_MEASURED: dict[str, Callable[..., dict[str, Any]]] = {
    "alerts": measure_alerts,
    "reports": measure_bounces,
}


def mail_round(
    folder: Path, server: Server | None, *, number: int, count: int
) -> dict[str, dict[str, Any]]:
    """Measure both once over SQLite and, if there is a server, PostgreSQL."""
    found = {}
    databases = ("sqlite",) if server is None else ("sqlite", "postgresql")
    for database in databases[number % len(databases) :] + databases[: number % len(databases)]:
        for name, measure in _MEASURED.items():
            with _database(folder, server, database, f"mail_{name}_{number}") as (at, url):
                result = measure(at, url, count=count)
            if result["recorded"] != count:
                raise RuntimeError(f"{result['recorded']} of {count} {name} on record")
            found[f"{name}-{database}"] = result
    return found


def mail_summary(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Medians of all rounds."""
    return {
        name: {
            figure: round(median(one[name][figure] for one in rounds), 2)
            for figure in ("rate", "cpu_ms")
        }
        for name in rounds[0]
    }


def print_mail(summary: dict[str, dict[str, float]]) -> None:
    """Print the summary for people."""
    print(f"\n\n{'':22} {'a second':>9} {'wanted':>9} {'cpu ms':>8}   mail, whole and recorded")
    for name, row in summary.items():
        wanted = WANTED[name.partition("-")[0]]
        print(f"{name:22} {row['rate']:9.0f} {wanted:9} {row['cpu_ms']:8.2f}")


@contextmanager
def _database(
    folder: Path, server: Server | None, database: str, name: str
) -> Iterator[tuple[Path, str]]:
    with tempfile.TemporaryDirectory(dir=folder) as at:
        if database == "sqlite":
            yield Path(at), f"sqlite:///{at}/siegelpost.db"
            return
        assert server is not None
        yield Path(at), server.create(name)
        server.drop(name)
