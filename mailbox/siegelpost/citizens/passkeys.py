"""Passkeys: log in with one, prove with one, add and remove them (DESIGN section 6).

A passkey's signature logs in; its PRF output, which never leaves the browser, unwraps. One without
PRF logs in only, and the passphrase unlocks.
Unknown passkeys, removed ones and wrong answers are refused alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, delete, func, select, update

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.challenges import is_fresh, use_challenge
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.copies import (
    KeyCopy,
    copies_by_passkey,
    copy_changed,
    delete_copies,
    insert_copies,
)
from siegelpost.citizens.errors import (
    CitizenError,
    InputInvalid,
    LoginRefused,
    PasskeyRefused,
    PasskeyUnknown,
    TooManyTries,
)
from siegelpost.citizens.login import LoggedIn, note_login
from siegelpost.citizens.proofs import need_proof, note_proof
from siegelpost.citizens.sessions import (
    CitizenSession,
    drop_others,
    drop_session,
    new_cookie,
    open_session,
)
from siegelpost.citizens.webauthn_checks import (
    CREDENTIAL_LIMIT,
    Assertion,
    Attestation,
    RelyingParty,
    challenge_of,
    check_assertion,
    check_attestation,
)
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, MailboxId, new_id
from siegelpost.sealing.wrapping import Method
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Mailbox, Passkey, core

T = TypeVar("T")

#: Most passkeys of one mailbox.
PASSKEYS_LIMIT = 8

_passkey = core(Passkey)
_mailbox = core(Mailbox)


async def log_in_by_passkey(
    context: Context,
    party: RelyingParty,
    assertion: Assertion,
    *,
    holder: str,
    device: str = "",
    old_cookie: str | None = None,
) -> LoggedIn:
    """Check the answer and open a session; ``holder`` is the cookie that asked for the challenge.

    Raises LoginRefused, TooManyTries.
    """
    cookie = new_cookie(context.entropy)
    now = context.now()

    def settle(connection: Connection, mailbox: MailboxId) -> LoggedIn:
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(
            connection,
            mailbox,
            cookie=cookie,
            now=now,
            method=Method.PASSKEY,
            device=device,
            proved=False,
        )
        note_login(connection, context, mailbox, Method.PASSKEY)
        return LoggedIn(cookie=cookie, mailbox=mailbox)

    return await _asserted(context, party, assertion, "login", holder, settle)


async def prove_by_passkey(
    context: Context,
    session: CitizenSession,
    party: RelyingParty,
    assertion: Assertion,
    *,
    holder: str,
) -> None:
    """Note a proof of the login by an own passkey; raises LoginRefused, TooManyTries."""

    def settle(connection: Connection, mailbox: MailboxId) -> LoginRefused | bool:
        if mailbox != session.mailbox:
            return LoginRefused("somebody else's passkey")
        note_proof(connection, session, context.now())
        return True

    await _asserted(context, party, assertion, "prove", holder, settle)


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
    _check_credential(attestation.credential)
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
        return id_

    return await decide(context, work)


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
        return None

    await decide(context, work)


async def credentials_of(context: Context, mailbox: MailboxId) -> list[bytes]:
    """The mailbox's credential ids, so that a browser does not make a second on one device."""
    query = select(_passkey.c.credential_id).where(_passkey.c.mailbox_id == mailbox)
    return [bytes(row) for row in await context.store.read(lambda c: c.scalars(query).all())]


async def _asserted(
    context: Context,
    party: RelyingParty,
    assertion: Assertion,
    purpose: str,
    holder: str,
    settle: Callable[[Connection, MailboxId], T | CitizenError],
) -> T:
    _check_credential(assertion.credential)
    challenge = challenge_of(assertion.client_data)
    if not is_fresh(context, challenge, purpose, holder):
        raise LoginRefused("no challenge of ours")
    now = context.now()
    key = peppers.digest(context, "throttle", throttle.PASSKEY.kind, assertion.credential)

    def work(connection: Connection) -> T | CitizenError:
        failures = throttle.begin_try(connection, key, throttle.PASSKEY, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        row = _by_credential(connection, assertion.credential)
        if row is None or not use_challenge(connection, challenge, now=now):
            return LoginRefused("an unknown passkey, or a challenge answered before")
        try:
            sign_count = check_assertion(
                party,
                assertion,
                challenge,
                public_key=bytes(row.public_key),
                sign_count=row.sign_count,
            )
        except LoginRefused as refusal:
            return refusal
        throttle.forgive(connection, key)
        connection.execute(
            update(_passkey)
            .where(_passkey.c.id == row.id)
            .values(sign_count=sign_count, used_at=now)
        )
        return settle(connection, MailboxId(row.mailbox_id))

    return await decide(context, work)


def _by_credential(connection: Connection, credential: bytes) -> AnyRow | None:
    return connection.execute(
        select(_passkey)
        .join(_mailbox, _mailbox.c.id == _passkey.c.mailbox_id)
        .where(_passkey.c.credential_id == credential, _mailbox.c.state == "active")
        .with_for_update(of=_passkey)
    ).one_or_none()


def _check_credential(credential: bytes) -> None:
    if not 1 <= len(credential) <= CREDENTIAL_LIMIT:
        raise InputInvalid("credential", f"not 1 to {CREDENTIAL_LIMIT} bytes")
