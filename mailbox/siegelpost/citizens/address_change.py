"""Changing the e-mail address of an active mailbox: proven, confirmed by digits, told to the old.

Until the new address is confirmed alerts go to the old one, so a typing error costs nothing.
A change needs a fresh proof of the login (`proofs`): alerts start deadlines, and who diverts them
hides a notice. The login name stays. Salutation and language are the citizen's to set, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from siegelpost.citizens import codes, peppers, throttle
from siegelpost.citizens.addresses import ADDRESS_CODE_LIFETIME, WRONG_CODES_LIMIT
from siegelpost.citizens.enrol import LANGUAGES
from siegelpost.citizens.errors import (
    AddressCodeWrong,
    AddressUnconfirmed,
    CitizenError,
    InputInvalid,
    TooManyTries,
)
from siegelpost.citizens.proofs import need_proof
from siegelpost.citizens.sessions import CitizenSession
from siegelpost.citizens.text import checked_email
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, MailboxId, new_id
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.outbox import AlertKind, queue_alert
from siegelpost.store.tables import Address, Enrolment, LoginStep, Mailbox, core

_address = core(Address)
_enrolment = core(Enrolment)
_mailbox = core(Mailbox)
_step = core(LoginStep)


@dataclass(frozen=True, kw_only=True)
class MailboxAddress:
    """An address of the mailbox, present or past."""

    #: as typed, normalised
    email: str
    #: when its owner confirmed it
    confirmed_at: datetime
    #: since when mail to it is refused for good
    failed_at: datetime | None
    #: until when alerts went there; None: they do
    removed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """What the mailbox sends where, and how it addresses its owner."""

    #: where alerts go, the present one last; older ones before
    addresses: Sequence[MailboxAddress]
    #: asked for, waits for its digits; None if nothing waits
    pending: str | None
    #: of alerts
    language: str
    #: may alerts carry the salutation name
    salutation_allowed: bool
    #: that name, as the agency wrote it; None without an agency
    salutation: str | None


async def mail_settings(context: Context, mailbox: MailboxId) -> MailSettings:
    """The settings of ``mailbox``, for its owner."""
    now = context.now()

    def work(connection: Connection) -> MailSettings:
        box = connection.execute(select(_mailbox).where(_mailbox.c.id == mailbox)).one()
        rows = connection.execute(
            select(_address)
            .where(_address.c.mailbox_id == mailbox, _address.c.confirmed_at.is_not(None))
            .order_by(_address.c.confirmed_at, _address.c.id)
        )
        enrolment = _newest_enrolment(connection, mailbox)
        pending = _pending(connection, mailbox)
        waits = pending is not None and _is_live(pending, now)
        return MailSettings(
            addresses=[
                MailboxAddress(
                    email=row.email,
                    confirmed_at=row.confirmed_at,
                    failed_at=row.failed_at,
                    removed_at=row.removed_at,
                )
                for row in rows
            ],
            pending=pending.email if pending is not None and waits else None,
            language=box.language,
            salutation_allowed=box.salutation_allowed,
            salutation=None if enrolment is None else enrolment.salutation,
        )

    return await context.store.read(work)


async def ask_new_address(context: Context, session: CitizenSession, *, email: str) -> None:
    """Queue a mail with eight digits to ``email``; only the newest digits work.

    Raises InputInvalid, ProofNeeded, SessionOver, TooManyTries.
    """
    email = checked_email(email)
    now = context.now()
    mailbox = session.mailbox
    address_id = new_id(now, context.entropy(ID_RANDOM))
    keys = ((throttle.ADDRESS_MAIL, email.casefold()), (throttle.ADDRESS_ASKED, mailbox))

    def work(connection: Connection) -> CitizenError | None:
        box = need_proof(connection, session, now)
        for policy, tried in keys:
            key = peppers.digest(context, "throttle", policy.kind, tried)
            if isinstance(
                refusal := throttle.begin_try(connection, key, policy, now=now), TooManyTries
            ):
                return refusal
        _drop_pending(connection, mailbox, now)
        connection.execute(
            _address.insert().values(id=address_id, mailbox_id=mailbox, email=email, created_at=now)
        )
        enrolment = _newest_enrolment(connection, mailbox)
        alert = queue_alert(
            connection,
            kind=AlertKind.ADDRESS_CHANGE_CODE,
            address_id=address_id,
            agency_id=None if enrolment is None else enrolment.agency_id,
            mailbox_id=mailbox,
            language=box.language,
            now=now,
            entropy=context.entropy,
            give_up_after=ADDRESS_CODE_LIFETIME,
        )
        code = address_code_for(context.keyring, alert)
        connection.execute(
            update(_address)
            .where(_address.c.id == address_id)
            .values(
                code_digest=peppers.digest(context, "address-code", address_id, code),
                code_expires_at=now + ADDRESS_CODE_LIFETIME,
            )
        )
        return None

    await decide(context, work)
    context.store.alerts_queued.set()


async def confirm_new_address(context: Context, session: CitizenSession, *, code: str) -> None:
    """Make the address that waits the mailbox's only one, and tell the old one.

    Raises InputInvalid, AddressUnconfirmed (none waits), AddressCodeWrong.
    """
    digits = codes.normal_digits(code)
    now = context.now()
    mailbox = session.mailbox

    def work(connection: Connection) -> CitizenError | None:
        pending = _pending(connection, mailbox, lock=True)
        if pending is None:
            return AddressUnconfirmed("no address waits for its code")
        stored = pending.code_digest
        right = stored is not None and peppers.matches(
            context, bytes(stored), "address-code", pending.id, digits
        )
        if not right or not _is_live(pending, now):
            connection.execute(
                update(_address)
                .where(_address.c.id == pending.id)
                .values(code_failures=_address.c.code_failures + 1)
            )
            return AddressCodeWrong("the code is wrong, too old, or was tried too often")
        _replace(connection, context, mailbox, pending, now)
        return None

    await decide(context, work)
    context.store.alerts_queued.set()


async def drop_new_address(context: Context, session: CitizenSession) -> None:
    """Forget the address that waits, if one does."""
    now = context.now()
    await context.store.write(lambda connection: _drop_pending(connection, session.mailbox, now))


async def set_mail_settings(
    context: Context, session: CitizenSession, *, language: str, salutation_allowed: bool
) -> None:
    """Set how alerts speak; InputInvalid for a language that they don't have."""
    if language not in LANGUAGES:
        raise InputInvalid("language", "not one of " + ", ".join(LANGUAGES))

    def work(connection: Connection) -> None:
        connection.execute(
            update(_mailbox)
            .where(_mailbox.c.id == session.mailbox)
            .values(language=language, salutation_allowed=salutation_allowed)
        )

    await context.store.write(work)


