"""Login of staff by the agency's own single sign-on (OpenID Connect).

Who somebody is there is the word of `siegelpost.oidc`; an invitation ties that account to a member,
and nothing else does: an account that nobody invited opens nothing, whatever the provider says.
Kept is a keyed digest of issuer and subject.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens import peppers
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import CitizenError, LoginRefused
from siegelpost.citizens.sessions import new_cookie
from siegelpost.staff.errors import InvitationRefused, StaffError
from siegelpost.staff.passkeys import invited
from siegelpost.staff.sessions import drop_session, drop_sessions_of, open_session
from siegelpost.staff.writing import decide
from siegelpost.store.context import Context
from siegelpost.store.tables import StaffMember, core

_KIND = "staff-oidc-subject"
_member = core(StaffMember)


async def accept_invitation_elsewhere(
    context: Context, *, code: str, issuer: str, subject: str
) -> str:
    """Tie an account to the invited member and open a session; return its cookie.

    Raises InvitationRefused, also for an account that is another member's.
    """
    now, cookie = context.now(), new_cookie(context.entropy)

    def work(connection: Connection) -> str | StaffError:
        row = invited(connection, context, code)
        if row is None:
            return InvitationRefused("no such invitation")
        try:
            with connection.begin_nested():
                used = connection.execute(
                    update(_member)
                    .where(
                        _member.c.id == row.id,
                        _member.c.invitation_digest == row.invitation_digest,
                    )
                    .values(
                        invitation_digest=None,
                        invitation_expires_at=None,
                        activated_at=row.activated_at or now,
                        login_digest=peppers.digest(context, _KIND, issuer, subject),
                    )
                )
        except IntegrityError:
            return InvitationRefused("the account is another member's")
        if used.rowcount != 1:
            return InvitationRefused("used meanwhile")
        drop_sessions_of(connection, row.id)
        open_session(connection, row.id, cookie=cookie, method="oidc", now=now)
        return cookie

    return await decide(context, work)


async def log_in_elsewhere(
    context: Context, *, issuer: str, subject: str, old_cookie: str | None = None
) -> str:
    """Open a session for the account's member; return its cookie. Raises LoginRefused."""
    now, cookie = context.now(), new_cookie(context.entropy)
    digests = peppers.digests(context, _KIND, issuer, subject)

    def work(connection: Connection) -> str | CitizenError:
        member = connection.scalar(
            select(_member.c.id).where(
                _member.c.login_digest.in_(digests), _member.c.disabled_at.is_(None)
            )
        )
        if member is None:
            return LoginRefused("no member has this account")
        if old_cookie:
            drop_session(connection, cookie_digest(old_cookie))
        open_session(connection, member, cookie=cookie, method="oidc", now=now)
        return cookie

    return await decide(context, work)
