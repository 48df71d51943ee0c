"""Make a mailbox: its row, its key and its address, with their events (DESIGN sections 4 and 6).

What citizens and invited delegates have in common; consent and enrolment are the caller's.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from siegelpost.citizens.errors import AddressUnconfirmed, LoginNameForeign, LoginNameTaken
from siegelpost.citizens.finish_values import Finish
from siegelpost.citizens.keys import CheckedKey, insert_key, key_bound
from siegelpost.citizens.login import RECOVERY_CODE, stored_proof
from siegelpost.citizens.text import normal_login_name
from siegelpost.evidence.events import EventType
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft
from siegelpost.store.tables import Address, Mailbox, core

_mailbox = core(Mailbox)
_address = core(Address)


def make_mailbox(
    connection: Connection,
    context: Context,
    activation: AnyRow,
    checked: CheckedKey,
    given: Finish,
    name: str,
) -> tuple[EventDraft, EventDraft]:
    """Store the mailbox of an activation, in the caller's transaction; return what to append.

    Raises AddressUnconfirmed, LoginNameTaken, LoginNameForeign.
    """
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
        update(_address)
        .where(_address.c.id == address.id)
        .values(mailbox_id=mailbox, code_digest=None)
    )
    changed = EventDraft(
        type=EventType.ADDRESS_CHANGED,
        at=now,
        mailbox=mailbox,
        actor=f"mailbox:{mailbox}",
        facts={"address": address.id, "email": address.email},
    )
    return key_bound(checked, agency=None, now=now), changed
