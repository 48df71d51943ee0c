"""Compares the migrations with the tables; ``--make "what changes"`` writes the missing migration.

``python -m tests.support.migrations_in_step`` exits 1 and names each difference. `make check` runs
it on SQLite; the integration tests compare PostgreSQL, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from siegelpost.store.database import Database
from siegelpost.store.migrate import alembic_config, migrate
from siegelpost.store.tables import metadata


def differences(database: Database) -> list[Any]:
    """Return what Alembic would change in an up-to-date ``database``; empty if all is in step."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, or make a migration; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", metavar="WHAT", help="write a migration of this name")
    parser.add_argument("--id", help="its number, e.g. 0002")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="siegelpost-migrations-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'tables.db'}")
        try:
            migrate(database)
            if options.make:
                config = alembic_config()
                with database.write() as connection:
                    config.attributes["connection"] = connection
                    command.revision(config, options.make, autogenerate=True, rev_id=options.id)
                return 0
            found = differences(database)
        finally:
            database.close()
    for difference in found:
        print(f"siegelpost: tables and migrations differ: {difference}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
