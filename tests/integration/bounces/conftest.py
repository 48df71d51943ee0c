"""A world with keys, in which alerts go out and reports come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.store.clock import VirtualClock
from siegelpost.store.database import Database
from siegelpost.store.fsck.alert_checks import check_alerts, check_reports
from siegelpost.store.fsck.finding import silent
from siegelpost.store.store import Store
from tests.support.alerts import World


@pytest.fixture
def world(
    store: Store, clock: VirtualClock, keyring: FileKeyring, database: Database
) -> Iterator[World]:
    """Alice's mailbox at a virtual time; alerts and reports are sound at the end."""
    yield World.make(store, clock, keyring)
    with database.read() as connection:
        found = [*check_alerts(connection, silent), *check_reports(connection, silent)]
    assert [str(finding) for finding in found] == []
