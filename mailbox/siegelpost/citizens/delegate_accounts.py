"""Accounts of invited delegates: a mailbox without an enrolment (DESIGN section 6).

The invitation code takes the place of letter code and birth date; all else is the activation that
citizens go through: own address, own login, own keys. Such a mailbox gets notices of its own once
an agency's letter is added to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.citizens.activate import ACTIVATION_LIFETIME
from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import ActivationUsed
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import CheckedKey
from siegelpost.citizens.make_mailbox import make_mailbox
from siegelpost.citizens.mandates import open_invitation, take
from siegelpost.citizens.sessions import new_cookie
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, KeyId, MailboxId, new_id
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Activation, Agency, Mandate, core

#: Kind of an activation by invitation.
DELEGATE = "delegate"

_activation = core(Activation)
_agency = core(Agency)
_mandate = core(Mandate)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What somebody with a code is told before accepting."""

    #: whose notices
    giver_name: str
    #: titles | read | reply
    role: str
    #: whether retrieving is the citizen's retrieval
    counts: bool
    #: of this agency alone, if it names one
    agency_name: str | None
    #: from when on
    starts_at: datetime
    #: until before when, if it ends
    ends_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BegunByInvitation:
    """An account under way."""

    #: value for the activation cookie, shown to nobody else
    cookie: str
    #: reserved id of the mailbox to be
    mailbox: MailboxId
    #: reserved id of its first key
    key: KeyId


async def offered(context: Context, *, proof: bytes) -> Offered:
    """What an open invitation offers; InvitationUnknown."""
    now = context.now()

    def work(connection: Connection) -> Offered:
        row = open_invitation(connection, context, proof, now)
        agency = connection.scalar(select(_agency.c.name).where(_agency.c.id == row.agency_id))
        return Offered(
            giver_name=row.giver_name,
            role=row.role,
            counts=row.counts,
            agency_name=agency,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )

    return await context.store.write(work)


async def begin_by_invitation(context: Context, *, proof: bytes) -> BegunByInvitation:
    """Open an activation of 60 minutes for the holder of a code; InvitationUnknown."""
    now = context.now()
    begun = BegunByInvitation(
        cookie=new_cookie(context.entropy),
        mailbox=MailboxId(new_id(now, context.entropy(ID_RANDOM))),
        key=KeyId(new_id(now, context.entropy(ID_RANDOM))),
    )

    def work(connection: Connection) -> BegunByInvitation:
        invitation = open_invitation(connection, context, proof, now)
        connection.execute(
            _activation.insert().values(
                digest=cookie_digest(begun.cookie),
                mandate_id=invitation.id,
                kind=DELEGATE,
                mailbox_id=begun.mailbox,
                key_id=begun.key,
                created_at=now,
                expires_at=now + ACTIVATION_LIFETIME,
            )
        )
        return begun

    return await decide(context, work)


def settle_delegate(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
    name: str,
) -> bool:
    """Make the mailbox and take the invitation; return whether that was still open.

    Raises what `make_mailbox` raises, and ActivationUsed if the invitation ended meanwhile.
    """
    mailbox, now = checked.binding.mailbox, context.now()
    row = connection.execute(
        select(_mandate).where(_mandate.c.id == activation.mandate_id).with_for_update()
    ).one()
    if row.delegate_id is not None:
        return False
    drafts = make_mailbox(connection, context, activation, checked, given, name)
    mac, key = given.key_mac or b"", checked.binding.key
    if not take(connection, context, row.id, delegate=mailbox, key=key, mac=mac, now=now):
        raise ActivationUsed("the invitation was called off")
    append_events(connection, list(drafts), entropy=context.entropy)
    return True


def delegate_of(connection: Connection, activation: AnyRow) -> str | None:
    """The mailbox that took the invitation of this activation, if any did."""
    found: str | None = connection.scalar(
        select(_mandate.c.delegate_id).where(_mandate.c.id == activation.mandate_id)
    )
    return found
