"""Reply: what a citizen, or a delegate who may, sends to the agency about a notice (DESIGN 6).

It is sealed in the browser to the agency, to the citizen and to the delegate who sends. The service
looks at it from outside, checks the sender's signature over its digests, and commits bytes, row and
the event ``replied`` in one transaction: what is answered is durable.
It means that these sealed bytes came in then, from somebody who was logged in and held the key. It
does not mean that they hold anything readable; only who can open them finds out. It is no formal
objection, and no clock reads it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import IntegrityError

from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, MailboxId, NoticeId, ReplyId, new_id
from siegelpost.evidence.reply import PREFIX, ReplyStatement, parse_reply
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import (
    RepliesNotOffered,
    ReplyIdTaken,
    ReplyInvalid,
    ReplyKeyChanged,
    SendingNotAgreed,
    StepRefused,
    TooManyReplies,
    TooManyRepliesToday,
)
from siegelpost.notices.readers import Delegate, Reader
from siegelpost.notices.reply_to import REPLY, ReplyTo, SealingKey, look, visible_notice
from siegelpost.notices.sealed_request import is_new_id
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.outside import Outside, look_from_outside
from siegelpost.sealing.replies import MAX_REPLY_SIZE
from siegelpost.store.blobs import insert_blobs, split
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict
from siegelpost.store.events import EventDraft, append_events

#: Most replies to one notice by one sender: a delegate uses up none of the citizen's.
PER_NOTICE = 20
#: Most replies about one mailbox's notices within `DAY`, by whomever.
PER_DAY = 50
DAY = timedelta(days=1)
#: First half of the advisory locks by which replies of one mailbox wait for each other.
_COUNTING = 0x52455059
#: Bytes of a sealed reply: plaintext, a tag of 16 bytes for each 64 KiB, and a header.
MAX_SEALED_SIZE = MAX_REPLY_SIZE + MAX_REPLY_SIZE // 4096 + 16 * 1024


@dataclass(frozen=True, kw_only=True)
class GivenReply:
    """What the browser hands over."""

    #: the age file
    sealed: bytes
    #: canonical JSON of `siegelpost.evidence.reply`, without its prefix line
    statement: bytes
    #: 64 bytes over prefix line and statement
    signature: bytes
    #: SHA-256 of the agency's key, 1216 bytes, that it was sealed to
    recipient_sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Received:
    """A reply that is durable."""

    #: names it
    id: ReplyId
    #: when it came in
    at: datetime


async def reply(
    context: Context, reader: Reader | Delegate, notice_id: NoticeId, given: GivenReply
) -> Received:
    """Check and record a reply; the same one again gets the same answer and changes nothing.

    Raises NoSuchNotice, StepRefused (withdrawn), RepliesNotOffered, SendingNotAgreed,
    ReplyKeyChanged, ReplyInvalid, ReplyIdTaken, TooManyReplies, TooManyRepliesToday,
    StoreUnavailable.
    """
    try:
        said = parse_reply(PREFIX + given.statement)
    except FormatError as error:
        raise ReplyInvalid(str(error)) from None
    senders = 2 if isinstance(reader, Delegate) else 1
    outside = await asyncio.to_thread(_look, given.sealed, recipients=1 + senders)
    if said.payload_sha256 != outside.payload_digest:
        raise ReplyInvalid("the statement names another sealed file")
    if not is_new_id(said.reply):
        raise ReplyInvalid("the id is no UUIDv7 in lower case")
    parts = split([given.sealed])
    now = context.now()

    def work(connection: Connection) -> Received:
        row = visible_notice(connection, reader, notice_id, lock=True)
        earlier = connection.execute(select(REPLY).where(REPLY.c.id == said.reply)).one_or_none()
        if earlier is not None:
            _check_same(earlier, reader, row, said)
            return Received(id=said.reply, at=earlier.received_at)
        to = look(connection, row, reader, lock=True)
        key = _check(to, row, said, given)
        _check_limits(connection, row, reader.mailbox_id, now)
        size = len(given.sealed)
        facts = said.facts(
            key=key.id,
            acknowledgement_key=key.acknowledgement_key,
            signature=given.signature,
            size=size,
        )
        (recorded,) = append_events(
            connection,
            [
                EventDraft(
                    type=EventType.REPLIED,
                    at=now,
                    agency=AgencyId(row.agency_id),
                    notice=notice_id,
                    mailbox=MailboxId(row.mailbox_id),
                    actor=reader.actor,
                    facts=facts,
                )
            ],
            entropy=context.entropy,
        )
        blob = new_id(now, context.entropy(ID_RANDOM))
        insert_blobs(connection, [(blob, parts)])
        try:
            connection.execute(
                REPLY.insert().values(
                    id=said.reply,
                    notice_id=notice_id,
                    agency_id=row.agency_id,
                    mailbox_id=row.mailbox_id,
                    sender_id=reader.mailbox_id,
                    mandate_id=to.mandate,
                    blob_id=blob,
                    size=size,
                    payload_digest=said.payload_sha256,
                    manifest_digest=said.manifest_sha256,
                    statement=given.statement.decode("utf-8"),
                    signature=given.signature,
                    key_id=key.id,
                    event_id=recorded.event.id,
                    received_at=now,
                )
            )
        except IntegrityError as error:
            raise Conflict("the id was taken meanwhile") from error
        return Received(id=said.reply, at=now)

    return await write_on(context, work)


def _look(sealed: bytes, *, recipients: int) -> Outside:
    try:
        return look_from_outside(sealed, recipients=recipients, max_plaintext=MAX_REPLY_SIZE)
    except SealingError as error:
        raise ReplyInvalid(str(error)) from None


def _check_same(
    earlier: AnyRow, reader: Reader | Delegate, notice: AnyRow, said: ReplyStatement
) -> None:
    mandate = reader.mandate_id if isinstance(reader, Delegate) else None
    before = (
        earlier.notice_id,
        earlier.sender_id,
        earlier.mandate_id,
        bytes(earlier.payload_digest),
        bytes(earlier.manifest_digest),
    )
    if before != (
        notice.id,
        reader.mailbox_id,
        mandate,
        said.payload_sha256,
        said.manifest_sha256,
    ):
        raise ReplyIdTaken("the id came before with another reply")


def _check(to: ReplyTo, notice: AnyRow, said: ReplyStatement, given: GivenReply) -> SealingKey:
    """The key that signed, after all that can stand against a reply."""
    if notice.state == NoticeState.WITHDRAWN:
        raise StepRefused("the agency withdrew the notice")
    if to.recipient is None:
        raise RepliesNotOffered("the agency has no key for replies")
    if not to.consented:
        raise SendingNotAgreed("no consent to sending is in force")
    if sha256(to.recipient).digest() != given.recipient_sha256:
        raise ReplyKeyChanged("the agency has another key now")
    if said.recipient_sha256 != given.recipient_sha256:
        raise ReplyInvalid("the statement names another key of the agency")
    spoken = (said.notice, said.mailbox, said.agency, said.mandate)
    if spoken != (to.notice_id, to.mailbox_id, to.agency_id, to.mandate):
        raise ReplyInvalid("the statement speaks of another notice, mailbox, agency or mandate")
    if not to.keys:
        raise ReplyInvalid("a mailbox has no key in force")
    # Whoever had put in another key for the citizen's would read what a delegate sends.
    if said.mailbox_recipient_sha256 != to.keys[0].digest():
        raise ReplyKeyChanged("the mailbox has another key now")
    key = to.keys[-1]
    try:
        said.verify(key.acknowledgement_key, given.signature)
    except SignatureError as error:
        raise ReplyInvalid(str(error)) from None
    return key


def _check_limits(connection: Connection, notice: AnyRow, sender: MailboxId, now: datetime) -> None:
    count = select(func.count()).select_from(REPLY)
    own = count.where(REPLY.c.notice_id == notice.id, REPLY.c.sender_id == sender)
    if (connection.scalar(own) or 0) >= PER_NOTICE:
        raise TooManyReplies(f"{PER_NOTICE} replies to the notice by this sender")
    _take_turns(connection, MailboxId(notice.mailbox_id))
    recent = count.where(REPLY.c.mailbox_id == notice.mailbox_id, REPLY.c.received_at > now - DAY)
    if (connection.scalar(recent) or 0) >= PER_DAY:
        raise TooManyRepliesToday(f"{PER_DAY} replies within a day")


def _take_turns(connection: Connection, mailbox: MailboxId) -> None:
    """Replies about one mailbox's notices are counted one after another, to two notices, too.

    On SQLite whoever writes does so alone. On PostgreSQL this is a lock of nobody else's: dispatch
    does not wait while a reply of 20 MiB is written, as it would for the mailbox's row.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:what, hashtext(:mailbox))"),
            {"what": _COUNTING, "mailbox": mailbox},
        )
