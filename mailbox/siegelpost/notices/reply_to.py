"""What a reply to a notice is made with: whom it is sealed to, and whether there may be one.

Asked for before the browser seals, and looked at again, locked, when the reply comes in
(`siegelpost.notices.replies`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select

from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId
from siegelpost.notices.readers import Delegate, Part, Reader, one_notice, readable_by
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.keys import Recipient
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context

REPLY = tables.core(tables.Reply)
_agency = tables.core(tables.Agency)
_consent = tables.core(tables.Consent)
_key = tables.core(tables.MailboxKey)


@dataclass(frozen=True, kw_only=True)
class SealingKey:
    """A key of a mailbox in force."""

    #: names it
    id: KeyId
    #: 1216 bytes
    recipient: bytes
    #: Ed25519 public key, 32 bytes
    acknowledgement_key: bytes
    #: whether the service keeps its private half for the owner, and so could read
    managed: bool

    def digest(self) -> bytes:
        """SHA-256 of `age1pq1…`, as key bindings state it (about 2 ms)."""
        return sha256(Recipient(self.recipient).encode().encode("ascii")).digest()


@dataclass(frozen=True, kw_only=True)
class ReplyTo:
    """One notice, as somebody who would reply to it sees it."""

    #: the notice
    notice_id: NoticeId
    #: whose it is
    mailbox_id: MailboxId
    #: who sent it, and would get the reply
    agency_id: AgencyId
    #: its name as citizens know it
    agency_name: str
    #: under which citizens reach it
    agency_phone: str
    #: 1216 bytes: what the agency wants replies sealed to; None if it takes none
    recipient: bytes | None
    #: whether it takes replies to this notice: it has such a key and did not withdraw the notice,
    #: and everybody who sends has a key by which to read it again
    offered: bool
    #: whether the citizen consented to sending, towards this agency
    consented: bool
    #: of the citizen, then of the delegate if one replies; none if one of them has none in force
    keys: tuple[SealingKey, ...]
    #: the delegate's mandate; None if the citizen replies
    mandate: str | None


def takes_replies(state: str, recipient: bytes | None) -> bool:
    """Whether an agency with this key takes replies to a notice in this state."""
    return recipient is not None and state != NoticeState.WITHDRAWN


async def reply_to(context: Context, reader: Reader | Delegate, notice_id: NoticeId) -> ReplyTo:
    """What a reply would be made with; NoSuchNotice where ``reader`` may not reply at all."""
    return await context.store.read(
        lambda connection: look(connection, visible_notice(connection, reader, notice_id), reader)
    )


def visible_notice(
    connection: Connection, reader: Reader | Delegate, notice_id: NoticeId, *, lock: bool = False
) -> AnyRow:
    """The notice's row, if ``reader`` may reply to it or could, were replies taken; NoSuchNotice.

    Locked to read if wished: state, mandate and header stay until the transaction ends.
    """
    visible = readable_by(reader, Part.REPLY)
    return one_notice(
        connection, visible.with_for_update(read=True) if lock else visible, notice_id
    )


def look(
    connection: Connection, notice: AnyRow, reader: Reader | Delegate, *, lock: bool = False
) -> ReplyTo:
    """What a reply to the row's notice is made with; locked to read if wished."""
    agencies = select(_agency).where(_agency.c.id == notice.agency_id)
    consents = select(_consent.c.id).where(
        _consent.c.enrolment_id == notice.enrolment_id,
        _consent.c.mailbox_id == notice.mailbox_id,
        _consent.c.kind == "send",
        _consent.c.revoked_at.is_(None),
    )
    if lock:
        agencies = agencies.with_for_update(read=True)
        consents = consents.with_for_update(read=True)
    agency = connection.execute(agencies).one()
    mandate = reader.mandate_id if isinstance(reader, Delegate) else None
    owners = [MailboxId(notice.mailbox_id), *([] if mandate is None else [reader.mailbox_id])]
    found = [_in_force(connection, owner, lock=lock) for owner in owners]
    keys = () if None in found else tuple(key for key in found if key is not None)
    return ReplyTo(
        notice_id=NoticeId(notice.id),
        mailbox_id=MailboxId(notice.mailbox_id),
        agency_id=AgencyId(notice.agency_id),
        agency_name=agency.name,
        agency_phone=agency.phone,
        recipient=None if agency.reply_recipient is None else bytes(agency.reply_recipient),
        offered=takes_replies(notice.state, agency.reply_recipient) and bool(keys),
        consented=connection.execute(consents).first() is not None,
        keys=keys,
        mandate=mandate,
    )


def _in_force(connection: Connection, mailbox: MailboxId, *, lock: bool) -> SealingKey | None:
    # Ids grow with time: of several the newest counts.
    query = (
        select(_key)
        .where(_key.c.mailbox_id == mailbox, _key.c.retired_at.is_(None))
        .order_by(_key.c.id.desc())
        .limit(1)
    )
    if lock:
        query = query.with_for_update(read=True)
    row = connection.execute(query).first()
    if row is None and lock:
        # Who exchanged the key while we waited for its row took it from this query, which began
        # before (PostgreSQL); the next one sees the new key.
        row = connection.execute(query).first()
    if row is None:
        return None
    return SealingKey(
        id=KeyId(row.id),
        recipient=bytes(row.recipient),
        acknowledgement_key=bytes(row.acknowledgement_key),
        managed=row.custody == "managed",
    )
