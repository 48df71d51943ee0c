"""Change the passphrase, the recovery code, or both (DESIGN section 6).

The browser, which has the seeds, wraps them anew; here the login halves and the wrapped copies are
exchanged in one transaction, so that no instant knows the new half of one and the old of the other.
Every other session ends, and this one gets a new cookie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, update

from siegelpost.citizens.copies import KeyCopy, copy_changed, replace_copies
from siegelpost.citizens.errors import CitizenError, InputInvalid
from siegelpost.citizens.login import (
    PASSPHRASE,
    RECOVERY_CODE,
    Knowledge,
    check_half,
    stored_proof,
)
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.sessions import CitizenSession, new_cookie, renew_session
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.writing import decide
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Mailbox, core

_mailbox = core(Mailbox)


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A new passphrase or recovery code, as the browser sends it; construction: InputInvalid."""

    #: 16 bytes
    salt: bytes
    #: 32 bytes
    proof: bytes
    #: one copy for every key
    wrapped: Sequence[KeyCopy]

    def __post_init__(self) -> None:
        check_half(self.salt, self.proof, prefix="login")


async def change_secrets(
    context: Context,
    session: CitizenSession,
    *,
    passphrase: NewSecret | None,
    recovery_code: NewSecret | None,
) -> str:
    """Exchange what is given; return the session's new cookie.

    Who logged in with the recovery code changes both: a used code does not stay in force.
    Raises InputInvalid, KeyBindingWrong, ProofNeeded, SessionOver.
    """
    given = [
        (knowledge, secret)
        for knowledge, secret in ((PASSPHRASE, passphrase), (RECOVERY_CODE, recovery_code))
        if secret is not None
    ]
    if not given:
        raise InputInvalid("body", "nothing to change")
    if session.method is LoginMethod.RECOVERY_CODE and len(given) < 2:
        raise InputInvalid("body", "after a login by recovery code both are changed")
    now = context.now()
    cookie = new_cookie(context.entropy)

    def work(connection: Connection) -> str | CitizenError:
        need_proof(connection, session, now)
        for knowledge, secret in given:
            _exchange(connection, context, session, knowledge, secret)
        drafts = [
            copy_changed(session.mailbox, knowledge.method, "replaced", now=now)
            for knowledge, _ in given
        ]
        append_events(connection, drafts, entropy=context.entropy)
        tell_owner(connection, context, session.mailbox)
        renew_session(connection, session, cookie=cookie)
        return cookie

    return await decide(context, work)


def _exchange(
    connection: Connection,
    context: Context,
    session: CitizenSession,
    knowledge: Knowledge,
    secret: NewSecret,
) -> None:
    mailbox = session.mailbox
    connection.execute(
        update(_mailbox)
        .where(_mailbox.c.id == mailbox)
        .values(
            {
                knowledge.salt.key: secret.salt,
                knowledge.proof.key: stored_proof(context, mailbox, secret.proof, knowledge),
            }
        )
    )
    replace_copies(
        connection,
        context,
        mailbox,
        secret.wrapped,
        method=knowledge.method,
        now=context.now(),
    )
