"""Log in with a login name and the login half of a passphrase (DESIGN section 6).

The browser derives 64 bytes by Argon2id; the first half proves the login, the second unwraps and
never leaves the browser. What the service keeps of the first half is an HMAC with a pepper.
Names that exist and names that don't get the same answers, the same work and the same delays.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.codes import cookie_digest, keyed_digest
from siegelpost.citizens.errors import (
    CitizenError,
    InputInvalid,
    LoginRefused,
    TooManyTries,
)
from siegelpost.citizens.sessions import drop_session, new_cookie, open_session
from siegelpost.citizens.text import normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Mailbox, core

#: Bytes of a login proof.
PROOF_SIZE = 32
#: Bytes of the Argon2id salt.
SALT_SIZE = 16

_NOBODY = MailboxId("nobody")
_mailbox = core(Mailbox)


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A new session."""

    #: value for the session cookie, shown to nobody else
    cookie: str
    #: whose mailbox
    mailbox: MailboxId


def stored_proof(context: Context, mailbox: str, proof: bytes) -> bytes:
    """What the service keeps of a login proof: useless without the pepper and for other boxes."""
    return peppers.digest(context, "login-proof", mailbox, proof)


async def prepare_login(context: Context, login_name: str) -> bytes:
    """The 16-byte salt of a login name; unknown names have one too, always the same."""
    name = normal_login_name(login_name)
    # The oldest secret: a fake salt must not change when a new one is made.
    oldest = context.keyring.secrets(KeyPurpose.PEPPER)[-1]
    fake = keyed_digest(oldest, "fake-salt", name)[:SALT_SIZE]
    row = await context.store.read(lambda connection: _by_name(connection, name))
    return bytes(row.login_salt) if row is not None else fake


async def log_in(
    context: Context, *, login_name: str, login_proof: bytes, old_cookie: str | None = None
) -> LoggedIn:
    """Check the proof and open a session; ``old_cookie``'s session ends with it.

    Raises InputInvalid, LoginRefused (wrong proof and unknown name alike), TooManyTries.
    """
    name = normal_login_name(login_name)
    if len(login_proof) != PROOF_SIZE:
        raise InputInvalid("login_proof", f"not {PROOF_SIZE} bytes")
    now = context.now()
    cookie = new_cookie(context.entropy)
    key = peppers.digest(context, "throttle", throttle.LOGIN.kind, name)

    def work(connection: Connection) -> LoggedIn | CitizenError:
        failures = throttle.begin_try(connection, key, throttle.LOGIN, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        row = _by_name(connection, name)
        mailbox = _NOBODY if row is None else MailboxId(row.id)
        stored = bytes(PROOF_SIZE) if row is None else bytes(row.login_proof)
        right = peppers.matches(context, stored, "login-proof", mailbox, login_proof)
        if not right or row is None:
            return LoginRefused("login name and passphrase do not belong together")
        throttle.forgive(connection, key)
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(connection, mailbox, cookie=cookie, now=now)
        return LoggedIn(cookie=cookie, mailbox=mailbox)

    return await decide(context, work)


def _by_name(connection: Connection, name: str) -> AnyRow | None:
    return connection.execute(
        select(_mailbox.c.id, _mailbox.c.login_salt, _mailbox.c.login_proof).where(
            _mailbox.c.login_name == name, _mailbox.c.state == "active"
        )
    ).one_or_none()
