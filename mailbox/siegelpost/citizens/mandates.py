"""Mandates: a citizen lets somebody with an account of their own see notices (DESIGN section 6).

1. `invite`: the citizen says whom, how far and how long; the citizen's browser makes a code.
2. `accept`: who got the code by hand names an account of their own (`delegate_accounts` makes one).
   The browser vouches for its key with the half of the code that the service never sees.
   The citizen gets a mail that somebody waits.
3. `confirm`: the citizen looks at who came, proves the login again, and gives the mandate.
4. `end`: by either of them, at once. What the delegate has seen or saved, nobody takes back.

Each giving and ending is an event on the chain of the citizen's mailbox and a mail to both.
Events name the mandate by a pseudonym; names stay in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from siegelpost.citizens import peppers
from siegelpost.citizens.errors import (
    InputInvalid,
    InvitationUnknown,
    MandateClosed,
    MandateUnknown,
)
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.citizens.telling import tell_owner
from siegelpost.citizens.text import checked_line
from siegelpost.citizens.writing import decide
from siegelpost.deadlines.calendar import BERLIN, day
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, KeyId, MailboxId, new_id
from siegelpost.evidence.times import format_time
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.outbox import AlertKind
from siegelpost.store.tables import (
    DelegatedHeader,
    Enrolment,
    Mailbox,
    MailboxKey,
    Mandate,
    core,
)

#: How far: the titles in the list, the notices themselves, or replies to them, too.
TITLES, READ, REPLY = "titles", "read", "reply"
#: How long a code can be used.
CODE_LIFETIME = timedelta(days=14)
#: Most mandates of one mailbox that are invited or in force.
OPEN_LIMIT = 10
#: Bytes of what the browser makes.
SALT_SIZE, HALF_SIZE = 16, 32

_mandate = core(Mandate)
_header = core(DelegatedHeader)
_mailbox = core(Mailbox)
_key = core(MailboxKey)
_enrolment = core(Enrolment)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What the citizen wants; construction raises InputInvalid."""

    #: the delegate, as the citizen writes it
    helper_name: str
    #: the citizen, as the delegate shall see it
    giver_name: str
    #: titles | read | reply
    role: str
    #: whether the delegate's retrieval is the citizen's; not with ``titles``
    counts: bool
    #: one agency, or None for all
    agency: str | None
    #: first day
    starts_on: date
    #: last day, or None
    ends_on: date | None
    #: 16 bytes, from which the browser derives the code again
    code_salt: bytes
    #: 32 bytes: the half of the code that the service may know
    code_proof: bytes

    def __post_init__(self) -> None:
        checked_line(self.helper_name, "helper_name", longest=80)
        checked_line(self.giver_name, "giver_name", longest=80)
        if self.role not in (TITLES, READ, REPLY):
            raise InputInvalid("role", "not titles, read or reply")
        if self.counts and self.role == TITLES:
            raise InputInvalid("counts", "only who may read can retrieve")
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise InputInvalid("ends_on", "before the first day")
        if len(self.code_salt) != SALT_SIZE:
            raise InputInvalid("code_salt", f"not {SALT_SIZE} bytes")
        check_proof(self.code_proof)


def check_proof(proof: bytes) -> None:
    """InputInvalid unless of the right size."""
    if len(proof) != HALF_SIZE:
        raise InputInvalid("code_proof", f"not {HALF_SIZE} bytes")


