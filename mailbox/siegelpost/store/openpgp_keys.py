"""Citizens' OpenPGP keys: proposed, confirmed, replaced, removed; rows are never deleted.

At most one key of a mailbox is in force; an index of the table holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from siegelpost.evidence.ids import MailboxId
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

_key = tables.core(tables.OpenPgpKey)
#: From the confirmation to the first look for a newer copy.
_FIRST_LOOK = timedelta(days=7)


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


def waiting_key(connection: Connection, mailbox: MailboxId) -> StoredKey | None:
    """Return the proposed key that waits for its comparison, if one does."""
    return _one(
        connection,
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
    refresh_at = at + _FIRST_LOOK if key.source == "wkd" else None
    connection.execute(
        update(_key).where(_key.c.id == key.id).values(confirmed_at=at, refresh_at=refresh_at)
    )


def keys_to_refresh(connection: Connection, *, now: datetime, limit: int) -> list[StoredKey]:
    """Keys in force whose directory is to be looked at again, the longest due first."""
    rows = connection.execute(
        select(_key)
        .where(
            _key.c.refresh_at.is_not(None),
            _key.c.refresh_at <= now,
            _key.c.confirmed_at.is_not(None),
            _key.c.removed_at.is_(None),
        )
        .order_by(_key.c.refresh_at)
        .limit(limit)
    )
    return [_stored(row) for row in rows]


def look_later(connection: Connection, key: str, *, at: datetime) -> None:
    """Look at the key's directory again at `at`."""
    connection.execute(update(_key).where(_key.c.id == key).values(refresh_at=at))


def renew_key(
    connection: Connection, key: str, *, public_key: str, expires_at: datetime | None
) -> None:
    """Put a newer copy of the same key in its place, if it is still in force."""
    connection.execute(
        update(_key)
        .where(_key.c.id == key, _key.c.removed_at.is_(None))
        .values(public_key=public_key, expires_at=expires_at)
    )


def end_key(connection: Connection, key: str, *, at: datetime) -> None:
    """End this very key, and no other that took its place meanwhile."""
    connection.execute(
        update(_key)
        .where(_key.c.id == key, _key.c.removed_at.is_(None))
        .values(removed_at=at, refresh_at=None)
    )


def propose_once(connection: Connection, key: StoredKey) -> bool:
    """Propose a key unless it was proposed before and not confirmed; return whether it was not.

    Whoever refused a key is not asked about it again by a directory that still has it.
    """
    before = connection.scalar(
        select(_key.c.id)
        .where(
            _key.c.mailbox_id == key.mailbox,
            _key.c.fingerprint == key.fingerprint,
            _key.c.confirmed_at.is_(None),
        )
        .limit(1)
    )
    if before is not None:
        return False
    add_key(connection, key)
    return True


def refuse_key(connection: Connection, mailbox: MailboxId, key: str, *, at: datetime) -> bool:
    """End a proposal of a mailbox; returns whether there was one."""
    ended = connection.execute(
        update(_key)
        .where(
            _key.c.id == key,
            _key.c.mailbox_id == mailbox,
            _key.c.confirmed_at.is_(None),
            _key.c.removed_at.is_(None),
        )
        .values(removed_at=at)
    )
    return bool(ended.rowcount)


def remove_key(connection: Connection, mailbox: MailboxId, *, at: datetime) -> bool:
    """End the key in force; returns whether there was one."""
    ended = connection.execute(
        update(_key)
        .where(
            _key.c.mailbox_id == mailbox,
            _key.c.confirmed_at.is_not(None),
            _key.c.removed_at.is_(None),
        )
        .values(removed_at=at, refresh_at=None)
    )
    return bool(ended.rowcount)


def _one(connection: Connection, *conditions: Any) -> StoredKey | None:
    row = connection.execute(select(_key).where(*conditions)).one_or_none()
    return None if row is None else _stored(row)


def _stored(row: AnyRow) -> StoredKey:
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
