"""Sessions of staff: like those of citizens, in a table and a cookie of their own.

A session ends by idling, by age, by logout, or when the member is shut out: that is asked anew at
every request.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import SessionOver
from siegelpost.evidence.ids import AgencyId
from siegelpost.staff.roles import Member, roles_of
from siegelpost.store.context import Context
from siegelpost.store.tables import Agency, StaffMember, StaffSession, core

#: A session ends this long after its last request: desks are left unlocked.
IDLE_LIMIT = timedelta(minutes=20)
#: A session ends this long after the login: a working day.
ABSOLUTE_LIMIT = timedelta(hours=10)
#: ``seen_at`` is written at most this often; idling is exact to within it.
SEEN_EVERY = timedelta(minutes=1)

_session = core(StaffSession)
_member = core(StaffMember)
_agency = core(Agency)


def open_session(
    connection: Connection, member: str, *, cookie: str, method: str, now: datetime
) -> None:
    """Store a session for ``cookie`` in the caller's transaction; ``method``: passkey | oidc."""
    connection.execute(
        _session.insert().values(
            digest=cookie_digest(cookie),
            member_id=member,
            method=method,
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE_LIMIT,
        )
    )


async def member_of(context: Context, cookie: str) -> Member:
    """Who is logged in with ``cookie``, kept alive by asking; SessionOver if nobody."""
    now = context.now()
    digest = cookie_digest(cookie)

    def find(connection: Connection) -> tuple[Member, datetime] | None:
        row = connection.execute(
            select(
                _session.c.seen_at,
                _member.c.id,
                _member.c.agency_id,
                _member.c.name,
                _member.c.roles,
                _agency.c.name.label("agency_name"),
            )
            .join(_member, _member.c.id == _session.c.member_id)
            .join(_agency, _agency.c.id == _member.c.agency_id)
            .where(
                _session.c.digest == digest,
                _session.c.seen_at > now - IDLE_LIMIT,
                _session.c.expires_at > now,
                _member.c.disabled_at.is_(None),
            )
        ).one_or_none()
        if row is None:
            return None
        member = Member(
            id=row.id,
            agency_id=AgencyId(row.agency_id),
            agency_name=row.agency_name,
            name=row.name,
            roles=roles_of(row.roles),
        )
        return member, row.seen_at

    found = await context.store.read(find)
    if found is None:
        raise SessionOver("no session in force")
    member, seen_at = found
    if seen_at <= now - SEEN_EVERY:
        await context.store.write(lambda connection: _seen(connection, digest, now))
    return member


async def end_session(context: Context, cookie: str) -> None:
    """Log out; nothing happens if the session is over already."""
    digest = cookie_digest(cookie)
    await context.store.write(lambda connection: drop_session(connection, digest))


def drop_session(connection: Connection, digest: bytes) -> None:
    """Delete one session, in the caller's transaction."""
    connection.execute(delete(_session).where(_session.c.digest == digest))


def drop_sessions_of(connection: Connection, member: str) -> None:
    """Delete all sessions of one member, in the caller's transaction."""
    connection.execute(delete(_session).where(_session.c.member_id == member))


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
