"""Exchange the mailbox's key: a new seed, new secrets, the old key retired (DESIGN section 6).

The browser makes everything; the old acknowledgement key signs for the new one. In one transaction
the new key is bound, the old one retired, and every copy of the old seed deleted but one, which
the new seed opens. A dispatch under way goes to the one or the other: it looks again when it
commits. So no notice is sealed to a key that nobody opens.
The way from a managed mailbox to an own key is this one, too. Re-wrapping is `notices.rewrap`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers
from siegelpost.citizens.errors import CitizenError, KeyBindingWrong, KeyOutdated
from siegelpost.citizens.keys import (
    CheckedKey,
    WrappedCopy,
    check_key,
    insert_key,
    key_bound,
    retire_key,
)
from siegelpost.citizens.login import PASSPHRASE, RECOVERY_CODE, stored_proof
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.secrets import NewSecret
from siegelpost.citizens.sessions import CitizenSession, new_cookie, renew_session
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.writing import decide
from siegelpost.evidence.errors import SignatureError
from siegelpost.evidence.ids import ID_RANDOM, KeyId, MailboxId, new_id
from siegelpost.evidence.key_succession import KeySuccession
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.wrapping import Method, WrappedSeed
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Mailbox, MailboxKey, Passkey, core
from siegelpost.store.tables import WrappedSeed as WrappedSeedRow

_key = core(MailboxKey)
_mailbox = core(Mailbox)
_passkey = core(Passkey)
_wrapped = core(WrappedSeedRow)


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """The id of a key to be, with our word for it."""

    #: names the key in everything that the browser makes
    key: KeyId
    #: 32 bytes, to be sent back with it
    ticket: bytes


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """What the browser made."""

    #: as reserved
    reserved: Reserved
    #: the key that it takes the place of
    predecessor: KeyId
    #: ``age1pq1…``
    recipient: str
    #: Ed25519 public key, 32 bytes
    acknowledgement_key: bytes
    #: 64 bytes by the new key, see ``siegelpost.evidence.key_binding``
    binding_signature: bytes
    #: 64 bytes by the old key, see ``siegelpost.evidence.key_succession``
    succession_signature: bytes
    #: the old seed under the new one
    old_seed: WrappedCopy
    #: login half and copy by the passphrase
    passphrase: NewSecret
    #: login half and copy by the new recovery code
    recovery_code: NewSecret
    #: copies by passkeys that were at hand
    passkeys: Sequence[WrappedCopy]


def reserve_key(context: Context, mailbox: MailboxId) -> Reserved:
    """An id for a new key of ``mailbox``; nothing is stored."""
    key = KeyId(new_id(context.now(), context.entropy(ID_RANDOM)))
    return Reserved(key=key, ticket=peppers.digest(context, "key-reserved", mailbox, key))


async def rotate_key(context: Context, session: CitizenSession, given: NewKey) -> str:
    """Put a new key in the place of the old one; return the session's new cookie.

    Raises KeyBindingWrong, KeyOutdated (another exchange was faster), InputInvalid, ProofNeeded,
    SessionOver.
    """
    mailbox = session.mailbox
    reserved = given.reserved
    if not peppers.matches(context, reserved.ticket, "key-reserved", mailbox, reserved.key):
        raise KeyBindingWrong("no key id of ours")
    copies = [*given.passphrase.wrapped, *given.recovery_code.wrapped]
    if any(copy.key != reserved.key for copy in copies) or len(copies) != 2:
        raise KeyBindingWrong("a copy of another key")
    for secret, method in (
        (given.passphrase, Method.PASSPHRASE),
        (given.recovery_code, Method.RECOVERY_CODE),
    ):
        if [item.copy.method for item in secret.wrapped] != [method.value]:
            raise KeyBindingWrong("a copy by another method")
    if any(copy.method != Method.PASSKEY or not copy.credential for copy in given.passkeys):
        raise KeyBindingWrong("a passkey's copy without its credential")
    checked = await asyncio.to_thread(
        check_key,
        mailbox=mailbox,
        key=reserved.key,
        recipient=given.recipient,
        acknowledgement_key=given.acknowledgement_key,
        signature=given.binding_signature,
        wrapped=[*(item.copy for item in copies), *given.passkeys],
    )
    succession = KeySuccession(predecessor=given.predecessor, successor=checked.binding)
    now = context.now()
    cookie = new_cookie(context.entropy)

    def work(connection: Connection) -> str | CitizenError:
        need_proof(connection, session, now)
        current = connection.execute(
            select(_key)
            .where(_key.c.mailbox_id == mailbox, _key.c.retired_at.is_(None))
            # Dispatches that commit at once have these rows locked to read: they come before us,
            # or look again after us.
            .with_for_update()
        ).all()
        if [row.id for row in current] != [given.predecessor]:
            return KeyOutdated("the key has been exchanged meanwhile")
        try:
            succession.verify(bytes(current[0].acknowledgement_key), given.succession_signature)
        except SignatureError as error:
            return KeyBindingWrong(str(error))
        _check_passkeys(connection, mailbox, given.passkeys)
        retired = retire_key(connection, mailbox, given.predecessor, reason="replaced", now=now)
        insert_key(connection, checked, context=context, now=now, succeeds=given.predecessor)
        _keep_old_seed(connection, context, given, checked)
        connection.execute(
            update(_mailbox)
            .where(_mailbox.c.id == mailbox)
            .values(
                login_salt=given.passphrase.salt,
                login_proof=stored_proof(context, mailbox, given.passphrase.proof, PASSPHRASE),
                recovery_salt=given.recovery_code.salt,
                recovery_proof=stored_proof(
                    context, mailbox, given.recovery_code.proof, RECOVERY_CODE
                ),
            )
        )
        bound = key_bound(
            checked, agency=None, now=now, succession=(succession, given.succession_signature)
        )
        append_events(connection, [bound, retired], entropy=context.entropy)
        tell_owner(connection, context, mailbox)
        renew_session(connection, session, cookie=cookie)
        return cookie

    return await decide(context, work)


def _keep_old_seed(
    connection: Connection, context: Context, given: NewKey, checked: CheckedKey
) -> None:
    copy, mailbox = given.old_seed, checked.binding.mailbox
    if copy.method != Method.SUCCESSOR:
        raise KeyBindingWrong("the old seed is not under the new one")
    try:
        WrappedSeed(
            mailbox_id=mailbox,
            key_id=given.predecessor,
            method=Method.SUCCESSOR,
            salt=copy.salt,
            nonce=copy.nonce,
            ciphertext=copy.sealed,
        )
    except SealingError as error:
        raise KeyBindingWrong(str(error)) from None
    now = context.now()
    connection.execute(
        _wrapped.insert().values(
            id=new_id(now, context.entropy(ID_RANDOM)),
            mailbox_id=mailbox,
            key_id=given.predecessor,
            method=Method.SUCCESSOR.value,
            parameters={"salt": copy.salt.hex()},
            nonce=copy.nonce,
            sealed=copy.sealed,
            created_at=now,
        )
    )


def _check_passkeys(
    connection: Connection, mailbox: MailboxId, copies: Sequence[WrappedCopy]
) -> None:
    known = {
        bytes(credential)
        for credential in connection.scalars(
            select(_passkey.c.credential_id).where(_passkey.c.mailbox_id == mailbox)
        )
    }
    given = [copy.credential for copy in copies]
    if len(set(given)) != len(given) or not known.issuperset(given):
        raise KeyBindingWrong("a copy for a passkey that the mailbox does not have")
