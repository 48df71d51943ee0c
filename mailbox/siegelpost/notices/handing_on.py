"""Handing on: the citizen's browser makes headers for a delegate's key (DESIGN section 6).

New notices are sealed to delegates when they are dispatched; those of before, and those that an
agency sealed itself, get their headers here, out of the citizen's browser. The service can't make
them. What is held: the citizen's key signed for them, they are headers of one hybrid recipient,
and they are for notices that the mandate covers. The citizen's own headers stay as they are.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from siegelpost.evidence.errors import SignatureError
from siegelpost.evidence.ids import KeyId, MailboxId, NoticeId
from siegelpost.evidence.rewrapping import Rewrapping
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoSuchNotice, RewrapInvalid
from siegelpost.notices.key_lines import key_lines
from siegelpost.notices.readers import (
    HEADER,
    MANDATE,
    NOTICE,
    Part,
    Reader,
    one_notice,
    readable_by,
)
from siegelpost.notices.rewrap import BATCH, Headers, NewHeaders, check_header, header_of
from siegelpost.sealing.keys import Recipient
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context

_key = tables.core(tables.MailboxKey)


@dataclass(frozen=True, kw_only=True)
class ToHandOn:
    """What a delegate may see and cannot open yet."""

    #: the mandate
    mandate: str
    #: titles | read | reply: of titles only the cover's header is wanted
    role: str
    #: the delegate's mailbox, which the invitation code vouches for
    delegate: MailboxId
    #: the delegate's key that the code vouches for
    key: KeyId
    #: ``age1pq1…``
    recipient: str
    #: 16 bytes, from which the browser derives the code again
    code_salt: bytes
    #: 32 bytes, by the code
    key_mac: bytes
    #: how many notices wait; 0 once the delegate exchanged the key: a new invitation is needed
    count: int
    #: some of them, newest first
    notices: tuple[Headers, ...]


async def to_hand_on(
    context: Context, reader: Reader, mandate_id: str, *, skip: int = 0
) -> ToHandOn:
    """The notices that wait, BATCH of them after ``skip``; NoSuchNotice for foreign mandates.

    Already before the citizen confirms: the browser looks at the key first.
    """
    now = context.now()

    def work(connection: Connection) -> ToHandOn:
        mandate = _mandate(connection, reader, mandate_id, now)
        waiting = _waiting(connection, reader, mandate)
        count = connection.execute(
            select(func.count()).select_from(waiting.subquery())
        ).scalar_one()
        rows = connection.execute(
            waiting.order_by(NOTICE.c.provided_at.desc(), NOTICE.c.id.desc())
            .offset(skip)
            .limit(BATCH)
        ).all()
        return ToHandOn(
            mandate=mandate.id,
            role=mandate.role,
            delegate=MailboxId(mandate.delegate_id),
            key=KeyId(mandate.key_id),
            recipient=Recipient(bytes(mandate.recipient)).encode(),
            code_salt=bytes(mandate.code_salt),
            key_mac=bytes(mandate.key_mac),
            count=count,
            notices=tuple(
                Headers(
                    notice=NoticeId(row.id),
                    cover=header_of(connection, row.cover_id),
                    package=header_of(connection, row.package_id),
                )
                for row in rows
            ),
        )

    return await context.store.read(work)


async def hand_on(
    context: Context, reader: Reader, mandate_id: str, given: Sequence[NewHeaders]
) -> None:
    """Store headers for the delegate; what has one already stays as it is.

    Raises RewrapInvalid, NoSuchNotice (also for foreign mandates and notices).
    """
    if len(given) > BATCH:
        raise RewrapInvalid(f"more than {BATCH} notices")
    for item in given:
        await asyncio.to_thread(_check_form, item)
    now = context.now()

    def work(connection: Connection) -> None:
        mandate = _mandate(connection, reader, mandate_id, now, lock=True)
        if mandate.confirmed_at is None:
            raise RewrapInvalid("the mandate was not given yet")
        for item in given:
            one_notice(connection, readable_by(reader), item.notice)
            _check_signature(connection, reader, mandate, item)
            open_still = _waiting(connection, reader, mandate).where(NOTICE.c.id == item.notice)
            if connection.execute(open_still).first() is None:
                continue
            reads = mandate.role in Part.READ.roles
            if reads and not item.package:
                raise RewrapInvalid("no header of the package")
            connection.execute(
                HEADER.insert().values(
                    mandate_id=mandate.id,
                    notice_id=item.notice,
                    key_id=mandate.key_id,
                    cover=item.cover,
                    package=item.package if reads else None,
                )
            )

    await write_on(context, work)


def _mandate(
    connection: Connection, reader: Reader, mandate_id: str, now: Any, *, lock: bool = False
) -> AnyRow:
    query = (
        select(MANDATE, _key.c.recipient, _key.c.retired_at)
        .join(_key, _key.c.id == MANDATE.c.key_id)
        .where(
            MANDATE.c.id == mandate_id,
            MANDATE.c.mailbox_id == reader.mailbox_id,
            MANDATE.c.accepted_at.is_not(None),
            MANDATE.c.ended_at.is_(None),
            or_(MANDATE.c.ends_at.is_(None), MANDATE.c.ends_at > now),
        )
    )
    if lock:
        query = query.with_for_update(of=MANDATE)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoSuchNotice("no such mandate")
    return row


def _waiting(connection: Connection, reader: Reader, mandate: AnyRow) -> Select[Any]:
    lines = key_lines(connection, reader.mailbox_id)
    # What was sealed to a key that is lost, nobody can hand on.
    known = [lines[0].key, *lines[0].older] if lines and mandate.retired_at is None else []
    has = select(HEADER.c.notice_id).where(HEADER.c.mandate_id == mandate.id)
    waiting = readable_by(reader).where(
        NOTICE.c.key_id.in_(known), NOTICE.c.state != "withdrawn", NOTICE.c.id.not_in(has)
    )
    if mandate.agency_id is not None:
        waiting = waiting.where(NOTICE.c.agency_id == mandate.agency_id)
    return waiting


def _check_form(item: NewHeaders) -> None:
    check_header(item.cover)
    if item.package:
        check_header(item.package)


def _check_signature(
    connection: Connection, reader: Reader, mandate: AnyRow, item: NewHeaders
) -> None:
    lines = key_lines(connection, reader.mailbox_id)
    if not lines:
        raise RewrapInvalid("no key in force")
    said = Rewrapping(
        mailbox=reader.mailbox_id,
        notice=item.notice,
        key=mandate.key_id,
        cover_header_sha256=hashlib.sha256(item.cover).digest(),
        package_header_sha256=hashlib.sha256(item.package).digest(),
    )
    try:
        said.verify(lines[0].acknowledgement_key, item.signature)
    except SignatureError as error:
        raise RewrapInvalid(str(error)) from None
