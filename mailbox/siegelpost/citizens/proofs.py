"""Prove again who sits there, before steps that change what opens a mailbox (DESIGN section 12).

A session alone does not suffice: a phone left on a table is logged in, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.errors import (
    CitizenError,
    LoginRefused,
    ProofNeeded,
    SessionOver,
    TooManyTries,
)
from siegelpost.citizens.login import (
    PASSPHRASE,
    SALT_SIZE,
    check_half,
    throttle_key,
)
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.citizens.writing import decide
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Mailbox, Session, core

#: How long a proof holds.
PROOF_LIFETIME = timedelta(minutes=10)

_session = core(Session)
_mailbox = core(Mailbox)


async def prove_again(context: Context, session: CitizenSession, *, login_proof: bytes) -> None:
    """Check the passphrase's login half for the session's own mailbox and note when.

    Failures are counted by session: strangers' failures at the login are no obstacle.
    Raises InputInvalid, LoginRefused, TooManyTries.
    """
    check_half(bytes(SALT_SIZE), login_proof, prefix="login")
    now = context.now()

    def work(connection: Connection) -> CitizenError | None:
        row = connection.execute(
            select(_mailbox.c.login_name, _mailbox.c.login_proof).where(
                _mailbox.c.id == session.mailbox
            )
        ).one()
        key = throttle_key(context, row.login_name, PASSPHRASE, session.digest)
        failures = throttle.begin_try(connection, key, PASSPHRASE.policy, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        stored = bytes(row.login_proof)
        if not peppers.matches(context, stored, PASSPHRASE.digest, session.mailbox, login_proof):
            return LoginRefused("wrong passphrase")
        throttle.forgive(connection, key)
        note_proof(connection, session, now)
        return None

    await decide(context, work)


def note_proof(connection: Connection, session: CitizenSession, now: datetime) -> None:
    """Remember that the session's holder proved the login, in the caller's transaction."""
    connection.execute(
        update(_session).where(_session.c.digest == session.digest).values(proved_at=now)
    )


def is_proved(session: CitizenSession, now: datetime) -> bool:
    """Whether the session's holder proved the login in the last minutes."""
    return session.proved_at is not None and session.proved_at > now - PROOF_LIFETIME


def may_take_copies(session: CitizenSession) -> bool:
    """Whether the session may be handed wrapped copies of the mailbox's seeds.

    An account elsewhere authenticates and never unlocks (DESIGN section 6): who took it over would
    guess the passphrase at home, beside a copy. Such a session first proves the passphrase's login
    half, where guesses are counted, or a passkey; it stays proved until it ends.
    """
    return session.method is not LoginMethod.OIDC or session.proved_at is not None


def need_proof(connection: Connection, session: CitizenSession, now: datetime) -> AnyRow:
    """The mailbox's row, locked, if the session's proof still holds.

    Raises ProofNeeded, or SessionOver if the session was ended meanwhile.
    """
    mailbox = connection.execute(
        select(_mailbox).where(_mailbox.c.id == session.mailbox).with_for_update()
    ).one()
    row = connection.execute(
        select(_session.c.proved_at).where(_session.c.digest == session.digest)
    ).one_or_none()
    if row is None:
        raise SessionOver("the session was ended meanwhile")
    if row.proved_at is None or row.proved_at <= now - PROOF_LIFETIME:
        raise ProofNeeded("no proof of the login in the last minutes")
    return mailbox