def _replace(
    connection: Connection, context: Context, mailbox: MailboxId, pending: AnyRow, now: datetime
) -> None:
    live = (
        _address.c.mailbox_id == mailbox,
        _address.c.confirmed_at.is_not(None),
        _address.c.removed_at.is_(None),
    )
    old = connection.execute(select(_address).where(*live)).all()
    connection.execute(update(_address).where(*live).values(removed_at=now))
    connection.execute(
        update(_address)
        .where(_address.c.id == pending.id)
        .values(confirmed_at=now, code_digest=None)
    )
    # A login's code that was mailed to the old address is worth nothing any more.
    connection.execute(delete(_step).where(_step.c.mailbox_id == mailbox))
    facts = {"address": pending.id, "email": pending.email}
    if old:
        facts["previous"] = old[-1].id
    event = EventDraft(
        type=EventType.ADDRESS_CHANGED,
        at=now,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts=facts,
    )
    append_events(connection, [event], entropy=context.entropy)
    enrolment = _newest_enrolment(connection, mailbox)
    language = connection.scalar(select(_mailbox.c.language).where(_mailbox.c.id == mailbox))
    for row in old:
        if row.failed_at is None and row.email != pending.email:
            queue_alert(
                connection,
                kind=AlertKind.ADDRESS_CHANGED,
                address_id=row.id,
                agency_id=None if enrolment is None else enrolment.agency_id,
                mailbox_id=mailbox,
                language=str(language),
                now=now,
                entropy=context.entropy,
            )


def _pending(connection: Connection, mailbox: MailboxId, *, lock: bool = False) -> AnyRow | None:
    query = (
        select(_address)
        .where(
            _address.c.mailbox_id == mailbox,
            _address.c.confirmed_at.is_(None),
            _address.c.removed_at.is_(None),
        )
        .order_by(_address.c.id.desc())
        .limit(1)
    )
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _drop_pending(connection: Connection, mailbox: MailboxId, now: datetime) -> None:
    connection.execute(
        update(_address)
        .where(
            _address.c.mailbox_id == mailbox,
            _address.c.confirmed_at.is_(None),
            _address.c.removed_at.is_(None),
        )
        .values(removed_at=now, code_digest=None)
    )


def _is_live(pending: AnyRow, now: datetime) -> bool:
    expires_at: datetime | None = pending.code_expires_at
    tries: int = pending.code_failures
    return expires_at is not None and expires_at > now and tries < WRONG_CODES_LIMIT


def _newest_enrolment(connection: Connection, mailbox: MailboxId) -> AnyRow | None:
    return connection.execute(
        select(_enrolment)
        .where(_enrolment.c.mailbox_id == mailbox, _enrolment.c.state == "active")
        .order_by(_enrolment.c.activated_at.desc(), _enrolment.c.id.desc())
        .limit(1)
    ).one_or_none()
