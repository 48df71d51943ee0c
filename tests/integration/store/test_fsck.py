"""fsck finds each single fault in an otherwise sound store, and none in a sound one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, event, text

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.evidence.notes import Ed25519Signer
from siegelpost.store.database import Database
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.fsck import check_store
from siegelpost.store.sequencer import Sequencer
from tests.support.databases import START_AT

ORIGIN = "post.example.org/log"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.generate())


def findings(database: Database) -> list[str]:
    return [str(f) for f in check_store(database, origin=ORIGIN, verifiers=[SIGNER.verifier])]


@pytest.fixture
def logged(database: Database) -> Database:
    """A log of 300 events of 30 mailboxes, under three checkpoints."""
    sequencer = Sequencer(ORIGIN, SIGNER)
    for batch in range(3):
        with database.write() as connection:
            drafts = [
                EventDraft(
                    type=EventType.CONSENT_GIVEN,
                    at=START_AT + timedelta(seconds=batch * 100 + n),
                    mailbox=MailboxId(f"mailbox-{n % 30}"),
                    actor="service",
                )
                for n in range(100)
            ]
            append_events(connection, drafts, entropy=os.urandom)
        with database.write() as connection:
            assert sequencer(connection, START_AT) == 100
    return database


def test_a_sound_store_has_no_findings(logged: Database) -> None:
    assert findings(logged) == []


def test_an_empty_store_has_no_findings(database: Database) -> None:
    assert findings(database) == []


def test_no_statement_goes_through_one_table_for_each_row_of_another(database: Database) -> None:
    """PostgreSQL does so for `NOT IN`, once its memory holds no hash of the other table."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite looks up in an index, however many there are")
    seen: list[str] = []

    def plan(connection: Connection, _: Any, statement: str, words: Any, *__: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "(SELECT")):
            with connection.connection.driver_connection.cursor() as beside:  # type: ignore[union-attr]
                beside.execute(f"EXPLAIN {statement}", words)
                seen.append("\n".join(row[0] for row in beside))

    event.listen(database.reading, "before_cursor_execute", plan)
    assert findings(database) == []
    event.remove(database.reading, "before_cursor_execute", plan)
    assert sum("Except" in each for each in seen) == 4
    assert [each for each in seen if "SubPlan" in each] == []


def _sql(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement))


FAULTS = {
    "body rewritten": (
        "UPDATE event SET body = replace(body, 'service', 'operator') WHERE leaf_index = 77",
        "does not lead to the logged commitment",
    ),
    "event removed": ("DELETE FROM event WHERE leaf_index = 120", "missing or doubled"),
    "last event removed": ("DELETE FROM event WHERE leaf_index = 299", "only 299 leaves"),
    "events swapped": (
        "UPDATE event SET commitment = (SELECT e.commitment FROM event e WHERE e.leaf_index = 10)"
        " WHERE leaf_index = 11",
        "commitment",
    ),
    "full tile changed": (
        "UPDATE log_tile SET hashes = (SELECT t.hashes FROM log_tile t"
        ' WHERE t.level = 0 AND t."index" = 1) WHERE level = 0 AND "index" = 0',
        "tile/0/000: the stored tile differs",
    ),
    "partial tile gone": (
        'DELETE FROM log_tile WHERE level = 0 AND "index" = 1',
        "tile/0/001.p/44: the stored tile differs",
    ),
    "tile beyond": (
        "INSERT INTO log_tile (level, \"index\", hashes) SELECT 0, 7, hashes FROM log_tile"
        ' WHERE level = 0 AND "index" = 0',
        "beyond the head",
    ),
    "checkpoint rewritten": (
        "UPDATE checkpoint SET note = replace(note, '200', '201') WHERE size = 200",
        "its note does not hold",
    ),
    "checkpoint of other events": (
        "UPDATE checkpoint SET root = (SELECT c.root FROM checkpoint c WHERE c.size = 100)"
        " WHERE size = 200",
        "its root is not the root",
    ),
    "head removed": ("DELETE FROM checkpoint WHERE size = 300", "beyond the head"),
    "chain renumbered": (
        "UPDATE event SET number = 99 WHERE subject = 'mailbox:mailbox-3' AND number = 5",
        "is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(logged: Database, fault: str) -> None:
    statement, expected = FAULTS[fault]
    with logged.write() as connection:
        connection.execute(text(statement))
    found = findings(logged)
    assert any(expected in finding for finding in found), found
