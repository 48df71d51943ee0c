"""What a citizen has agreed with whom: each agency with its consents, for the page about them.

Not here: giving and revoking (`consent`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from siegelpost.citizens.consent import RECEIVE, SEND, ConsentState, consents_in
from siegelpost.evidence.ids import EnrolmentId, MailboxId
from siegelpost.store.context import Context
from siegelpost.store.tables import Agency, Enrolment, core

_enrolment = core(Enrolment)
_agency = core(Agency)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """An agency that may write to the mailbox, or might again."""

    #: its reference for the citizen
    enrolment: EnrolmentId
    #: its name as citizens know it
    agency_name: str
    #: for questions
    agency_phone: str
    #: consent in force to get notices electronically
    receive: ConsentState | None
    #: consent in force to send through the mailbox
    send: ConsentState | None
    #: everything that was ever agreed, oldest first
    history: Sequence[ConsentState]


async def agreements_of(context: Context, mailbox: MailboxId) -> tuple[Agreement, ...]:
    """Every agency of ``mailbox``, in the order in which they came."""

    def work(connection: Connection) -> tuple[Agreement, ...]:
        consents = consents_in(connection, mailbox)
        rows = connection.execute(
            select(_enrolment.c.id, _agency.c.name, _agency.c.phone)
            .join(_agency, _agency.c.id == _enrolment.c.agency_id)
            .where(_enrolment.c.mailbox_id == mailbox, _enrolment.c.state == "active")
            .order_by(_enrolment.c.activated_at, _enrolment.c.id)
        )
        return tuple(
            Agreement(
                enrolment=EnrolmentId(row.id),
                agency_name=row.name,
                agency_phone=row.phone,
                receive=_in_force(consents, row.id, RECEIVE),
                send=_in_force(consents, row.id, SEND),
                history=[consent for consent in consents if consent.enrolment == row.id],
            )
            for row in rows
        )

    return await context.store.read(work)


def _in_force(consents: Sequence[ConsentState], enrolment: str, kind: str) -> ConsentState | None:
    return next(
        (
            consent
            for consent in consents
            if (consent.enrolment, consent.kind) == (enrolment, kind) and consent.revoked_at is None
        ),
        None,
    )
