"""Members of staff: invite, invite anew, shut out, list. Each change is an event of the agency.

An invitation is a one-time code of 140 bits; the service keeps a keyed digest of it. Who has it
registers a passkey with it (`siegelpost.staff.invitations`), so it is handed over like a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers
from siegelpost.citizens.codes import CODE_RANDOM, make_code, normal_code
from siegelpost.citizens.errors import InputInvalid
from siegelpost.citizens.text import checked_line
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, new_id
from siegelpost.staff.errors import InputWrong, NothingFound, OwnAccount
from siegelpost.staff.roles import Action, Member, Role, roles_of, roles_text
from siegelpost.staff.sessions import drop_sessions_of
from siegelpost.staff.writing import decide
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import Agency, StaffMember, StaffPasskey, core

#: An invitation that nobody used is over after this.
INVITATION_LIFETIME = timedelta(days=7)
#: Longest name of a person.
NAME_LIMIT = 120
#: Who adds members on the command line.
OPERATOR = "operator"

_member = core(StaffMember)
_passkey = core(StaffPasskey)
_agency = core(Agency)


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A member with the code to hand over; the code is stored nowhere."""

    #: the member
    id: str
    #: seven groups of four
    code: str


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """A member as administrators see one."""

    #: the pseudonym in events
    id: str
    #: as colleagues know the person
    name: str
    #: what the person may be
    roles: frozenset[Role]
    #: invited | active | disabled
    state: str
    #: since when there is the account
    created_at: datetime


async def invite(
    context: Context, agency_id: AgencyId, *, name: str, roles: Iterable[Role], by: str = OPERATOR
) -> Invited:
    """Add a member and return the code; raises InputWrong, NothingFound for an unknown agency."""
    chosen = frozenset(roles)
    if not chosen:
        raise InputWrong("roles", "none chosen")
    try:
        name = checked_line(name, "name", longest=NAME_LIMIT)
    except InputInvalid as error:
        raise InputWrong("name", str(error)) from None
    now = context.now()
    id_, code = new_id(now, context.entropy(ID_RANDOM)), make_code(context.entropy(CODE_RANDOM))

    def work(connection: Connection) -> Invited:
        known = connection.scalar(select(_agency.c.id).where(_agency.c.id == agency_id))
        if known is None:
            raise NothingFound("no such agency")
        connection.execute(
            _member.insert().values(
                id=id_,
                agency_id=agency_id,
                name=name,
                roles=roles_text(chosen),
                invitation_digest=invitation_digest(context, code),
                invitation_expires_at=now + INVITATION_LIFETIME,
                created_at=now,
            )
        )
        _changed(connection, context, agency_id, id_, "added", chosen, by)
        return Invited(id=id_, code=code)

    return await decide(context, work)


async def invite_colleague(
    context: Context, member: Member, *, name: str, roles: Iterable[Role]
) -> Invited:
    """`invite` by an administrator of the agency; RoleMissing."""
    member.need(Action.MANAGE_STAFF)
    return await invite(context, member.agency_id, name=name, roles=roles, by=member.actor)


async def invite_again(
    context: Context, agency_id: AgencyId, member_id: str, *, by: str = OPERATOR
) -> Invited:
    """A new code for somebody without a working passkey; old passkeys and sessions end.

    Raises NothingFound, also for members who were shut out.
    """
    now, code = context.now(), make_code(context.entropy(CODE_RANDOM))

    def work(connection: Connection) -> Invited:
        row = connection.execute(
            select(_member.c.roles)
            .where(
                _member.c.id == member_id,
                _member.c.agency_id == agency_id,
                _member.c.disabled_at.is_(None),
            )
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise NothingFound("no such member")
        connection.execute(
            update(_member)
            .where(_member.c.id == member_id)
            .values(
                invitation_digest=invitation_digest(context, code),
                invitation_expires_at=now + INVITATION_LIFETIME,
                login_digest=None,
            )
        )
        connection.execute(_passkey.delete().where(_passkey.c.member_id == member_id))
        drop_sessions_of(connection, member_id)
        _changed(connection, context, agency_id, member_id, "invited-anew", roles_of(row.roles), by)
        return Invited(id=member_id, code=code)

    return await decide(context, work)


async def invite_colleague_again(context: Context, member: Member, member_id: str) -> Invited:
    """`invite_again` by an administrator; raises RoleMissing, OwnAccount, NothingFound."""
    member.need(Action.MANAGE_STAFF)
    if member_id == member.id:
        raise OwnAccount("an own invitation")
    return await invite_again(context, member.agency_id, member_id, by=member.actor)


async def disable(
    context: Context, agency_id: AgencyId, member_id: str, *, by: str = OPERATOR
) -> None:
    """Shut a member out at once, for good; harmless if done before. Raises NothingFound."""
    now = context.now()

    def work(connection: Connection) -> None:
        row = connection.execute(
            select(_member.c.roles, _member.c.disabled_at)
            .where(_member.c.id == member_id, _member.c.agency_id == agency_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise NothingFound("no such member")
        if row.disabled_at is not None:
            return
        connection.execute(
            update(_member)
            .where(_member.c.id == member_id)
            .values(disabled_at=now, invitation_digest=None, invitation_expires_at=None)
        )
        drop_sessions_of(connection, member_id)
        _changed(connection, context, agency_id, member_id, "disabled", roles_of(row.roles), by)

    await decide(context, work)


async def disable_colleague(context: Context, member: Member, member_id: str) -> None:
    """`disable` by an administrator; raises RoleMissing, OwnAccount, NothingFound."""
    member.need(Action.MANAGE_STAFF)
    if member_id == member.id:
        raise OwnAccount("shutting oneself out")
    await disable(context, member.agency_id, member_id, by=member.actor)


async def colleagues(context: Context, agency_id: AgencyId) -> tuple[Colleague, ...]:
    """All members of an agency, those who were shut out last."""
    rows = await context.store.read(
        lambda connection: connection.execute(
            select(_member)
            .where(_member.c.agency_id == agency_id)
            .order_by(_member.c.disabled_at.is_not(None), _member.c.id)
        ).all()
    )
    return tuple(
        Colleague(
            id=row.id,
            name=row.name,
            roles=roles_of(row.roles),
            state="disabled" if row.disabled_at else ("active" if row.activated_at else "invited"),
            created_at=row.created_at,
        )
        for row in rows
    )


def invitation_digest(context: Context, code: str) -> bytes:
    """The digest to store of a code as typed; InputInvalid if it cannot be one."""
    return peppers.digest(context, "staff-invitation", normal_code(code))


def invitation_digests(context: Context, code: str) -> tuple[bytes, ...]:
    """Every digest under which a code could be stored; InputInvalid."""
    return peppers.digests(context, "staff-invitation", normal_code(code))


def _changed(
    connection: Connection,
    context: Context,
    agency_id: AgencyId,
    member_id: str,
    change: str,
    roles: frozenset[Role],
    by: str,
) -> None:
    append_events(
        connection,
        [
            EventDraft(
                type=EventType.STAFF_CHANGED,
                at=context.now(),
                agency=agency_id,
                actor=by,
                facts={"staff": member_id, "change": change, "roles": roles_text(roles).split()},
            )
        ],
        entropy=context.entropy,
    )
