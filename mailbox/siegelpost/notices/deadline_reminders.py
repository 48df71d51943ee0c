"""Reminding a citizen that an objection period is about to end, once for each end.

The mail says no more than the alert did: no date, no title, no link. It starts no clock and proves
nothing about serving; a citizen who gets none has the same period.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import Connection, select

from siegelpost.notices.state import NoticeState
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.deadlines import remember_reminder
from siegelpost.store.outbox import AlertKind, queue_alert

_address = tables.core(tables.Address)
_mailbox = tables.core(tables.Mailbox)


def remind(
    connection: Connection,
    notice: AnyRow,
    end: date,
    *,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> bool:
    """Queue the reminder unless one went for this end, or there is nowhere to send it.

    Returns whether one was queued.
    """
    if notice.state in (NoticeState.WITHDRAWN, NoticeState.CLOSED):
        return False
    address = connection.execute(
        select(_address.c.id)
        .join(_mailbox, _mailbox.c.id == _address.c.mailbox_id)
        .where(
            _address.c.mailbox_id == notice.mailbox_id,
            _mailbox.c.state == "active",
            _address.c.confirmed_at.is_not(None),
            _address.c.removed_at.is_(None),
            _address.c.failed_at.is_(None),
        )
        .order_by(_address.c.id.desc())
    ).scalar()
    if address is None or not remember_reminder(connection, notice.id, end):
        return False
    queue_alert(
        connection,
        kind=AlertKind.DEADLINE_REMINDER,
        address_id=address,
        now=now,
        entropy=entropy,
        agency_id=notice.agency_id,
        notice_id=notice.id,
        mailbox_id=notice.mailbox_id,
    )
    return True
