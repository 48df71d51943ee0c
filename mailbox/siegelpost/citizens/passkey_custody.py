"""Add, refresh and remove passkeys, with the wrapped copies that they open (DESIGN section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from siegelpost.citizens.challenges import is_fresh, use_challenge
from siegelpost.citizens.copies import (
    KeyCopy,
    copies_by_passkey,
    copy_changed,
    delete_copies,
    insert_copies,
)
from siegelpost.citizens.errors import (
    CitizenError,
    LoginRefused,
    PasskeyRefused,
    PasskeyUnknown,
)
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.sessions import CitizenSession, drop_others
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.webauthn_checks import (
    Attestation,
    RelyingParty,
    challenge_of,
    check_attestation,
    check_credential,
)
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, MailboxId, new_id
from siegelpost.sealing.wrapping import Method
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Passkey, core

#: Most passkeys of one mailbox.
PASSKEYS_LIMIT = 8

_passkey = core(Passkey)


async def add_passkey(
    context: Context,
    session: CitizenSession,
    party: RelyingParty,
    attestation: Attestation,
    *,
    holder: str,
    wrapped: Sequence[KeyCopy],
    device: str = "",
) -> str:
    """Register a passkey and, if it has PRF, the copies that it opens; return its id.

    Raises InputInvalid, KeyBindingWrong, PasskeyRefused, ProofNeeded, SessionOver.
    """
    check_credential(attestation.credential)
    try:
        challenge = challenge_of(attestation.client_data)
    except LoginRefused as error:
        raise PasskeyRefused(str(error)) from None
    if not is_fresh(context, challenge, "register", holder):
        raise PasskeyRefused("no challenge of ours")
    public_key, sign_count = check_attestation(party, attestation, challenge)
    now = context.now()
    id_ = new_id(now, context.entropy(ID_RANDOM))

    def work(connection: Connection) -> str | CitizenError:
        need_proof(connection, session, now)
        if not use_challenge(connection, challenge, now=now):
            return PasskeyRefused("the challenge was answered before")
        taken = connection.scalar(
            select(_passkey.c.id).where(_passkey.c.credential_id == attestation.credential)
        )
        count = connection.execute(
            select(func.count())
            .select_from(_passkey)
            .where(_passkey.c.mailbox_id == session.mailbox)
        ).scalar_one()
        if taken is not None or count >= PASSKEYS_LIMIT:
            return PasskeyRefused("registered already, or too many")
        connection.execute(
            _passkey.insert().values(
                id=id_,
                mailbox_id=session.mailbox,
                credential_id=attestation.credential,
                public_key=public_key,
                sign_count=sign_count,
                device=device,
                created_at=now,
            )
        )
        if wrapped:
            insert_copies(
                connection,
                context,
                session.mailbox,
                wrapped,
                method=Method.PASSKEY,
                now=now,
                credential=attestation.credential,
            )
        added = copy_changed(session.mailbox, Method.PASSKEY, "added", now=now)
        append_events(connection, [added], entropy=context.entropy)
        tell_owner(connection, context, session.mailbox)
        return id_

    return await decide(context, work)


async def refresh_passkey(
    context: Context,
    session: CitizenSession,
    *,
    credential: bytes,
    wrapped: Sequence[KeyCopy],
) -> None:
    """Put copies of the keys in force in the place of those that a known passkey opened.

    Raises InputInvalid, KeyBindingWrong, PasskeyUnknown (also for somebody else's), ProofNeeded,
    SessionOver.
    """
    check_credential(credential)
    now = context.now()

    def work(connection: Connection) -> CitizenError | None:
        need_proof(connection, session, now)
        known = connection.scalar(
            select(_passkey.c.id).where(
                _passkey.c.credential_id == credential, _passkey.c.mailbox_id == session.mailbox
            )
        )
        if known is None:
            return PasskeyUnknown("no such passkey")
        opened = copies_by_passkey(connection, session.mailbox)
        delete_copies(connection, opened.get(credential, []))
        insert_copies(
            connection,
            context,
            session.mailbox,
            wrapped,
            method=Method.PASSKEY,
            now=now,
            credential=credential,
        )
        renewed = copy_changed(session.mailbox, Method.PASSKEY, "replaced", now=now)
        append_events(connection, [renewed], entropy=context.entropy)
        return None

    await decide(context, work)


async def remove_passkey(context: Context, session: CitizenSession, *, passkey: str) -> None:
    """Forget a passkey and the copies that it opens; every other session ends.

    Raises PasskeyUnknown (also for somebody else's), ProofNeeded, SessionOver.
    """
    now = context.now()

    def work(connection: Connection) -> CitizenError | None:
        need_proof(connection, session, now)
        own = (_passkey.c.id == passkey) & (_passkey.c.mailbox_id == session.mailbox)
        credential = connection.scalar(select(_passkey.c.credential_id).where(own))
        if credential is None:
            return PasskeyUnknown("no such passkey")
        opened = copies_by_passkey(connection, session.mailbox)
        delete_copies(connection, opened.get(bytes(credential), []))
        connection.execute(delete(_passkey).where(own))
        drop_others(connection, session)
        removed = copy_changed(session.mailbox, Method.PASSKEY, "removed", now=now)
        append_events(connection, [removed], entropy=context.entropy)
        tell_owner(connection, context, session.mailbox)
        return None

    await decide(context, work)


async def credentials_of(context: Context, mailbox: MailboxId) -> list[bytes]:
    """The mailbox's credential ids, so that a browser does not make a second on one device."""
    query = select(_passkey.c.credential_id).where(_passkey.c.mailbox_id == mailbox)
    return [bytes(row) for row in await context.store.read(lambda c: c.scalars(query).all())]
