"""Bringing the tables to the version of this program, with Alembic (DESIGN section 10)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from siegelpost.store.database import Database
from siegelpost.store.errors import SchemaOutdated

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, *, to: str = "head") -> None:
    """Create or upgrade all tables in one transaction, up to version ``to``; safe to repeat."""
    with database.write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def check_schema(database: Database) -> None:
    """Raise SchemaOutdated unless the tables are exactly those of this program's version."""
    wanted = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise SchemaOutdated(
            f"the tables are at version {found or 'none'}, this program needs {wanted}:"
            " run `siegelpost migrate`"
        )


def alembic_config() -> Config:
    """Return Alembic's configuration, independent of any ini file and working directory."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