async def invite(context: Context, session: CitizenSession, given: Invitation) -> str:
    """Open an invitation; return the mandate's id.

    Raises InputInvalid (also for agencies that the mailbox has nothing to do with).
    """
    now = context.now()
    mandate = new_id(now, context.entropy(ID_RANDOM))

    def work(connection: Connection) -> str:
        mailbox = session.mailbox
        connection.execute(select(_mailbox.c.id).where(_mailbox.c.id == mailbox).with_for_update())
        open_now = connection.scalar(
            select(func.count())
            .select_from(_mandate)
            .where(
                _mandate.c.mailbox_id == mailbox,
                _mandate.c.ended_at.is_(None),
                or_(_mandate.c.ends_at.is_(None), _mandate.c.ends_at > now),
                or_(_mandate.c.accepted_at.is_not(None), _mandate.c.code_expires_at > now),
            )
        )
        if (open_now or 0) >= OPEN_LIMIT:
            raise InputInvalid("helper_name", f"more than {OPEN_LIMIT} mandates")
        if given.agency is not None and not connection.scalar(
            select(_enrolment.c.id)
            .where(_enrolment.c.mailbox_id == mailbox, _enrolment.c.agency_id == given.agency)
            .limit(1)
        ):
            raise InputInvalid("agency", "no agency of this mailbox")
        ends_on = given.ends_on
        if ends_on is not None and ends_on < day(now):
            raise InputInvalid("ends_on", "in the past")
        connection.execute(
            _mandate.insert().values(
                id=mandate,
                mailbox_id=mailbox,
                helper_name=checked_line(given.helper_name, "helper_name", longest=80),
                giver_name=checked_line(given.giver_name, "giver_name", longest=80),
                role=given.role,
                counts=given.counts,
                agency_id=given.agency,
                starts_at=_midnight(given.starts_on),
                ends_at=None if ends_on is None else _midnight(ends_on + timedelta(days=1)),
                code_salt=given.code_salt,
                code_digest=peppers.digest(context, "invitation", given.code_proof),
                code_expires_at=now + CODE_LIFETIME,
                created_at=now,
            )
        )
        return mandate

    return await decide(context, work)


