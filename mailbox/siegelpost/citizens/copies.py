"""Wrapped copies of a mailbox's keys: checking, replacing, adding, removing (DESIGN section 6).

Store functions: they run in the caller's transaction. Nobody but the browser can tell whether a
copy opens; what is checked here is that every key has one, and its form.
Old copies are deleted, not kept: who learns an old passphrase later finds nothing to open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from siegelpost.citizens.errors import KeyBindingWrong
from siegelpost.citizens.keys import WrappedCopy
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, KeyId, MailboxId, new_id
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.wrapping import Method, WrappedSeed
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft
from siegelpost.store.tables import MailboxKey, core
from siegelpost.store.tables import WrappedSeed as WrappedSeedRow

_key = core(MailboxKey)
_wrapped = core(WrappedSeedRow)


@dataclass(frozen=True, kw_only=True)
class KeyCopy:
    """A new wrapped copy of one key."""

    #: whose seed it holds
    key: KeyId
    #: the copy
    copy: WrappedCopy


def insert_copies(
    connection: Connection,
    context: Context,
    mailbox: MailboxId,
    copies: Sequence[KeyCopy],
    *,
    method: Method,
    now: datetime,
    credential: bytes | None = None,
) -> None:
    """Store one copy by ``method`` for every key of ``mailbox`` that is in force.

    Raises KeyBindingWrong if a key has none or two, is not the mailbox's, or a copy is malformed.
    """
    wanted = set(
        connection.scalars(
            # A retired key has one copy, which its successor opens.
            select(_key.c.id).where(_key.c.mailbox_id == mailbox, _key.c.retired_at.is_(None))
        )
    )
    if sorted(item.key for item in copies) != sorted(wanted):
        raise KeyBindingWrong("not exactly one copy for each key")
    for item in copies:
        if item.copy.method != method.value:
            raise KeyBindingWrong("a copy by another method")
        try:
            WrappedSeed(
                mailbox_id=mailbox,
                key_id=item.key,
                method=method,
                salt=item.copy.salt,
                nonce=item.copy.nonce,
                ciphertext=item.copy.sealed,
            )
        except SealingError as error:
            raise KeyBindingWrong(str(error)) from None
        named = {} if credential is None else {"credential": credential.hex()}
        connection.execute(
            _wrapped.insert().values(
                id=new_id(now, context.entropy(ID_RANDOM)),
                mailbox_id=mailbox,
                key_id=item.key,
                method=method.value,
                parameters={"salt": item.copy.salt.hex(), **named},
                nonce=item.copy.nonce,
                sealed=item.copy.sealed,
                created_at=now,
            )
        )


def replace_copies(
    connection: Connection,
    context: Context,
    mailbox: MailboxId,
    copies: Sequence[KeyCopy],
    *,
    method: Method,
    now: datetime,
) -> None:
    """Put ``copies`` in the place of all by ``method``; raises like `insert_copies`."""
    old = connection.scalars(
        select(_wrapped.c.id).where(
            _wrapped.c.mailbox_id == mailbox, _wrapped.c.method == method.value
        )
    ).all()
    insert_copies(connection, context, mailbox, copies, method=method, now=now)
    connection.execute(delete(_wrapped).where(_wrapped.c.id.in_(old)))


def copies_by_passkey(connection: Connection, mailbox: MailboxId) -> dict[bytes, list[str]]:
    """Ids of the copies that each credential opens."""
    found: dict[bytes, list[str]] = {}
    for row in connection.execute(
        select(_wrapped.c.id, _wrapped.c.parameters).where(
            _wrapped.c.mailbox_id == mailbox, _wrapped.c.method == Method.PASSKEY.value
        )
    ):
        found.setdefault(bytes.fromhex(row.parameters["credential"]), []).append(row.id)
    return found


def delete_copies(connection: Connection, ids: Sequence[str]) -> None:
    """Delete copies by id."""
    connection.execute(delete(_wrapped).where(_wrapped.c.id.in_(ids)))


def copy_changed(mailbox: MailboxId, method: Method, change: str, *, now: datetime) -> EventDraft:
    """The event of a change: ``added``, ``replaced`` or ``removed``, and by which method."""
    return EventDraft(
        type=EventType.KEY_COPY_CHANGED,
        at=now,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"method": method.value, "change": change},
    )
