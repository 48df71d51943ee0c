"""Consent: given and revoked towards one agency, for the future only (§ 37(2a) SGB X).

A consent is never deleted; dispatch asks whether one is in force. Each change is an event.
Not here: what consent means for a notice's deadline (`siegelpost.deadlines`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from siegelpost.citizens.errors import CitizenError, ConsentMissing, ConsentUnknown, InputInvalid
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, EnrolmentId, MailboxId, NoticeId, new_id
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import Agency, Consent, Enrolment, Notice, core
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks, settle_tasks

#: Kind of consent to get notices electronically.
RECEIVE = "receive"
#: Kind of consent to send things to the agency, and to be answered, through the mailbox.
SEND = "send"
KINDS = frozenset({RECEIVE, SEND})
#: Versions of the text that citizens may consent to today.
WORDINGS = frozenset({"2026-11", "2026-12"})

_consent = core(Consent)
_enrolment = core(Enrolment)
_agency = core(Agency)
_notice = core(Notice)


@dataclass(frozen=True, kw_only=True)
class ConsentState:
    """One consent, in force or revoked."""

    #: id of the consent
    id: str
    #: towards whom
    enrolment: EnrolmentId
    #: its agency
    agency: AgencyId
    #: its name as citizens know it
    agency_name: str
    #: receive | send
    kind: str
    #: version of the text
    wording: str
    #: since when
    given_at: datetime
    #: until when, or None while in force
    revoked_at: datetime | None


def check_wording(wording: str, *, receive: bool) -> str:
    """``wording`` if it can be consented to; ConsentMissing, InputInvalid."""
    if not receive:
        raise ConsentMissing("no consent to electronic delivery")
    if wording not in WORDINGS:
        raise InputInvalid("consent", "unknown version of the text")
    return wording


def insert_consent(
    connection: Connection,
    *,
    context: Context,
    enrolment: str,
    agency: str,
    mailbox: MailboxId,
    wording: str,
    now: datetime,
    kind: str = RECEIVE,
) -> EventDraft:
    """Store a consent of ``kind``, in the caller's transaction; return the event to append."""
    consent_id = new_id(now, context.entropy(ID_RANDOM))
    connection.execute(
        _consent.insert().values(
            id=consent_id,
            enrolment_id=enrolment,
            mailbox_id=mailbox,
            kind=kind,
            wording=wording,
            given_at=now,
        )
    )
    facts = {"consent": consent_id, "enrolment": enrolment, "kind": kind, "wording": wording}
    return EventDraft(
        type=EventType.CONSENT_GIVEN,
        at=now,
        agency=AgencyId(agency),
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts=facts,
    )


async def give_consent(
    context: Context,
    *,
    mailbox: MailboxId,
    enrolment: EnrolmentId,
    wording: str,
    kind: str = RECEIVE,
) -> None:
    """Consent (again) towards the agency of an enrolment; nothing happens if in force already.

    Raises ConsentUnknown if the enrolment is not an active one of this mailbox, InputInvalid.
    """
    check_wording(wording, receive=True)
    if kind not in KINDS:
        raise InputInvalid("kind", "not one of " + ", ".join(sorted(KINDS)))
    now = context.now()

    def work(connection: Connection) -> CitizenError | None:
        mine = connection.execute(
            select(_enrolment.c.agency_id)
            .where(
                _enrolment.c.id == enrolment,
                _enrolment.c.mailbox_id == mailbox,
                _enrolment.c.state == "active",
            )
            .with_for_update()  # two clicks must not make two consents
        ).one_or_none()
        if mine is None:
            return ConsentUnknown("no such enrolment")
        in_force = connection.scalar(
            select(_consent.c.id).where(
                _consent.c.enrolment_id == enrolment,
                _consent.c.kind == kind,
                _consent.c.revoked_at.is_(None),
            )
        )
        if in_force is None:
            event = insert_consent(
                connection,
                context=context,
                enrolment=enrolment,
                agency=mine.agency_id,
                mailbox=mailbox,
                wording=wording,
                now=now,
                kind=kind,
            )
            append_events(connection, [event], entropy=context.entropy)
            if kind == RECEIVE:  # the citizen can open again what would have had to go on paper
                unread = _unread(connection, enrolment)
                settle_tasks(connection, unread, [TaskKind.CONSENT_REVOKED], at=now)
        return None

    await decide(context, work)


