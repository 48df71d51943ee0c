"""Passkeys: log in with one, prove with one (DESIGN section 6).

A passkey's signature logs in; its PRF output, which never leaves the browser, unwraps. One without
PRF logs in only, and the passphrase unlocks.
Unknown passkeys, removed ones and wrong answers are refused alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.challenges import is_fresh, use_challenge
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import (
    CitizenError,
    LoginRefused,
    TooManyTries,
)
from siegelpost.citizens.login import LoggedIn, note_login
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.proofs import note_proof
from siegelpost.citizens.sessions import (
    CitizenSession,
    drop_session,
    new_cookie,
    open_session,
)
from siegelpost.citizens.webauthn_checks import (
    Assertion,
    RelyingParty,
    challenge_of,
    check_assertion,
    check_credential,
)
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Mailbox, Passkey, core

T = TypeVar("T")

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
            method=LoginMethod.PASSKEY,
            device=device,
            proved=False,
        )
        note_login(connection, context, mailbox, LoginMethod.PASSKEY)
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


async def _asserted(
    context: Context,
    party: RelyingParty,
    assertion: Assertion,
    purpose: str,
    holder: str,
    settle: Callable[[Connection, MailboxId], T | CitizenError],
) -> T:
    check_credential(assertion.credential)
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
