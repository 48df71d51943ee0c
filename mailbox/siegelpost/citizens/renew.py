"""Renew: all is lost, and the agency sends a letter for a new key of the same mailbox.

DESIGN section 6. `renewal_letter` is the agency's call, `settle_renewal` the end of the wizard
that the letter leads to. What the lost key opened stays closed for ever; each such notice becomes
a task of its agency. Nothing of before logs in any more.
Enrolments of other agencies are untied, so that no agency gets at another's notices by a letter of
its own: their next letters tie them again. Mandates that the mailbox gave or got end.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens import codes, peppers
from siegelpost.citizens.consent import RECEIVE, insert_consent
from siegelpost.citizens.enrol import CODE_LIFETIME, Enrolled
from siegelpost.citizens.errors import (
    AddressUnconfirmed,
    EnrolmentInactive,
    EnrolmentUnknown,
    LoginNameForeign,
    LoginNameTaken,
)
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import MANAGED, CheckedKey, insert_key, key_bound, retire_key
from siegelpost.citizens.letters import ActivationLetter, PostalAddress, activation_letter
from siegelpost.citizens.login import RECOVERY_CODE, stored_proof
from siegelpost.citizens.mandates import end_all
from siegelpost.citizens.text import normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId
from siegelpost.sealing.wrapping import Method
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import (
    Activation,
    Address,
    Agency,
    Consent,
    Enrolment,
    KnownBrowser,
    LoginStep,
    Mailbox,
    MailboxKey,
    Notice,
    OidcLink,
    Passkey,
    Session,
    Totp,
    WrappedSeed,
    core,
)
from siegelpost.store.tasks import TaskDraft, TaskKind, open_tasks

_activation = core(Activation)
_address = core(Address)
_agency = core(Agency)
_consent = core(Consent)
_enrolment = core(Enrolment)
_key = core(MailboxKey)
_mailbox = core(Mailbox)
_notice = core(Notice)
_wrapped = core(WrappedSeed)
#: Whatever logged in before, or was about to.
_LOGINS = tuple(
    core(table) for table in (Passkey, Totp, OidcLink, KnownBrowser, LoginStep, Session)
)


async def renewal_letter(
    context: Context,
    *,
    agency_id: str,
    client_id: str,
    enrolment_id: str,
    address: PostalAddress,
    portal_address: str | None = None,
) -> Enrolled:
    """A letter by which the citizen of an active enrolment makes a new key; an event says so.

    Again: a new code, and the letter before is dead. Raises EnrolmentUnknown (also for foreign
    ones), EnrolmentInactive (nobody has activated it: enrol again).
    """
    now = context.now()
    code = codes.make_code(context.entropy(codes.CODE_RANDOM))
    digest = peppers.digest(context, "activation-code", codes.normal_code(code))

    def work(connection: Connection) -> AnyRow:
        mine = (_enrolment.c.id == enrolment_id) & (_enrolment.c.agency_id == agency_id)
        row = connection.execute(
            select(_enrolment, _agency.c.name, _agency.c.phone)
            .join(_agency, _agency.c.id == _enrolment.c.agency_id)
            .where(mine)
            .with_for_update(of=_enrolment)
        ).one_or_none()
        if row is None:
            raise EnrolmentUnknown("no such enrolment")
        if row.state != "active" or row.mailbox_id is None:
            raise EnrolmentInactive("nobody has activated this enrolment")
        connection.execute(
            update(_enrolment)
            .where(mine)
            .values(
                code_digest=digest,
                code_expires_at=now + CODE_LIFETIME,
                code_failures=0,
                renewal_at=now,
            )
        )
        connection.execute(delete(_activation).where(_activation.c.enrolment_id == enrolment_id))
        asked = EventDraft(
            type=EventType.RENEWAL_ASKED,
            at=now,
            agency=AgencyId(agency_id),
            mailbox=MailboxId(row.mailbox_id),
            actor=f"client:{client_id}",
            facts={"enrolment": enrolment_id},
        )
        append_events(connection, [asked], entropy=context.entropy)
        return row

    row = await decide(context, work)
    pdf = await asyncio.to_thread(
        activation_letter,
        ActivationLetter(
            agency_name=row.name,
            agency_phone=row.phone,
            reference=row.reference,
            salutation=row.salutation,
            address=address,
            code=code,
            code_expires_at=now + CODE_LIFETIME,
            portal_address=portal_address or f"https://{context.origin}",
            made_at=now,
        ),
    )
    return Enrolled(
        enrolment_id=enrolment_id,
        activation_code=code,
        letter_pdf=pdf,
        code_expires_at=now + CODE_LIFETIME,
    )


def settle_renewal(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
    name: str,
) -> bool:
    """Bind the new key, if this letter was not used yet: return whether it was still good.

    Raises AddressUnconfirmed, LoginNameTaken, LoginNameForeign; the caller's transaction then
    takes everything back.
    """
    now, mailbox = context.now(), checked.binding.mailbox
    first = connection.execute(
        update(_enrolment)
        .where(_enrolment.c.id == activation.enrolment_id, _enrolment.c.renewal_at.is_not(None))
        .values(renewal_at=None)
    )
    if not first.rowcount:
        return False
    connection.execute(select(_mailbox.c.id).where(_mailbox.c.id == mailbox).with_for_update())
    drafts = _new_login(connection, context, activation, mailbox, given, name, now)
    for table in _LOGINS:
        connection.execute(delete(table).where(table.c.mailbox_id == mailbox))
    drafts += _new_key(connection, context, activation, checked, now)
    drafts += _consents(connection, context, activation, mailbox, given, now)
    drafts += end_all(connection, context, mailbox, now)
    append_events(connection, drafts, entropy=context.entropy)
    return True


def _new_login(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    mailbox: MailboxId,
    given: Finish,
    name: str,
    now: datetime,
) -> list[EventDraft]:
    address = connection.execute(
        select(_address).where(
            _address.c.id == activation.address_id, _address.c.confirmed_at.is_not(None)
        )
    ).one_or_none()
    if address is None:
        raise AddressUnconfirmed("no confirmed address")
    if "@" in name and name != normal_login_name(address.email):
        raise LoginNameForeign("an e-mail address other than the confirmed one")
    owner = connection.scalar(select(_mailbox.c.id).where(_mailbox.c.login_name == name))
    if owner not in (None, mailbox):
        raise LoginNameTaken("another mailbox uses this login name")
    recovery = given.recovery_proof
    try:
        connection.execute(
            update(_mailbox)
            .where(_mailbox.c.id == mailbox)
            .values(
                login_name=name,
                login_salt=given.login_salt,
                login_proof=stored_proof(context, mailbox, given.login_proof),
                recovery_salt=given.recovery_salt,
                recovery_proof=(
                    None
                    if recovery is None
                    else stored_proof(context, mailbox, recovery, RECOVERY_CODE)
                ),
                language=given.language,
                salutation_allowed=given.salutation_allowed,
            )
        )
    except IntegrityError as error:
        raise LoginNameTaken("another mailbox has just taken this login name") from error
    # Whoever lost everything may have lost the old address with it.
    connection.execute(
        update(_address)
        .where(_address.c.mailbox_id == mailbox, _address.c.removed_at.is_(None))
        .values(removed_at=now)
    )
    connection.execute(
        update(_address)
        .where(_address.c.id == address.id)
        .values(mailbox_id=mailbox, code_digest=None)
    )
    return [
        EventDraft(
            type=EventType.ADDRESS_CHANGED,
            at=now,
            mailbox=mailbox,
            actor=f"mailbox:{mailbox}",
            facts={"address": address.id, "email": address.email},
        )
    ]


def _new_key(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    now: datetime,
) -> list[EventDraft]:
    mailbox = checked.binding.mailbox
    old = connection.execute(
        select(_key.c.id, _key.c.custody).where(
            _key.c.mailbox_id == mailbox, _key.c.retired_at.is_(None)
        )
    ).all()
    drafts = [key_bound(checked, agency=None, now=now)]
    for row in old:
        # What the service keeps is not lost: it goes on opening the notices of before.
        drafts.append(
            retire_key(
                connection,
                mailbox,
                KeyId(row.id),
                reason="lost",
                now=now,
                keep_managed=row.custody == MANAGED,
            )
        )
    insert_key(connection, checked, context=context, now=now)
    kept = select(_wrapped.c.key_id).where(
        _wrapped.c.mailbox_id == mailbox, _wrapped.c.method == Method.MANAGED.value
    )
    # Also what the citizen took over and did not re-wrap: of that the service keeps nothing.
    lost = select(_key.c.id).where(
        _key.c.mailbox_id == mailbox, _key.c.retired_at.is_not(None), _key.c.id.not_in(kept)
    )
    unreadable = connection.execute(
        select(_notice.c.id, _notice.c.agency_id).where(
            _notice.c.mailbox_id == mailbox,
            # Those of untied enrolments stay out of sight until their agency's next letter.
            _notice.c.key_id.in_(lost) | (_notice.c.enrolment_id != activation.enrolment_id),
            _notice.c.state.not_in(("withdrawn", "closed")),
        )
    )
    tasks = [
        TaskDraft(
            kind=TaskKind.REPROVIDE,
            agency=AgencyId(row.agency_id),
            notice=NoticeId(row.id),
            facts={"reason": "key-lost"},
        )
        for row in unreadable
    ]
    open_tasks(connection, tasks, now=now, entropy=context.entropy)
    return drafts


def _consents(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    mailbox: MailboxId,
    given: Finish,
    now: datetime,
) -> list[EventDraft]:
    drafts = []
    in_force = connection.execute(
        select(_consent, _enrolment.c.agency_id)
        .join(_enrolment, _enrolment.c.id == _consent.c.enrolment_id)
        .where(_consent.c.mailbox_id == mailbox, _consent.c.revoked_at.is_(None))
    ).all()
    others = [row for row in in_force if row.enrolment_id != activation.enrolment_id]
    for row in others:
        connection.execute(update(_consent).where(_consent.c.id == row.id).values(revoked_at=now))
        drafts.append(
            EventDraft(
                type=EventType.CONSENT_REVOKED,
                at=now,
                agency=AgencyId(row.agency_id),
                mailbox=mailbox,
                actor="service",
                facts={
                    "consent": row.id,
                    "enrolment": row.enrolment_id,
                    "kind": row.kind,
                    "reason": "mailbox-renewed",
                },
            )
        )
    connection.execute(
        update(_enrolment)
        .where(_enrolment.c.mailbox_id == mailbox, _enrolment.c.id != activation.enrolment_id)
        .values(state="issued", mailbox_id=None, code_digest=None, renewal_at=None)
    )
    own = [row for row in in_force if row.enrolment_id == activation.enrolment_id]
    if not any(row.kind == RECEIVE for row in own):
        drafts.append(
            insert_consent(
                connection,
                context=context,
                enrolment=activation.enrolment_id,
                agency=activation.agency_id,
                mailbox=mailbox,
                wording=given.wording,
                now=now,
            )
        )
    return drafts