def open_invitation(
    connection: Connection, context: Context, proof: bytes, now: datetime
) -> AnyRow:
    """The mandate that waits for the holder of this code, locked.

    InvitationUnknown for codes that never were, were used, ran out or were called off, alike.
    """
    check_proof(proof)
    row = connection.execute(
        select(_mandate)
        .where(
            _mandate.c.code_digest.in_(peppers.digests(context, "invitation", proof)),
            _mandate.c.code_expires_at > now,
            _mandate.c.ended_at.is_(None),
            or_(_mandate.c.ends_at.is_(None), _mandate.c.ends_at > now),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise InvitationUnknown("no invitation waits for this code")
    return row


async def accept(
    context: Context, session: CitizenSession, *, proof: bytes, key: KeyId, mac: bytes
) -> str:
    """Take the invitation with the account that is logged in; return the mandate's id.

    ``key`` is that account's key in force, ``mac`` what the other half of the code says about it.
    Raises InvitationUnknown, InputInvalid.
    """
    now = context.now()

    def work(connection: Connection) -> str:
        row = open_invitation(connection, context, proof, now)
        if row.mailbox_id == session.mailbox:
            raise InputInvalid("code_proof", "an invitation of one's own")
        take(connection, context, row.id, delegate=session.mailbox, key=key, mac=mac, now=now)
        return str(row.id)

    mandate = await decide(context, work)
    context.store.alerts_queued.set()
    return mandate


def take(
    connection: Connection,
    context: Context,
    mandate: str,
    *,
    delegate: MailboxId,
    key: KeyId,
    mac: bytes,
    now: datetime,
) -> bool:
    """Note who came with the code, in the caller's transaction; False if somebody was faster.

    Queues a mail to the citizen, who has to look.
    """
    if len(mac) != HALF_SIZE:
        raise InputInvalid("key_mac", f"not {HALF_SIZE} bytes")
    live = select(_key.c.id).where(
        _key.c.id == key, _key.c.mailbox_id == delegate, _key.c.retired_at.is_(None)
    )
    if connection.scalar(live) is None:
        raise InputInvalid("key", "not the key in force")
    taken = connection.execute(
        update(_mandate)
        .where(
            _mandate.c.id == mandate,
            _mandate.c.delegate_id.is_(None),
            _mandate.c.ended_at.is_(None),
        )
        .values(delegate_id=delegate, key_id=key, key_mac=mac, accepted_at=now, code_digest=None)
        .returning(_mandate.c.mailbox_id)
    ).one_or_none()
    if taken is None:
        return False
    tell_owner(connection, context, MailboxId(taken.mailbox_id), AlertKind.INVITATION_ACCEPTED)
    return True


async def confirm(context: Context, session: CitizenSession, mandate: str) -> None:
    """Give the mandate: from now on, within its period, the delegate sees notices.

    Raises MandateUnknown (also for foreign ones), MandateClosed (nobody came yet, or it is over),
    ProofNeeded, SessionOver.
    """
    now = context.now()

    def work(connection: Connection) -> None:
        need_proof(connection, session, now)
        row = connection.execute(
            select(_mandate).where(
                _mandate.c.id == mandate, _mandate.c.mailbox_id == session.mailbox
            )
        ).one_or_none()
        if row is None:
            raise MandateUnknown("no such mandate")
        if row.confirmed_at is not None and row.ended_at is None:
            return
        if row.accepted_at is None or row.ended_at is not None:
            raise MandateClosed("nobody came with the code, or it is over")
        connection.execute(
            update(_mandate).where(_mandate.c.id == mandate).values(confirmed_at=now)
        )
        facts: dict[str, Json] = {
            "mandate": mandate,
            "role": row.role,
            "counts": row.counts,
            "key": row.key_id,
            "starts_at": format_time(row.starts_at),
            "ends_at": None if row.ends_at is None else format_time(row.ends_at),
            "agency": row.agency_id,
        }
        given = EventDraft(
            type=EventType.MANDATE_GIVEN,
            at=now,
            mailbox=session.mailbox,
            actor=f"mailbox:{session.mailbox}",
            facts=facts,
        )
        append_events(connection, [given], entropy=context.entropy)
        _tell(connection, context, row)

    await decide(context, work)
    context.store.alerts_queued.set()


async def end(context: Context, mailbox: MailboxId, mandate: str) -> None:
    """End a mandate or call off an invitation, as its giver or its delegate; twice is as good.

    New notices are no longer sealed to the delegate, and the service hands out nothing more.
    Raises MandateUnknown (also for foreign ones).
    """
    now = context.now()

    def work(connection: Connection) -> None:
        mine = select(_mandate).where(
            _mandate.c.id == mandate,
            or_(_mandate.c.mailbox_id == mailbox, _mandate.c.delegate_id == mailbox),
        )
        row = connection.execute(mine).one_or_none()
        if row is None:
            raise MandateUnknown("no such mandate")
        by = "giver" if row.mailbox_id == mailbox else "delegate"
        append_events(
            connection, _end(connection, context, [row], by, now), entropy=context.entropy
        )

    await decide(context, work)
    context.store.alerts_queued.set()


def end_all(
    connection: Connection, context: Context, mailbox: MailboxId, now: datetime
) -> list[EventDraft]:
    """End what ``mailbox`` gave and got, in the caller's transaction; return the events.

    For a mailbox whose owner lost everything: whoever comes back by a letter of an agency gets
    nothing that others entrusted to the one of before.
    """
    rows = connection.execute(
        select(_mandate).where(
            or_(_mandate.c.mailbox_id == mailbox, _mandate.c.delegate_id == mailbox),
            _mandate.c.ended_at.is_(None),
        )
    ).all()
    return _end(connection, context, rows, "service", now)


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete the headers of mandates whose period is over; return how many."""
    over = select(_mandate.c.id).where(_mandate.c.ends_at <= now)
    return connection.execute(delete(_header).where(_header.c.mandate_id.in_(over))).rowcount


def _end(
    connection: Connection, context: Context, rows: Sequence[AnyRow], by: str, now: datetime
) -> list[EventDraft]:
    # Dispatches that commit have the givers' mailboxes locked to read, and look at mandates after
    # that: they come before us, and we delete what they stored, or they see the end.
    givers = sorted({row.mailbox_id for row in rows})
    connection.execute(
        select(_mailbox.c.id)
        .where(_mailbox.c.id.in_(givers))
        .order_by(_mailbox.c.id)
        .with_for_update()
    )
    drafts = []
    for row in rows:
        ended = connection.execute(
            update(_mandate)
            .where(_mandate.c.id == row.id, _mandate.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=by, code_digest=None)
            .returning(_mandate.c.confirmed_at)
        ).one_or_none()
        connection.execute(delete(_header).where(_header.c.mandate_id == row.id))
        if ended is None or ended.confirmed_at is None:
            continue
        giver = MailboxId(row.mailbox_id)
        actor = {"giver": f"mailbox:{giver}", "delegate": f"delegate:{row.id}"}.get(by, "service")
        drafts.append(
            EventDraft(
                type=EventType.MANDATE_REVOKED,
                at=now,
                mailbox=giver,
                actor=actor,
                facts={"mandate": row.id, "by": by},
            )
        )
        _tell(connection, context, row)
    return drafts


def _tell(connection: Connection, context: Context, row: AnyRow) -> None:
    """A mail to both that something changed; the names stand in the mailbox only."""
    for mailbox in (row.mailbox_id, row.delegate_id):
        if mailbox is not None:
            tell_owner(connection, context, MailboxId(mailbox), AlertKind.MANDATE_CHANGED)


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=BERLIN)