async def revoke_consent(context: Context, *, mailbox: MailboxId, consent: str) -> datetime:
    """Revoke for the future; return since when it is revoked. Revoking twice is harmless.

    Notices that were provided stay as they are; unread ones become tasks of the agency.
    Raises ConsentUnknown for foreign ids, too.
    """
    now = context.now()

    def work(connection: Connection) -> datetime | CitizenError:
        row = connection.execute(
            select(_consent, _enrolment.c.agency_id)
            .join(_enrolment, _enrolment.c.id == _consent.c.enrolment_id)
            .where(_consent.c.id == consent, _consent.c.mailbox_id == mailbox)
        ).one_or_none()
        if row is None:
            return ConsentUnknown("no such consent")
        revoked = connection.execute(
            update(_consent)
            .where(_consent.c.id == consent, _consent.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        if not revoked.rowcount:
            before: datetime = row.revoked_at or now
            return before
        event = EventDraft(
            type=EventType.CONSENT_REVOKED,
            at=now,
            agency=AgencyId(row.agency_id),
            mailbox=mailbox,
            actor=f"mailbox:{mailbox}",
            facts={"consent": consent, "enrolment": row.enrolment_id, "kind": row.kind},
        )
        append_events(connection, [event], entropy=context.entropy)
        if row.kind == RECEIVE:
            agency = AgencyId(row.agency_id)
            tasks = [
                TaskDraft(kind=TaskKind.CONSENT_REVOKED, agency=agency, notice=notice)
                for notice in _unread(connection, row.enrolment_id)
            ]
            open_tasks(connection, tasks, now=now, entropy=context.entropy)
        return now

    return await decide(context, work)


def _unread(connection: Connection, enrolment: str) -> list[NoticeId]:
    """Notices that the citizen has not opened, and without a consent may never open."""
    notices = connection.execute(
        select(_notice.c.id).where(
            _notice.c.enrolment_id == enrolment, _notice.c.state == "provided"
        )
    )
    return [NoticeId(row.id) for row in notices]


async def consents_of(context: Context, mailbox: MailboxId) -> tuple[ConsentState, ...]:
    """Every consent of ``mailbox``, oldest first, revoked ones included."""
    return await context.store.read(lambda connection: consents_in(connection, mailbox))


def consents_in(connection: Connection, mailbox: MailboxId) -> tuple[ConsentState, ...]:
    """The same in the caller's transaction."""
    rows = connection.execute(
        select(_consent, _enrolment.c.agency_id, _agency.c.name)
        .join(_enrolment, _enrolment.c.id == _consent.c.enrolment_id)
        .join(_agency, _agency.c.id == _enrolment.c.agency_id)
        .where(_consent.c.mailbox_id == mailbox)
        .order_by(_consent.c.given_at, _consent.c.id)
    )
    return tuple(
        ConsentState(
            id=row.id,
            enrolment=EnrolmentId(row.enrolment_id),
            agency=AgencyId(row.agency_id),
            agency_name=row.name,
            kind=row.kind,
            wording=row.wording,
            given_at=row.given_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )


async def revoke_all(context: Context, *, mailbox: MailboxId) -> int:
    """Back to paper: revoke every consent to receive that is in force; return how many."""
    live = [
        consent
        for consent in await consents_of(context, mailbox)
        if consent.kind == RECEIVE and consent.revoked_at is None
    ]
    for consent in live:
        await revoke_consent(context, mailbox=mailbox, consent=consent.id)
    return len(live)
