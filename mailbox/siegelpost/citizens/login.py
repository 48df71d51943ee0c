"""Log in with a login name and the login half of a passphrase or recovery code (DESIGN section 6).

The browser derives two values from what was typed: one proves the login, the other unwraps and
never leaves the browser. What the service keeps of the first is an HMAC with a pepper.
Names that exist and names that don't get the same answers, the same work and the same delays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.sql import ColumnElement

from siegelpost.citizens import known_browsers, peppers, second_factor, throttle
from siegelpost.citizens.codes import cookie_digest, keyed_digest
from siegelpost.citizens.errors import (
    CitizenError,
    InputInvalid,
    LoginRefused,
    TooManyTries,
)
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.second_factor import StepLeft
from siegelpost.citizens.sessions import drop_session, new_cookie, open_session
from siegelpost.citizens.text import normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.sealing.wrapping import Method
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import Mailbox, core

#: Bytes of a login proof.
PROOF_SIZE = 32
#: Bytes of its salt.
SALT_SIZE = 16

_NOBODY = MailboxId("nobody")
_mailbox = core(Mailbox)


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Something that a citizen knows and proves a login with."""

    #: how it unwraps
    method: Method
    #: kind of the stored digest
    digest: str
    #: kind of the digest that fakes a salt
    fake_salt: str
    #: its columns of the mailbox
    salt: ColumnElement[Any]
    proof: ColumnElement[Any]
    #: how fast it may be tried
    policy: throttle.Policy


PASSPHRASE = Knowledge(
    method=Method.PASSPHRASE,
    digest="login-proof",
    fake_salt="fake-salt",
    salt=_mailbox.c.login_salt,
    proof=_mailbox.c.login_proof,
    policy=throttle.LOGIN,
)
RECOVERY_CODE = Knowledge(
    method=Method.RECOVERY_CODE,
    digest="recovery-proof",
    fake_salt="fake-recovery-salt",
    salt=_mailbox.c.recovery_salt,
    proof=_mailbox.c.recovery_proof,
    policy=throttle.RECOVERY,
)


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A new session."""

    #: value for the session cookie, shown to nobody else
    cookie: str
    #: whose mailbox
    mailbox: MailboxId


def stored_proof(
    context: Context, mailbox: str, proof: bytes, knowledge: Knowledge = PASSPHRASE
) -> bytes:
    """What the service keeps of a login proof: useless without the pepper and for other boxes."""
    return peppers.digest(context, knowledge.digest, mailbox, proof)


def check_half(salt: bytes, proof: bytes, *, prefix: str) -> None:
    """Return if salt and proof have their sizes; else InputInvalid for ``<prefix>_salt`` …"""
    if len(salt) != SALT_SIZE:
        raise InputInvalid(f"{prefix}_salt", f"not {SALT_SIZE} bytes")
    if len(proof) != PROOF_SIZE:
        raise InputInvalid(f"{prefix}_proof", f"not {PROOF_SIZE} bytes")


async def prepare_login(
    context: Context, login_name: str, knowledge: Knowledge = PASSPHRASE
) -> bytes:
    """The 16-byte salt of a login name; unknown names have one too, always the same."""
    name = normal_login_name(login_name)
    # The oldest secret: a fake salt must not change when a new one is made.
    oldest = context.keyring.secrets(KeyPurpose.PEPPER)[-1]
    fake = keyed_digest(oldest, knowledge.fake_salt, name)[:SALT_SIZE]
    row = await context.store.read(lambda connection: _by_name(connection, name, knowledge))
    return fake if row is None or row.salt is None else bytes(row.salt)


async def log_in(
    context: Context,
    *,
    login_name: str,
    login_proof: bytes,
    knowledge: Knowledge = PASSPHRASE,
    device: str = "",
    old_cookie: str | None = None,
    browser: str | None = None,
) -> LoggedIn | StepLeft:
    """Check the proof and open a session; ``old_cookie``'s session ends with it.

    After a passphrase the second factor is left (`complete_login`).
    ``browser``: the cookie of a known browser, whose failures are counted apart.

    Raises InputInvalid, LoginRefused (wrong proof and unknown name alike), TooManyTries,
    SecondFactorUnavailable.
    """
    name = normal_login_name(login_name)
    check_half(bytes(SALT_SIZE), login_proof, prefix="login")
    now = context.now()
    cookie = new_cookie(context.entropy)

    def work(connection: Connection) -> LoggedIn | StepLeft | CitizenError:
        row = _by_name(connection, name, knowledge)
        mailbox = _NOBODY if row is None else MailboxId(row.id)
        known = known_browsers.browser_in(connection, context, mailbox, browser, now)
        key = throttle_key(context, name, knowledge, known)
        failures = throttle.begin_try(connection, key, knowledge.policy, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        stored = bytes(PROOF_SIZE) if row is None or row.proof is None else bytes(row.proof)
        right = peppers.matches(context, stored, knowledge.digest, mailbox, login_proof)
        if not right or row is None:
            return LoginRefused("login name and secret do not belong together")
        throttle.forgive(connection, key)
        if knowledge is PASSPHRASE:
            return second_factor.begin_step(connection, context, mailbox, cookie=cookie)
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(
            connection,
            mailbox,
            cookie=cookie,
            now=now,
            method=LoginMethod(knowledge.method),
            device=device,
            # Who comes by the code has no passphrase to prove anything with.
            proved=True,
        )
        note_login(connection, context, mailbox, LoginMethod(knowledge.method))
        return LoggedIn(cookie=cookie, mailbox=mailbox)

    done: LoggedIn | StepLeft = await decide(context, work)
    context.store.alerts_queued.set()
    return done


async def complete_login(
    context: Context,
    *,
    cookie: str,
    code: str,
    device: str = "",
    old_cookie: str | None = None,
    browser: str | None = None,
) -> LoggedIn:
    """Take the second factor's code and open a session; ``cookie`` is that of `StepLeft`.

    Raises InputInvalid, LoginStepOver, LoginCodeWrong, TooManyTries.
    """
    session = new_cookie(context.entropy)

    def work(connection: Connection) -> LoggedIn | CitizenError:
        mailbox = second_factor.check_code(
            connection, context, cookie=cookie, code=code, browser=browser
        )
        if isinstance(mailbox, CitizenError):
            return mailbox
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(
            connection,
            mailbox,
            cookie=session,
            now=context.now(),
            method=LoginMethod.PASSPHRASE,
            device=device,
            proved=False,
        )
        note_login(connection, context, mailbox, LoginMethod.PASSPHRASE)
        return LoggedIn(cookie=session, mailbox=mailbox)

    return await decide(context, work)


def throttle_key(context: Context, name: str, knowledge: Knowledge, known: bytes = b"") -> bytes:
    """Under which failures of a normalised login name are counted; a ``known`` browser's apart."""
    return peppers.digest(context, "throttle", knowledge.policy.kind, name, known)


def note_login(
    connection: Connection, context: Context, mailbox: MailboxId, method: LoginMethod
) -> None:
    """Record the event that the citizen sees, in the caller's transaction."""
    draft = EventDraft(
        type=EventType.LOGGED_IN,
        at=context.now(),
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"method": method.value},
    )
    append_events(connection, [draft], entropy=context.entropy)


def _by_name(connection: Connection, name: str, knowledge: Knowledge) -> AnyRow | None:
    return connection.execute(
        select(_mailbox.c.id, knowledge.salt.label("salt"), knowledge.proof.label("proof")).where(
            _mailbox.c.login_name == name, _mailbox.c.state == "active"
        )
    ).one_or_none()
