"""Secrets of authenticator apps: sealed at rest, each code taken once (RFC 6238, 5.2).

Store functions: they run in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, select, update

from siegelpost.citizens.codes import keyed_digest
from siegelpost.citizens.totp import SECRET_SIZE, matching_step
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Totp, core

_NONCE_SIZE = 12
_totp = core(Totp)


def in_force(connection: Connection, mailbox: MailboxId) -> AnyRow | None:
    """The row of the app that is asked for at logins, if there is one."""
    return connection.execute(
        select(_totp).where(_totp.c.mailbox_id == mailbox, _totp.c.confirmed_at.is_not(None))
    ).one_or_none()


def propose(connection: Connection, context: Context, mailbox: MailboxId) -> bytes:
    """Make and store a secret that is not in force yet; an earlier such one is forgotten."""
    secret = context.entropy(SECRET_SIZE)
    nonce = context.entropy(_NONCE_SIZE)
    newest = context.keyring.secret(KeyPurpose.PEPPER)
    sealed = nonce + AESGCM(_key(newest)).encrypt(nonce, secret, mailbox.encode("ascii"))
    connection.execute(
        delete(_totp).where(_totp.c.mailbox_id == mailbox, _totp.c.confirmed_at.is_(None))
    )
    connection.execute(
        _totp.insert().values(mailbox_id=mailbox, sealed=sealed, created_at=context.now())
    )
    return secret


def confirm(connection: Connection, mailbox: MailboxId, *, now: datetime) -> None:
    """Put the proposed one in force."""
    connection.execute(update(_totp).where(_totp.c.mailbox_id == mailbox).values(confirmed_at=now))


def use(connection: Connection, context: Context, mailbox: MailboxId, code: str) -> bool:
    """Whether ``code`` is the app's and was not used before; it is now."""
    row = connection.execute(
        select(_totp).where(_totp.c.mailbox_id == mailbox).with_for_update()
    ).one_or_none()
    secret = None if row is None else _unsealed(context, mailbox, bytes(row.sealed))
    if row is None or secret is None:
        return False
    step = matching_step(secret, code, now=context.now(), last_step=row.last_step)
    if step is None:
        return False
    connection.execute(update(_totp).where(_totp.c.mailbox_id == mailbox).values(last_step=step))
    return True


def forget(connection: Connection, mailbox: MailboxId) -> int:
    """Delete it; return whether there was one, as 0 or 1."""
    return connection.execute(delete(_totp).where(_totp.c.mailbox_id == mailbox)).rowcount


def _unsealed(context: Context, mailbox: MailboxId, sealed: bytes) -> bytes | None:
    nonce, rest = sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:]
    for secret in context.keyring.secrets(KeyPurpose.PEPPER):
        try:
            return AESGCM(_key(secret)).decrypt(nonce, rest, mailbox.encode("ascii"))
        except InvalidTag:
            continue
    # Sealed under a secret that was compromised and thrown away: the app is of no use any more.
    return None


def _key(secret: bytes) -> bytes:
    return keyed_digest(secret, "totp-seal")
