"""The key that replies to an agency are sealed to: set, exchanged, taken back (DESIGN section 6).

Only the agency holds the private half; without a key no replies are taken. Each change is an event
of the agency, so that an operator who puts in a key of their own leaves a trace, and the digest of
the key that a reply was sealed to is in that reply's evidence.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId
from siegelpost.notices.errors import NoticeError
from siegelpost.sealing.keys import Recipient
from siegelpost.store import tables
from siegelpost.store.events import Entropy, EventDraft, append_events

_agency = tables.core(tables.Agency)


class AgencyUnknown(NoticeError):
    """There is no such agency."""


def reply_key(connection: Connection, agency: str, *, lock: bool = False) -> Recipient | None:
    """What replies to ``agency`` are sealed to, or None; AgencyUnknown."""
    query = select(_agency.c.reply_recipient).where(_agency.c.id == agency)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise AgencyUnknown(f"no agency {agency}")
    return None if row.reply_recipient is None else Recipient(bytes(row.reply_recipient))


def change_reply_key(
    connection: Connection,
    agency: str,
    recipient: Recipient | None,
    *,
    now: datetime,
    entropy: Entropy,
) -> bool:
    """Put ``recipient`` in the place of the key of before; None: take no replies any more.

    Replies that came in stay what they are: sealed to the key of then. Returns whether anything
    changed; raises AgencyUnknown.
    """
    if reply_key(connection, agency, lock=True) == recipient:
        return False
    raw = None if recipient is None else recipient.raw
    connection.execute(_agency.update().where(_agency.c.id == agency).values(reply_recipient=raw))
    append_events(
        connection,
        [
            EventDraft(
                type=EventType.REPLY_KEY_CHANGED,
                at=now,
                agency=AgencyId(agency),
                actor="operator",
                facts={"recipient": None if recipient is None else recipient.encode()},
            )
        ],
        entropy=entropy,
    )
    return True
