"""A mail to the owner when something changed by which one gets in, or others see (DESIGN 12).

Whoever took a mailbox over can't keep that from its owner: the mail goes out with the change, in
one transaction. It says that something changed and not what; that stands in the mailbox.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from siegelpost.citizens.second_factor import address_for_codes
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.context import Context
from siegelpost.store.outbox import AlertKind, queue_alert
from siegelpost.store.tables import Mailbox, core

_mailbox = core(Mailbox)


def tell_owner(
    connection: Connection,
    context: Context,
    mailbox: MailboxId,
    kind: AlertKind = AlertKind.ACCESS_CHANGED,
) -> None:
    """Queue the mail, in the caller's transaction; nothing if no address takes mail."""
    address = address_for_codes(connection, mailbox)
    if address is None:
        return
    language = connection.scalar(select(_mailbox.c.language).where(_mailbox.c.id == mailbox))
    queue_alert(
        connection,
        kind=kind,
        address_id=address.id,
        mailbox_id=mailbox,
        language=str(language),
        now=context.now(),
        entropy=context.entropy,
    )
