"""Activate: from the letter code to a mailbox with keys, consent and a confirmed address.

DESIGN section 6, in three steps with one cookie between them:

1. `begin`: letter code and birth date; reserves the ids that the wrapped seeds will name.
2. `addresses`: an e-mail address, confirmed by eight digits.
3. `finish`: login, keys, consent; in one transaction with their events.

Each step can be repeated: a double click, a reload and a lost answer are harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from siegelpost.citizens.codes import cookie_digest
from siegelpost.citizens.errors import ActivationOver, CitizenError
from siegelpost.citizens.letter_check import LetterCheck
from siegelpost.citizens.sessions import new_cookie
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, KeyId, MailboxId, new_id
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.tables import Activation, Enrolment, core

#: An activation must be finished within this time.
ACTIVATION_LIFETIME = timedelta(minutes=60)

_activation = core(Activation)
_enrolment = core(Enrolment)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An activation under way."""

    #: value for the activation cookie, shown to nobody else
    cookie: str
    #: reserved id of the mailbox to be
    mailbox: MailboxId
    #: reserved id of its first key
    key: KeyId
    #: who sent the letter
    agency: AgencyId
    #: its name as citizens know it
    agency_name: str
    #: for help
    agency_phone: str
    #: "Frau Beispiel"
    salutation: str
    #: language that the agency noted
    language: str
    #: whether the letter is for a new key of a mailbox that there is already
    renewal: bool
    #: whether the agency offers that the service keeps the key
    managed_allowed: bool


async def begin(context: Context, *, code: str, birth_date: str) -> Begun:
    """Check the letter code and open an activation of 60 minutes.

    Raises InputInvalid, ActivationRefused (also for codes that don't exist), ActivationLocked,
    ActivationExpired, ActivationUsed, TooManyTries.
    """
    check = LetterCheck(context, code=code, birth_date=birth_date)
    now = context.now()
    cookie = new_cookie(context.entropy)
    mailbox = MailboxId(new_id(now, context.entropy(ID_RANDOM)))
    key = KeyId(new_id(now, context.entropy(ID_RANDOM)))

    def work(connection: Connection) -> Begun | CitizenError:
        enrolment = check.run(connection, now)
        if isinstance(enrolment, CitizenError):
            return enrolment
        renewal = enrolment.renewal_at is not None
        box = MailboxId(enrolment.mailbox_id) if renewal else mailbox
        connection.execute(
            _activation.insert().values(
                digest=cookie_digest(cookie),
                enrolment_id=enrolment.id,
                kind="renewal" if renewal else "new",
                mailbox_id=box,
                key_id=key,
                created_at=now,
                expires_at=now + ACTIVATION_LIFETIME,
            )
        )
        return Begun(
            cookie=cookie,
            mailbox=box,
            key=key,
            agency=AgencyId(enrolment.agency_id),
            agency_name=enrolment.agency_name,
            agency_phone=enrolment.agency_phone,
            salutation=enrolment.salutation,
            language=enrolment.language,
            renewal=renewal,
            managed_allowed=enrolment.managed_allowed,
        )

    return await decide(context, work)


def activation_of(connection: Connection, cookie: str, now: datetime) -> AnyRow:
    """The activation's row with its enrolment's ``agency_id``, ``language``, ``enrolment_state``.

    These are None for an invited delegate.

    Raises ActivationOver if none is under way for ``cookie``.
    """
    row = connection.execute(
        select(
            _activation,
            _enrolment.c.agency_id,
            _enrolment.c.language,
            _enrolment.c.managed_allowed,
            _enrolment.c.state.label("enrolment_state"),
        )
        # An invited delegate has none.
        .outerjoin(_enrolment, _enrolment.c.id == _activation.c.enrolment_id)
        .where(_activation.c.digest == cookie_digest(cookie), _activation.c.expires_at > now)
    ).one_or_none()
    if row is None:
        raise ActivationOver("no activation under way")
    return row


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete activations that ran out; return how many."""
    return connection.execute(delete(_activation).where(_activation.c.expires_at <= now)).rowcount
