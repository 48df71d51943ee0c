"""Finish an activation: mailbox, keys, consent, address and their events in one transaction.

DESIGN sections 4 and 6. Two finishes at once make one mailbox: the enrolment changes from issued
to active only once, and whoever comes second with the same keys and login gets the same mailbox.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, select, update

from siegelpost.citizens import peppers, throttle
from siegelpost.citizens.activate import activation_of
from siegelpost.citizens.consent import insert_consent
from siegelpost.citizens.delegate_accounts import DELEGATE, delegate_of, settle_delegate
from siegelpost.citizens.errors import (
    ActivationOver,
    ActivationUsed,
    CitizenError,
    InputInvalid,
    TooManyTries,
)
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import CheckedKey, check_key
from siegelpost.citizens.login import LoggedIn
from siegelpost.citizens.login_methods import LoginMethod
from siegelpost.citizens.make_mailbox import make_mailbox
from siegelpost.citizens.managed import check_managed_key
from siegelpost.citizens.renew import settle_renewal
from siegelpost.citizens.sessions import new_cookie, open_session
from siegelpost.citizens.text import normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import append_events
from siegelpost.store.tables import Enrolment, Mailbox, MailboxKey, core

_enrolment = core(Enrolment)
_mailbox = core(Mailbox)
_key = core(MailboxKey)


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
    if (begun.kind == DELEGATE) != (given.key_mac is not None):
        raise InputInvalid("key_mac", "for invited delegates, and for them alone")
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

    done = await decide(context, work)
    # Whoever gave a delegate the code is told.
    context.store.alerts_queued.set()
    return done


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
    if activation.kind == DELEGATE:
        if not settle_delegate(connection, context, activation, checked, given, name):
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
    bound, changed = make_mailbox(connection, context, activation, checked, given, name)
    connection.execute(
        update(_enrolment)
        .where(_enrolment.c.id == activation.enrolment_id)
        .values(mailbox_id=mailbox)
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
    if activation.kind == DELEGATE:
        owner = delegate_of(connection, activation)
    else:
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
