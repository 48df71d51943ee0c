"""What a mailbox gave and got: the mandates as their two sides see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, exists, func, not_, or_, select

from siegelpost.evidence.ids import MailboxId
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import (
    Address,
    Agency,
    DelegateLook,
    Enrolment,
    Mailbox,
    MailboxKey,
    Mandate,
    Notice,
    core,
)

_mandate = core(Mandate)
_agency = core(Agency)
_enrolment = core(Enrolment)
_mailbox = core(Mailbox)
_address = core(Address)
_key = core(MailboxKey)
_look = core(DelegateLook)
_notice = core(Notice)


class Standing(StrEnum):
    """Where a mandate stands now."""

    INVITED = "invited"  #: nobody came with the code yet
    LAPSED = "lapsed"  #: nobody came in time
    ASKING = "asking"  #: somebody came; the citizen has not looked yet
    COMING = "coming"  #: given, its first day is not there yet
    IN_FORCE = "in-force"
    OVER = "over"  #: its last day is over
    ENDED = "ended"  #: revoked, given back or called off


@dataclass(frozen=True, kw_only=True)
class ShownMandate:
    """One mandate."""

    #: names it
    id: str
    #: where it stands
    standing: Standing
    #: the delegate, as the citizen wrote it
    helper_name: str
    #: the citizen, as the delegate sees it
    giver_name: str
    #: titles | read | reply
    role: str
    #: whether the delegate's retrieval is the citizen's
    counts: bool
    #: one agency's name, or None for all
    agency_name: str | None
    #: from when on
    starts_at: datetime
    #: until before when, if it ends
    ends_at: datetime | None
    #: 16 bytes, from which the citizen's browser derives the code again
    code_salt: bytes
    #: the last moment of an invitation
    code_expires_at: datetime
    #: when it ended, if it did
    ended_at: datetime | None
    #: where the delegate gets mail, for the citizen to compare; None before somebody came
    email: str | None
    #: when the delegate looked last, if ever
    looked_at: datetime | None
    #: whether the delegate has another key by now than the one that the code vouched for
    new_key: bool


@dataclass(frozen=True, kw_only=True)
class Mandates:
    """Both sides, newest first."""

    #: given by this mailbox
    given: tuple[ShownMandate, ...]
    #: to this mailbox, without open invitations
    held: tuple[ShownMandate, ...]
    #: agencies that may be chosen: id and name
    agencies: tuple[tuple[str, str], ...]


async def mandates_of(context: Context, mailbox: MailboxId) -> Mandates:
    """Everything that ``mailbox`` gave and got."""
    now = context.now()

    def work(connection: Connection) -> Mandates:
        rows = connection.execute(
            select(
                _mandate, _agency.c.name.label("agency_name"), _key.c.retired_at, _email, _looked
            )
            .outerjoin(_agency, _agency.c.id == _mandate.c.agency_id)
            .outerjoin(_key, _key.c.id == _mandate.c.key_id)
            .where(or_(_mandate.c.mailbox_id == mailbox, _mandate.c.delegate_id == mailbox))
            .order_by(_mandate.c.id.desc())
        ).all()
        agencies = connection.execute(
            select(_agency.c.id, _agency.c.name)
            .join(_enrolment, _enrolment.c.agency_id == _agency.c.id)
            .where(_enrolment.c.mailbox_id == mailbox)
            .distinct()
            .order_by(_agency.c.name)
        ).all()
        return Mandates(
            given=tuple(_shown(row, now) for row in rows if row.mailbox_id == mailbox),
            held=tuple(_shown(row, now) for row in rows if row.delegate_id == mailbox),
            agencies=tuple((row.id, row.name) for row in agencies),
        )

    return await context.store.read(work)


async def helping_now(context: Context, mailbox: MailboxId) -> tuple[tuple[str, str], ...]:
    """Whose notices ``mailbox`` may see now: mandate and name, oldest first."""
    now = context.now()
    query = (
        select(_mandate.c.id, _mandate.c.giver_name)
        .where(_mandate.c.delegate_id == mailbox, *_in_force(now))
        .order_by(_mandate.c.id)
    )
    rows = await context.store.read(lambda connection: connection.execute(query).all())
    return tuple((row.id, row.giver_name) for row in rows)


async def only_helps(context: Context, mailbox: MailboxId) -> bool:
    """Whether nobody writes to ``mailbox`` itself: an account that was made to help others."""
    own = exists().where(_enrolment.c.mailbox_id == mailbox)
    notices = exists().where(_notice.c.mailbox_id == mailbox)
    query = select(not_(or_(own, notices)))
    return bool(await context.store.read(lambda connection: connection.scalar(query)))


async def gave_any(context: Context, mailbox: MailboxId) -> tuple[str, ...]:
    """The mandates that ``mailbox`` gave and that last: their notices may have to be handed on."""
    now = context.now()
    query = select(_mandate.c.id).where(
        _mandate.c.mailbox_id == mailbox,
        _mandate.c.confirmed_at.is_not(None),
        _mandate.c.ended_at.is_(None),
        or_(_mandate.c.ends_at.is_(None), _mandate.c.ends_at > now),
    )
    return tuple(await context.store.read(lambda connection: connection.scalars(query).all()))


def _in_force(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _mandate.c.confirmed_at.is_not(None),
        _mandate.c.ended_at.is_(None),
        _mandate.c.starts_at <= now,
        or_(_mandate.c.ends_at.is_(None), _mandate.c.ends_at > now),
    )


_email = (
    select(func.max(_address.c.email))
    .where(
        _address.c.mailbox_id == _mandate.c.delegate_id,
        _address.c.confirmed_at.is_not(None),
        _address.c.removed_at.is_(None),
    )
    .scalar_subquery()
    .label("delegate_email")
)
_looked = (
    select(func.max(_look.c.at))
    .where(_look.c.mandate_id == _mandate.c.id)
    .scalar_subquery()
    .label("looked_at")
)


def _shown(row: AnyRow, now: datetime) -> ShownMandate:
    return ShownMandate(
        id=row.id,
        standing=_standing(row, now),
        helper_name=row.helper_name,
        giver_name=row.giver_name,
        role=row.role,
        counts=row.counts,
        agency_name=row.agency_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        code_salt=bytes(row.code_salt),
        code_expires_at=row.code_expires_at,
        ended_at=row.ended_at,
        email=row.delegate_email,
        looked_at=row.looked_at,
        new_key=row.retired_at is not None,
    )


def _standing(row: AnyRow, now: datetime) -> Standing:
    if row.ended_at is not None:
        return Standing.ENDED
    if row.ends_at is not None and row.ends_at <= now:
        return Standing.OVER
    if row.accepted_at is None:
        return Standing.INVITED if row.code_expires_at > now else Standing.LAPSED
    if row.confirmed_at is None:
        return Standing.ASKING
    return Standing.IN_FORCE if row.starts_at <= now else Standing.COMING
