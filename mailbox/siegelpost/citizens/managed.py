"""Managed mailboxes: the service keeps the key of somebody who can't (DESIGN section 6).

The seed is wrapped under a secret of the keyring, which may rest in a token. It is handed out after
a login (not one elsewhere), or a proof of it, in the last minutes, and only once the event that
says so is committed. What that means, the pages and the key-bound event say: the operator, too,
could open these notices.
Not here: the way to an own key, which is an exchange (`rotate`); there is none back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from siegelpost.citizens.errors import (
    CitizenError,
    KeyBindingWrong,
    NotManaged,
    ProofNeeded,
    SessionOver,
)
from siegelpost.citizens.keys import MANAGED, CheckedKey, check_key
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.proofs import PROOF_LIFETIME
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.protocol import Custody
from siegelpost.sealing.errors import SealingError, WrappingError
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.sealing.wrapping import (
    NONCE_SIZE,
    SALT_SIZE,
    Method,
    WrappedSeed,
    unwrap_seed,
    wrap_seed,
)
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import MailboxKey, Session, core
from siegelpost.store.tables import WrappedSeed as WrappedSeedRow

_key = core(MailboxKey)
_session = core(Session)
_wrapped = core(WrappedSeedRow)


@dataclass(frozen=True, kw_only=True)
class OpenedKey:
    """A managed key, opened; its repr does not show the seed."""

    #: its id
    key: KeyId
    #: whether another one took its place
    retired: bool
    #: the secret 32 bytes
    seed: bytes

    def __repr__(self) -> str:
        return f"OpenedKey(key={self.key!r})"


async def check_managed_key(
    context: Context,
    *,
    mailbox: MailboxId,
    key: KeyId,
    recipient: str,
    acknowledgement_key: bytes,
    signature: bytes,
    seed: bytes,
) -> CheckedKey:
    """Like `check_key`, with the one copy that the service makes of ``seed``.

    Raises KeyBindingWrong, InputInvalid, KeyringError (its token is away, its file cannot be read
    and may name another key, or a keyring from before there were any).
    """
    salt, nonce = context.entropy(SALT_SIZE), context.entropy(NONCE_SIZE)

    def check() -> CheckedKey:
        checked = check_key(
            mailbox=mailbox,
            key=key,
            recipient=recipient,
            acknowledgement_key=acknowledgement_key,
            signature=signature,
            wrapped=(),
            methods_needed=0,
        )
        try:
            same = Identity(seed).recipient.raw == checked.recipient
            custody = context.keyring.custody()
            copy = managed_copy(custody, seed, mailbox=mailbox, key=key, salt=salt, nonce=nonce)
        except SealingError as error:
            raise KeyBindingWrong(str(error)) from None
        if not same or _public(seed) != acknowledgement_key:
            raise KeyBindingWrong("the seed is another key's")
        return replace(checked, wrapped=(copy,), custody=MANAGED)

    return await asyncio.to_thread(check)


async def open_managed(context: Context, session: CitizenSession) -> tuple[OpenedKey, ...]:
    """The seeds that the service keeps for the session's mailbox, the key in force first.

    Each call is an event, committed before anything is opened. Raises NotManaged, SessionOver,
    ProofNeeded (neither logged in here nor proved in the last minutes; a login elsewhere unlocks
    nothing), KeyringError.
    """
    now = context.now()

    def work(connection: Connection) -> list[AnyRow] | CitizenError:
        rows = connection.execute(
            select(_wrapped, _key.c.retired_at)
            .join(_key, _key.c.id == _wrapped.c.key_id)
            .where(
                _wrapped.c.mailbox_id == session.mailbox,
                _wrapped.c.method == Method.MANAGED.value,
            )
            .order_by(_key.c.retired_at.is_not(None), _key.c.id.desc())
        ).all()
        if not rows:
            return NotManaged("the service keeps no key of this mailbox")
        live = connection.execute(
            select(_session.c.proved_at).where(_session.c.digest == session.digest)
        ).one_or_none()
        if live is None:
            return SessionOver("the session was ended meanwhile")
        elsewhere = session.method is LoginMethod.OIDC
        moments = (None if elsewhere else session.created_at, live.proved_at)
        if not any(at is not None and at > now - PROOF_LIFETIME for at in moments):
            return ProofNeeded("no login in the last minutes")
        opened = EventDraft(
            type=EventType.KEY_OPENED,
            at=now,
            mailbox=session.mailbox,
            actor=f"mailbox:{session.mailbox}",
            facts={"keys": [row.key_id for row in rows], "login": session.method.value},
        )
        append_events(connection, [opened], entropy=context.entropy)
        return list(rows)

    rows = await decide(context, work)
    custodies = context.keyring.custodies()

    def unwrap() -> tuple[OpenedKey, ...]:
        return tuple(
            OpenedKey(
                key=KeyId(row.key_id),
                retired=row.retired_at is not None,
                seed=unwrap_managed(custodies, row),
            )
            for row in rows
        )

    return await asyncio.to_thread(unwrap)


def managed_copy(
    custody: Custody, seed: bytes, *, mailbox: MailboxId, key: KeyId, salt: bytes, nonce: bytes
) -> WrappedSeed:
    """The copy of ``seed`` that ``custody`` opens."""
    return wrap_seed(
        seed,
        wrapping_key=custody.wrapping_key(mailbox, key, salt),
        mailbox_id=mailbox,
        key_id=key,
        method=Method.MANAGED,
        salt=salt,
        nonce=nonce,
    )


def unwrap_managed(custodies: Sequence[Custody], row: AnyRow) -> bytes:
    """The seed in a row of managed copies; WrappingError if none of ``custodies`` opens it.

    KeyringError if that is not known, since one of them could not be asked.
    """
    wrapped = WrappedSeed(
        mailbox_id=MailboxId(row.mailbox_id),
        key_id=KeyId(row.key_id),
        method=Method.MANAGED,
        salt=bytes.fromhex(row.parameters["salt"]),
        nonce=bytes(row.nonce),
        ciphertext=bytes(row.sealed),
    )
    silent: KeyringError | None = None
    for custody in custodies:
        try:
            wrapping_key = custody.wrapping_key(wrapped.mailbox_id, wrapped.key_id, wrapped.salt)
        except KeyringError as error:  # one that was lost with its token closes no other's copies
            silent = silent or error
            continue
        with suppress(WrappingError):
            return unwrap_seed(wrapped, wrapping_key)
    raise silent or WrappingError("no secret of the keyring opens this copy")


def _public(seed: bytes) -> bytes:
    return acknowledgement_key(seed).public_key().public_bytes_raw()
