"""Accounts elsewhere that log in to a mailbox: linked by somebody who is logged in, and used.

Who an account belongs to is `siegelpost.oidc`'s word; here is only which mailbox it opens the door
of. It never unlocks: the keys stay closed until passphrase, passkey or recovery code (DESIGN 6).
Subjects are kept as keyed digests: a thief of the database learns nobody's account elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens import peppers
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import AccountTaken, AccountUnlinked, CitizenError
from siegelpost.citizens.login import LoggedIn, note_login
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.sessions import CitizenSession, drop_others, drop_session, new_cookie
from siegelpost.citizens.sessions import open_session as open_new
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import Mailbox, OidcLink, core

#: Most accounts elsewhere of one mailbox.
LINKS_LIMIT = 4

_link = core(OidcLink)
_mailbox = core(Mailbox)


@dataclass(frozen=True, kw_only=True)
class LinkedAccount:
    """An account elsewhere, as its owner sees it."""

    #: where
    issuer: str
    #: since when
    created_at: datetime
    #: last login
    used_at: datetime | None


async def link_account(
    context: Context, session: CitizenSession, *, issuer: str, subject: str
) -> None:
    """Let the account log in to the session's mailbox; twice is harmless.

    Raises AccountTaken (by another mailbox, or too many), ProofNeeded, SessionOver.
    """
    digest = peppers.digest(context, "oidc-subject", issuer, subject)
    now = context.now()

    def work(connection: Connection) -> CitizenError | None:
        need_proof(connection, session, now)
        owner = connection.scalar(
            select(_link.c.mailbox_id).where(_link.c.digest.in_(_digests(context, issuer, subject)))
        )
        if owner is not None:
            same = owner == session.mailbox
            return None if same else AccountTaken("linked to another mailbox")
        count = connection.execute(
            select(func.count()).select_from(_link).where(_link.c.mailbox_id == session.mailbox)
        ).scalar_one()
        if count >= LINKS_LIMIT:
            return AccountTaken("too many accounts")
        try:
            with connection.begin_nested():
                connection.execute(
                    _link.insert().values(
                        digest=digest, mailbox_id=session.mailbox, issuer=issuer, created_at=now
                    )
                )
        except IntegrityError:
            return AccountTaken("linked just now")
        _note(connection, context, session.mailbox, "added")
        return None

    await decide(context, work)


async def unlink_accounts(context: Context, session: CitizenSession) -> None:
    """No account elsewhere logs in any more; every other session ends.

    Raises ProofNeeded, SessionOver.
    """

    def work(connection: Connection) -> None:
        need_proof(connection, session, context.now())
        own = _link.c.mailbox_id == session.mailbox
        if connection.execute(delete(_link).where(own)).rowcount:
            drop_others(connection, session)
            _note(connection, context, session.mailbox, "removed")

    await decide(context, work)


async def log_in_by_account(
    context: Context,
    *,
    issuer: str,
    subject: str,
    device: str = "",
    old_cookie: str | None = None,
) -> LoggedIn:
    """Open a session of the mailbox that the account is linked to; raises AccountUnlinked."""
    cookie = new_cookie(context.entropy)
    now = context.now()

    def work(connection: Connection) -> LoggedIn | CitizenError:
        row = connection.execute(
            select(_link.c.digest, _link.c.mailbox_id)
            .join(_mailbox, _mailbox.c.id == _link.c.mailbox_id)
            .where(
                _link.c.digest.in_(_digests(context, issuer, subject)),
                _mailbox.c.state == "active",
            )
        ).one_or_none()
        if row is None:
            return AccountUnlinked("no mailbox is linked to the account")
        mailbox = MailboxId(row.mailbox_id)
        connection.execute(update(_link).where(_link.c.digest == row.digest).values(used_at=now))
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_new(
            connection,
            mailbox,
            cookie=cookie,
            now=now,
            method=LoginMethod.OIDC,
            device=device,
            proved=False,
        )
        note_login(connection, context, mailbox, LoginMethod.OIDC)
        return LoggedIn(cookie=cookie, mailbox=mailbox)

    return await decide(context, work)


def links_of(connection: Connection, mailbox: MailboxId) -> list[LinkedAccount]:
    """The mailbox's accounts elsewhere, oldest first."""
    rows = connection.execute(
        select(_link).where(_link.c.mailbox_id == mailbox).order_by(_link.c.created_at)
    )
    return [
        LinkedAccount(issuer=row.issuer, created_at=row.created_at, used_at=row.used_at)
        for row in rows
    ]


def _digests(context: Context, issuer: str, subject: str) -> tuple[bytes, ...]:
    return peppers.digests(context, "oidc-subject", issuer, subject)


def _note(connection: Connection, context: Context, mailbox: MailboxId, change: str) -> None:
    changed = EventDraft(
        type=EventType.LOGIN_CHANGED,
        at=context.now(),
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"method": LoginMethod.OIDC.value, "change": change},
    )
    append_events(connection, [changed], entropy=context.entropy)
    tell_owner(connection, context, mailbox)
