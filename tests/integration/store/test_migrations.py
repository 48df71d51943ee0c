"""Migrations lead to exactly the tables of the code, and an old database keeps what it held."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.database import Database
from siegelpost.store.errors import SchemaOutdated
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.migrate import alembic_config, check_schema, migrate
from tests.support.databases import START_AT
from tests.support.migrations_in_step import differences
from tests.support.postgres import Server

FIRST = "0001"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        server: Server = request.getfixturevalue("postgres")
        name = f"old_{os.urandom(6).hex()}"
        url = server.create(name)
    database = Database(url)
    yield database
    database.close()


def test_tables_and_migrations_agree(database: Database) -> None:
    assert differences(database) == []


def test_a_difference_would_be_seen(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("ALTER TABLE agency ADD COLUMN surplus INTEGER"))
    assert differences(database)


def test_every_version_can_be_reached_one_by_one(empty: Database) -> None:
    script = ScriptDirectory.from_config(alembic_config())
    for revision in reversed(list(script.walk_revisions())):
        migrate(empty, to=revision.revision)
    check_schema(empty)


def test_an_old_database_is_refused_until_it_is_migrated(empty: Database) -> None:
    migrate(empty, to=FIRST)
    with pytest.raises(SchemaOutdated, match="siegelpost migrate"):
        check_schema(empty)
    migrate(empty)
    check_schema(empty)


def test_an_old_database_keeps_its_rows_and_goes_on(empty: Database) -> None:
    migrate(empty, to=FIRST)
    with empty.write() as connection:
        for table, row in _old_rows(empty.dialect).items():
            columns = ", ".join(row)
            values = ", ".join(f":{column}" for column in row)
            insert = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 - our own names
            connection.execute(text(insert), row)
    migrate(empty)
    assert differences(empty) == []
    with empty.write() as connection:
        draft = EventDraft(
            type=EventType.CONSENT_GIVEN,
            at=START_AT,
            mailbox=MailboxId("mailbox-1"),
            actor="mailbox:mailbox-1",
        )
        append_events(connection, [draft], entropy=os.urandom)
    with empty.read() as connection:
        chain = events_of(connection, "mailbox:mailbox-1")
        assert [row.number for row in chain] == [0, 1]
        kept = connection.execute(text("SELECT name, evidence_recipient FROM agency")).one()
        assert tuple(kept) == ("Jobcenter Musterland", None)
        session = connection.execute(text("SELECT method, device FROM session")).one()
        assert tuple(session) == ("passphrase", "")


def _old_rows(dialect: str) -> dict[str, dict[str, Any]]:
    # As version 0001 wrote them; SQLite keeps times as text without a zone.
    def at(hours: int) -> Any:
        moment = START_AT + timedelta(hours=hours)
        naive = moment.replace(tzinfo=None).isoformat(" ", timespec="microseconds")
        return naive if dialect == "sqlite" else moment

    return {
        "agency": {
            "id": "agency-1", "name": "Jobcenter Musterland", "place": "DE-NW",
            "phone": "02999 555-0", "sender": "jobcenter@musterland.example", "created_at": at(0),
        },
        "mailbox": {
            "id": "mailbox-1", "state": "active", "login_name": "alice@beispiel.example",
            "login_salt": b"s" * 16, "login_proof": b"p" * 32, "language": "de",
            "salutation_allowed": False, "created_at": at(0),
        },
        "session": {
            "digest": b"d" * 32, "mailbox_id": "mailbox-1", "created_at": at(0), "seen_at": at(0),
            "expires_at": at(12),
        },
        "event": {
            "id": "event-1", "type": "key-bound", "at": at(0), "subject": "mailbox:mailbox-1",
            "number": 0, "mailbox_id": "mailbox-1", "body": "{}", "salt": b"s" * 32,
            "commitment": b"c" * 32,
        },
    }  # fmt: skip
