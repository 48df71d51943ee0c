"""E-mail addresses for alerts: asked for, confirmed by eight digits, and only then used.

DESIGN sections 4 and 8. The mail with the digits goes through the outbox like an alert; the digits
are stored nowhere in readable form (`siegelpost.store.address_codes`).
Not here: changing the address of an active mailbox (`address_change`), and marking undeliverable
addresses (bounces).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select, update

from siegelpost.citizens import codes, peppers, throttle
from siegelpost.citizens.activate import activation_of
from siegelpost.citizens.errors import (
    ActivationOver,
    AddressCodeWrong,
    AddressUnconfirmed,
    CitizenError,
    TooManyTries,
)
from siegelpost.citizens.text import checked_email, normal_login_name
from siegelpost.citizens.writing import decide
from siegelpost.evidence.ids import ID_RANDOM, new_id
from siegelpost.store.address_codes import address_code_for
from siegelpost.store.context import Context
from siegelpost.store.outbox import AlertKind, queue_alert
from siegelpost.store.tables import Activation, Address, Mailbox, core

#: How long the eight digits work.
ADDRESS_CODE_LIFETIME = timedelta(minutes=30)
#: Wrong digits after which they are dead: one chance in 20 million.
WRONG_CODES_LIMIT = 5

_address = core(Address)
_activation = core(Activation)
_mailbox = core(Mailbox)


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A confirmed address, and the login name that follows from it."""

    #: the address, normalised as a login name
    login_name: str
    #: whether no other mailbox logs in with it
    login_name_free: bool


async def request_address(context: Context, *, cookie: str, email: str) -> None:
    """Queue a mail with eight digits to ``email`` for the activation of ``cookie``.

    Only the newest digits work. Raises InputInvalid, ActivationOver, TooManyTries.
    """
    email = checked_email(email)
    now = context.now()
    address_id = new_id(now, context.entropy(ID_RANDOM))
    keys = (
        (throttle.ADDRESS_MAIL, email.casefold()),
        (throttle.ADDRESS_ASKED, codes.cookie_digest(cookie).hex()),
    )

    def work(connection: Connection) -> CitizenError | None:
        activation = activation_of(connection, cookie, now)
        if activation.enrolment_state != "issued" and activation.kind == "new":
            raise ActivationOver("the mailbox is active already")
        for policy, tried in keys:
            key = peppers.digest(context, "throttle", policy.kind, tried)
            if isinstance(
                refusal := throttle.begin_try(connection, key, policy, now=now), TooManyTries
            ):
                return refusal
        connection.execute(
            update(_address)
            .where(_address.c.id == activation.address_id, _address.c.mailbox_id.is_(None))
            .values(removed_at=now, code_digest=None)
        )
        connection.execute(_address.insert().values(id=address_id, email=email, created_at=now))
        alert_id = queue_alert(
            connection,
            kind=AlertKind.ADDRESS_CODE,
            address_id=address_id,
            agency_id=activation.agency_id,
            language=activation.language or "de",
            now=now,
            entropy=context.entropy,
            give_up_after=ADDRESS_CODE_LIFETIME,
        )
        code = address_code_for(context.keyring, alert_id)
        connection.execute(
            update(_address)
            .where(_address.c.id == address_id)
            .values(
                code_digest=peppers.digest(context, "address-code", address_id, code),
                code_expires_at=now + ADDRESS_CODE_LIFETIME,
            )
        )
        connection.execute(
            update(_activation)
            .where(_activation.c.digest == activation.digest)
            .values(address_id=address_id)
        )
        return None

    await decide(context, work)
    context.store.alerts_queued.set()


async def confirm_address(context: Context, *, cookie: str, code: str) -> Confirmed:
    """Confirm the activation's newest address; confirming twice is harmless.

    Raises InputInvalid, ActivationOver, AddressUnconfirmed (none was asked for), AddressCodeWrong.
    """
    digits = codes.normal_digits(code)
    now = context.now()

    def work(connection: Connection) -> Confirmed | CitizenError:
        activation = activation_of(connection, cookie, now)
        address = connection.execute(
            select(_address).where(_address.c.id == activation.address_id).with_for_update()
        ).one_or_none()
        if address is None:
            return AddressUnconfirmed("no address was given")
        stored = address.code_digest
        right = stored is not None and peppers.matches(
            context, bytes(stored), "address-code", address.id, digits
        )
        live = address.code_expires_at > now and address.code_failures < WRONG_CODES_LIMIT
        if not right or not live:
            connection.execute(
                update(_address)
                .where(_address.c.id == address.id)
                .values(code_failures=_address.c.code_failures + 1)
            )
            return AddressCodeWrong("the code is wrong, too old, or was tried too often")
        connection.execute(
            update(_address)
            .where(_address.c.id == address.id, _address.c.confirmed_at.is_(None))
            .values(confirmed_at=now)
        )
        name = normal_login_name(address.email)
        taken = connection.scalar(select(_mailbox.c.id).where(_mailbox.c.login_name == name))
        free = taken is None or (activation.kind == "renewal" and taken == activation.mailbox_id)
        return Confirmed(login_name=name, login_name_free=free)

    return await decide(context, work)
