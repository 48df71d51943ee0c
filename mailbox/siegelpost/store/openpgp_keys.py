"""Citizens' OpenPGP keys: proposed, confirmed, replaced, removed; rows are never deleted.

At most one key of a mailbox is in force; an index of the table holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from siegelpost.evidence.ids import MailboxId
from siegelpost.store import tables

_key = tables.core(tables.OpenPgpKey)


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """One row."""

    #: of the row
    id: str
    #: whose
    mailbox: MailboxId
    #: hex digits
    fingerprint: str
    #: ASCII armour
    public_key: str
    #: upload | wkd
    source: str
    #: when it came
    created_at: datetime
    #: as the key says
    expires_at: datetime | None
    #: when the citizen compared the fingerprint
    confirmed_at: datetime | None


def add_key(connection: Connection, key: StoredKey) -> None:
    """Store a proposed key; earlier proposals of the mailbox that nobody confirmed are over."""
    connection.execute(
        update(_key)
        .where(
            _key.c.mailbox_id == key.mailbox,
            _key.c.confirmed_at.is_(None),
            _key.c.removed_at.is_(None),
        )
        .values(removed_at=key.created_at)
    )
    connection.execute(
        _key.insert().values(
            id=key.id,
            mailbox_id=key.mailbox,
            fingerprint=key.fingerprint,
            public_key=key.public_key,
            source=key.source,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


def proposed_key(connection: Connection, mailbox: MailboxId, key: str) -> StoredKey | None:
    """Return a mailbox's proposed key that is not confirmed yet."""
    return _one(
        connection,
        _key.c.id == key,
        _key.c.mailbox_id == mailbox,
        _key.c.confirmed_at.is_(None),
        _key.c.removed_at.is_(None),
    )


def key_in_force(connection: Connection, mailbox: MailboxId) -> StoredKey | None:
    """Return the key that alerts of a mailbox are encrypted to, if there is one."""
    return _one(
        connection,
        _key.c.mailbox_id == mailbox,
        _key.c.confirmed_at.is_not(None),
        _key.c.removed_at.is_(None),
    )


def key_of_alert(connection: Connection, key: str) -> StoredKey | None:
    """Return the key that a claim named, unless it was removed since."""
    return _one(connection, _key.c.id == key, _key.c.removed_at.is_(None))


def confirm_key(connection: Connection, key: StoredKey, *, at: datetime) -> None:
    """Put `key` in force and end the one before."""
    remove_key(connection, key.mailbox, at=at)
    connection.execute(update(_key).where(_key.c.id == key.id).values(confirmed_at=at))


def remove_key(connection: Connection, mailbox: MailboxId, *, at: datetime) -> bool:
    """End the key in force; returns whether there was one."""
    ended = connection.execute(
        update(_key)
        .where(
            _key.c.mailbox_id == mailbox,
            _key.c.confirmed_at.is_not(None),
            _key.c.removed_at.is_(None),
        )
        .values(removed_at=at)
    )
    return bool(ended.rowcount)


def _one(connection: Connection, *conditions: Any) -> StoredKey | None:
    row = connection.execute(select(_key).where(*conditions)).one_or_none()
    if row is None:
        return None
    return StoredKey(
        id=row.id,
        mailbox=MailboxId(row.mailbox_id),
        fingerprint=row.fingerprint,
        public_key=row.public_key,
        source=row.source,
        created_at=row.created_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
    )
