"""Lines of keys: which keys of a mailbox follow which, each vouched for by the one before."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.store import tables

_key = tables.core(tables.MailboxKey)


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """A key in force with those that it follows."""

    #: its id
    key: KeyId
    #: Ed25519 public key, 32 bytes
    acknowledgement_key: bytes
    #: the keys before it, newest first; a key that came after a loss follows none
    older: tuple[KeyId, ...]


def key_lines(connection: Connection, mailbox: MailboxId) -> tuple[KeyLine, ...]:
    """The keys in force, newest first: one, unless something went wrong."""
    rows = connection.execute(
        select(_key.c.id, _key.c.acknowledgement_key, _key.c.succeeds, _key.c.retired_at).where(
            _key.c.mailbox_id == mailbox
        )
    ).all()
    before = {row.id: row.succeeds for row in rows}
    lines = []
    for row in sorted(rows, key=lambda each: str(each.id), reverse=True):
        if row.retired_at is not None:
            continue
        older: list[KeyId] = []
        step = row.succeeds
        while step is not None and step not in older:
            older.append(KeyId(step))
            step = before.get(step)
        lines.append(
            KeyLine(
                key=KeyId(row.id),
                acknowledgement_key=bytes(row.acknowledgement_key),
                older=tuple(older),
            )
        )
    return tuple(lines)
