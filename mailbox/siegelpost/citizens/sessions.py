"""Sessions of citizens: on the server, found by a digest, ended by idling, by age or by logout.

DESIGN sections 6 and 12. A session says who is logged in; it never unlocks a notice.
The cookie's value has 256 random bits and is stored nowhere, only its SHA-256.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select, update

from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import SessionOver
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.context import Context
from siegelpost.store.tables import LoginStep, Mailbox, MailboxKey, Session, core

#: A session ends this long after its last request.
IDLE_LIMIT = timedelta(minutes=30)
#: A session ends this long after the login, whatever happens.
ABSOLUTE_LIMIT = timedelta(hours=12)
#: ``seen_at`` is written at most this often; idling is exact to within it.
SEEN_EVERY = timedelta(minutes=1)
#: Random bytes of a cookie.
COOKIE_RANDOM = 32

_session = core(Session)
_step = core(LoginStep)
_mailbox = core(Mailbox)
_key = core(MailboxKey)
_MANAGED = exists().where(
    _key.c.mailbox_id == _mailbox.c.id,
    _key.c.retired_at.is_(None),
    _key.c.custody == "managed",
)


@dataclass(frozen=True, kw_only=True)
class CitizenSession:
    """Who is logged in."""

    #: SHA-256 of the cookie's value; names the session, opens nothing
    digest: bytes
    #: whose mailbox
    mailbox: MailboxId
    #: language of the mailbox
    language: str
    #: by what it was opened
    method: LoginMethod
    #: when the login happened
    created_at: datetime
    #: when it ends without a further request
    idle_ends_at: datetime
    #: when it ends at the latest
    expires_at: datetime
    #: when its holder last proved the login again; see `siegelpost.citizens.proofs`
    proved_at: datetime | None
    #: whether the service keeps the mailbox's key
    managed: bool = False


def new_cookie(entropy: Callable[[int], bytes]) -> str:
    """A fresh cookie value of 256 random bits, URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(entropy(COOKIE_RANDOM)).decode("ascii").rstrip("=")


def open_session(
    connection: Connection,
    mailbox: MailboxId,
    *,
    cookie: str,
    now: datetime,
    method: LoginMethod,
    device: str,
    proved: bool,
) -> None:
    """Store a session for ``cookie``, in the caller's transaction.

    ``proved``: whether its beginning counts as a proof for steps that need one.
    """
    connection.execute(
        _session.insert().values(
            digest=cookie_digest(cookie),
            mailbox_id=mailbox,
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
            method=method.value,
            device=device,
            proved_at=now if proved else None,
        )
    )


async def session_of(context: Context, cookie: str, *, touch: bool = True) -> CitizenSession:
    """The session of ``cookie``, kept alive by asking unless ``touch`` is false.

    Raises SessionOver if there is none in force.
    """
    now = context.now()
    digest = cookie_digest(cookie)

    def find(connection: Connection) -> CitizenSession | None:
        row = connection.execute(
            select(_session, _mailbox.c.language, _MANAGED.label("managed"))
            .join(_mailbox, _mailbox.c.id == _session.c.mailbox_id)
            .where(
                _session.c.digest == digest,
                _session.c.seen_at > now - IDLE_LIMIT,
                _session.c.expires_at > now,
                _mailbox.c.state == "active",
            )
        ).one_or_none()
        if row is None:
            return None
        return CitizenSession(
            digest=row.digest,
            mailbox=MailboxId(row.mailbox_id),
            language=row.language,
            method=LoginMethod(row.method),
            created_at=row.created_at,
            idle_ends_at=row.seen_at + IDLE_LIMIT,
            expires_at=row.expires_at,
            proved_at=row.proved_at,
            managed=row.managed,
        )

    session = await context.store.read(find)
    if session is None:
        raise SessionOver("no session in force")
    if touch and session.idle_ends_at - IDLE_LIMIT <= now - SEEN_EVERY:
        await context.store.write(lambda connection: _seen(connection, digest, now))
    return session


async def extend_session(context: Context, session: CitizenSession) -> datetime:
    """Note that somebody is still there; return when the session ends without a further request."""
    now = context.now()
    await context.store.write(lambda connection: _seen(connection, session.digest, now))
    return min(now + IDLE_LIMIT, session.expires_at)


async def end_session(context: Context, cookie: str) -> None:
    """Log out; nothing happens if the session is over already."""
    digest = cookie_digest(cookie)
    await context.store.write(lambda connection: drop_session(connection, digest))


def drop_session(connection: Connection, digest: bytes) -> None:
    """Delete one session, in the caller's transaction."""
    connection.execute(delete(_session).where(_session.c.digest == digest))


def drop_others(connection: Connection, session: CitizenSession) -> int:
    """End every other session of the mailbox, in the caller's transaction; return how many.

    Logins whose second factor is missing end, too: they passed with what may be gone now.
    """
    connection.execute(delete(_step).where(_step.c.mailbox_id == session.mailbox))
    others = (_session.c.mailbox_id == session.mailbox) & (_session.c.digest != session.digest)
    return connection.execute(delete(_session).where(others)).rowcount


def renew_session(connection: Connection, session: CitizenSession, *, cookie: str) -> None:
    """End every other session and give this one a new cookie, in the caller's transaction."""
    drop_others(connection, session)
    # The recovery code that opened it is gone.
    recovered = session.method is LoginMethod.RECOVERY_CODE
    method = LoginMethod.PASSPHRASE if recovered else session.method
    connection.execute(
        update(_session)
        .where(_session.c.digest == session.digest)
        .values(digest=cookie_digest(cookie), method=method.value)
    )


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete sessions that are over; return how many."""
    over = (_session.c.expires_at <= now) | (_session.c.seen_at <= now - IDLE_LIMIT)
    return connection.execute(delete(_session).where(over)).rowcount


def _seen(connection: Connection, digest: bytes, now: datetime) -> None:
    # Never backward, and never for a session that a logout has just deleted.
    connection.execute(
        update(_session)
        .where(_session.c.digest == digest, _session.c.seen_at < now)
        .values(seen_at=now)
    )
