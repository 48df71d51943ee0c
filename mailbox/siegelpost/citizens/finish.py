"""Finish an activation: mailbox, keys, consent, address and their events in one transaction.

DESIGN sections 4 and 6. Two finishes at once make one mailbox: the enrolment changes from issued
to active only once, and whoever comes second with the same keys and login gets the same mailbox.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.activate import activation_of
from siegelpost.citizens.consent import insert_consent
from siegelpost.citizens.errors import (
    ActivationOver,
    ActivationUsed,
    AddressUnconfirmed,
    CitizenError,
    InputInvalid,
    LoginNameForeign,
    LoginNameTaken,
    TooManyTries,
)
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import CheckedKey, check_key, insert_key, key_bound
from siegelpost.citizens.login import RECOVERY_CODE, LoggedIn, stored_proof
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.managed import check_managed_key
from siegelpost.citizens.renew import settle_renewal
from siegelpost.citizens.sessions import new_cookie, open_session
from siegelpost.citizens.text import normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.tables import Address, Enrolment, Mailbox, MailboxKey, core

_enrolment = core(Enrolment)
_mailbox = core(Mailbox)
_key = core(MailboxKey)
_address = core(Address)


async def finish(
    context: Context, *, cookie: str, given: Finish, device: str = "", managed: bool = False
) -> LoggedIn:
    """Make the mailbox, or give the one of before a new key, and log its owner in.

    ``managed``: whether the site lets the service keep keys, where the agency offered it.

    Raises ActivationOver, ActivationUsed (somebody finished with other keys), AddressUnconfirmed,
    LoginNameTaken, LoginNameForeign, KeyBindingWrong, InputInvalid, TooManyTries.
    """
    now = context.now()
    begun = await context.store.read(lambda connection: activation_of(connection, cookie, now))
    mailbox = MailboxId(begun.mailbox_id)
    if given.managed_seed is not None and not (managed and begun.managed_allowed):
        raise InputInvalid("managed_seed", "managed mailboxes are not offered here")
    checked = await _check(context, mailbox, KeyId(begun.key_id), given)
    name = normal_login_name(given.login_name)
    session_cookie = new_cookie(context.entropy)
    tried = peppers.digest(context, "throttle", throttle.FINISH.kind, begun.digest)

    def work(connection: Connection) -> LoggedIn | CitizenError:
        activation = activation_of(connection, cookie, now)
        failures = throttle.begin_try(connection, tried, throttle.FINISH, now=now)
        if isinstance(failures, TooManyTries):
            return failures
        try:
            # A refusal takes everything back but the counted try.
            with connection.begin_nested():
                _settle(connection, context, activation, checked, given, name)
        except CitizenError as refusal:
            return refusal
        throttle.forgive(connection, tried)
        open_session(
            connection,
            mailbox,
            cookie=session_cookie,
            now=now,
            method=LoginMethod.PASSPHRASE,
            device=device,
            # Whoever has just made all the secrets may go on with a passkey at once.
            proved=True,
        )
        return LoggedIn(cookie=session_cookie, mailbox=mailbox)

    return await decide(context, work)


async def _check(context: Context, mailbox: MailboxId, key: KeyId, given: Finish) -> CheckedKey:
    if given.managed_seed is not None:
        return await check_managed_key(
            context,
            mailbox=mailbox,
            key=key,
            recipient=given.recipient,
            acknowledgement_key=given.acknowledgement_key,
            signature=given.binding_signature,
            seed=given.managed_seed,
        )
    return await asyncio.to_thread(
        check_key,
        mailbox=mailbox,
        key=key,
        recipient=given.recipient,
        acknowledgement_key=given.acknowledgement_key,
        signature=given.binding_signature,
        wrapped=given.wrapped,
    )


def _settle(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
    name: str,
) -> None:
    if activation.kind == "renewal":
        if not settle_renewal(connection, context, activation, checked, given, name):
            _check_same(connection, context, activation, checked, given)
        return
    first = connection.execute(
        update(_enrolment)
        .where(_enrolment.c.id == activation.enrolment_id, _enrolment.c.state == "issued")
        .values(state="active", activated_at=context.now())
    )
    if first.rowcount:
        _make(connection, context, activation, checked, given, name)
    else:
        _check_same(connection, context, activation, checked, given)


def _make(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
    name: str,
) -> None:
    now, mailbox = context.now(), checked.binding.mailbox
    address = connection.execute(
        select(_address).where(
            _address.c.id == activation.address_id, _address.c.confirmed_at.is_not(None)
        )
    ).one_or_none()
    if address is None:
        raise AddressUnconfirmed("no confirmed address")
    if "@" in name and name != normal_login_name(address.email):
        # Else one could sit on somebody else's address as login name.
        raise LoginNameForeign("an e-mail address other than the confirmed one")
    if connection.scalar(select(_mailbox.c.id).where(_mailbox.c.login_name == name)):
        raise LoginNameTaken("another mailbox uses this login name")
    try:
        connection.execute(
            _mailbox.insert().values(
                id=mailbox,
                state="active",
                login_name=name,
                login_salt=given.login_salt,
                login_proof=stored_proof(context, mailbox, given.login_proof),
                recovery_salt=given.recovery_salt,
                recovery_proof=(
                    None
                    if given.recovery_proof is None
                    else stored_proof(context, mailbox, given.recovery_proof, RECOVERY_CODE)
                ),
                language=given.language,
                salutation_allowed=given.salutation_allowed,
                created_at=now,
            )
        )
    except IntegrityError as error:
        raise LoginNameTaken("another mailbox has just taken this login name") from error
    insert_key(connection, checked, context=context, now=now)
    connection.execute(
        update(_enrolment)
        .where(_enrolment.c.id == activation.enrolment_id)
        .values(mailbox_id=mailbox)
    )
    connection.execute(
        update(_address)
        .where(_address.c.id == address.id)
        .values(mailbox_id=mailbox, code_digest=None)
    )
    consent = insert_consent(
        connection,
        context=context,
        enrolment=activation.enrolment_id,
        agency=activation.agency_id,
        mailbox=mailbox,
        wording=given.wording,
        now=now,
    )
    changed = EventDraft(
        type=EventType.ADDRESS_CHANGED,
        at=now,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"address": address.id, "email": address.email},
    )
    bound = key_bound(checked, agency=None, now=now)
    append_events(connection, [bound, consent, changed], entropy=context.entropy)


def _check_same(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
) -> None:
    """Return if this activation made the mailbox with these keys and this login before.

    Raises ActivationUsed, ActivationOver.
    """
    # Read again: on PostgreSQL the other finish may have committed since we first looked.
    owner = connection.scalar(
        select(_enrolment.c.mailbox_id).where(_enrolment.c.id == activation.enrolment_id)
    )
    if owner != activation.mailbox_id:
        raise ActivationUsed("the letter code was used by another activation")
    row = connection.execute(
        select(_mailbox.c.login_proof, _key.c.recipient)
        .join(_key, _key.c.mailbox_id == _mailbox.c.id)
        .where(
            _mailbox.c.id == activation.mailbox_id,
            _mailbox.c.state == "active",
            _key.c.id == activation.key_id,
        )
    ).one_or_none()
    if row is None:
        raise ActivationOver("the mailbox has been closed")
    same_login = peppers.matches(
        context, bytes(row.login_proof), "login-proof", activation.mailbox_id, given.login_proof
    )
    if not same_login or bytes(row.recipient) != checked.recipient:
        raise ActivationUsed("the activation was finished with other keys")
