"""Re-wrap: after an exchange of keys, notices get headers for the new key (DESIGN section 6).

The browser opens the file key with the old seed and makes new headers; the service, which can do
neither, puts them in front of the payload. What is held here: the new key signed for them, they
are headers of one hybrid recipient and nothing else, and the payload is what evidence names.
Each notice is done or not done; who stops on the way goes on later.
Not here: headers for delegates (`handing_on`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, func, select

from siegelpost.evidence.errors import SignatureError
from siegelpost.evidence.ids import KeyId, NoticeId
from siegelpost.evidence.rewrapping import Rewrapping
from siegelpost.notices.chains import write_on
from siegelpost.notices.errors import NoSuchNotice, RewrapInvalid
from siegelpost.notices.key_lines import KeyLine, key_lines
from siegelpost.notices.packages import payload_apart
from siegelpost.notices.readers import NOTICE, Reader, one_notice, readable_by
from siegelpost.sealing.age_header import MAX_HEADER_SIZE, parse_header
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.keys import HYBRID
from siegelpost.store.blobs import read_blob, read_part, replace_front
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict

#: Notices of one listing and one call: two headers each, of about 1,600 bytes.
BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Headers:
    """The headers of one notice, MAC lines included."""

    #: the notice
    notice: NoticeId
    #: of the sealed cover
    cover: bytes
    #: of the sealed package
    package: bytes


@dataclass(frozen=True, kw_only=True)
class NewHeaders(Headers):
    """New headers of one notice, as the browser made them."""

    #: 64 bytes, see `siegelpost.evidence.rewrapping`
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What still has headers for older keys."""

    #: the key that new headers are for
    key: KeyId | None
    #: how many notices there are
    count: int
    #: some of them, newest first
    notices: tuple[Headers, ...]


async def waiting(context: Context, reader: Reader, *, skip: int = 0) -> Waiting:
    """The notices that are sealed to older keys, BATCH of them after ``skip`` with their headers.

    Those of keys that were lost are not among them: nobody can open these.
    """

    def work(connection: Connection) -> Waiting:
        line = _line(connection, reader)
        if line is None or not line.older:
            return Waiting(key=None if line is None else line.key, count=0, notices=())
        old = readable_by(reader).where(NOTICE.c.key_id.in_(line.older))
        count = connection.execute(select(func.count()).select_from(old.subquery())).scalar_one()
        rows = connection.execute(
            old.order_by(NOTICE.c.provided_at.desc(), NOTICE.c.id.desc()).offset(skip).limit(BATCH)
        ).all()
        return Waiting(
            key=line.key,
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


async def rewrap(context: Context, reader: Reader, given: Sequence[NewHeaders]) -> None:
    """Put new headers in place; what has them already stays as it is.

    Raises RewrapInvalid, NoSuchNotice (also for foreign ones); then nothing has changed for the
    notice concerned and those after it.
    """
    if len(given) > BATCH:
        raise RewrapInvalid(f"more than {BATCH} notices")
    for item in given:
        await asyncio.to_thread(_check_form, item)
        await _rewrap_one(context, reader, item)


async def _rewrap_one(context: Context, reader: Reader, item: NewHeaders) -> None:
    # The payload is read before the transaction: a large one must not hold up writers. It never
    # changes, so what was seen here still holds there.
    row = await context.store.read(lambda connection: _old(connection, reader, item))
    if row is None:
        return
    for blob, digest in ((row.cover_id, row.cover_digest), (row.package_id, row.package_digest)):
        found = await payload_apart(context, blob)
        if found is None:
            found = await context.store.read(partial(_payload_digest, blob=blob))
        if found != bytes(digest):
            raise RewrapInvalid("the stored payload is not the one in evidence")

    def work(connection: Connection) -> None:
        now = _old(connection, reader, item)
        if now is None:
            return
        old_size = _swap(connection, now.package_id, item.package)
        _swap(connection, now.cover_id, item.cover)
        line = _line(connection, reader)
        assert line is not None
        changed = connection.execute(
            NOTICE.update()
            .where(NOTICE.c.id == item.notice, NOTICE.c.key_id == now.key_id)
            .values(
                key_id=line.key,
                package_size=now.package_size - old_size + len(item.package),
            )
        )
        if changed.rowcount != 1:
            raise Conflict("the notice was re-wrapped meanwhile")

    await write_on(context, work)


def _old(connection: Connection, reader: Reader, item: NewHeaders) -> AnyRow | None:
    """The notice's row if it waits for new headers, None if it has them; checks the signature."""
    row = one_notice(connection, readable_by(reader), item.notice)
    line = _line(connection, reader)
    if line is None:
        raise RewrapInvalid("no key in force")
    said = Rewrapping(
        mailbox=reader.mailbox_id,
        notice=item.notice,
        key=line.key,
        cover_header_sha256=hashlib.sha256(item.cover).digest(),
        package_header_sha256=hashlib.sha256(item.package).digest(),
    )
    try:
        said.verify(line.acknowledgement_key, item.signature)
    except SignatureError as error:
        raise RewrapInvalid(str(error)) from None
    if row.key_id == line.key:
        return None
    if row.key_id not in line.older:
        raise RewrapInvalid("the notice is sealed to a key that is lost")
    return row


def _check_form(item: NewHeaders) -> None:
    for header in (item.cover, item.package):
        check_header(header)


def check_header(header: bytes) -> None:
    """Return if it is one header for one hybrid key and nothing else; RewrapInvalid."""
    try:
        parsed = parse_header(header)
        parsed.require_only(HYBRID)
    except SealingError as error:
        raise RewrapInvalid(str(error)) from None
    if parsed.size != len(header) or len(parsed.stanzas) != 1:
        raise RewrapInvalid("not one header for one key")


def _line(connection: Connection, reader: Reader) -> KeyLine | None:
    lines = key_lines(connection, reader.mailbox_id)
    return lines[0] if lines else None


def header_of(connection: Connection, blob: str) -> bytes:
    """The header that a stored file has now."""
    front = read_part(connection, blob, 0)
    if front is None:
        raise LookupError("no such blob")
    return bytes(front[: parse_header(front[:MAX_HEADER_SIZE]).size])


def _swap(connection: Connection, blob: str, header: bytes) -> int:
    """Put ``header`` in the place of the one that is there; return the old one's size."""
    try:
        size = len(header_of(connection, blob))
        replace_front(connection, blob, size, header)
    except LookupError:
        raise Conflict("the notice is being erased") from None
    return size


def _payload_digest(connection: Connection, blob: str) -> bytes:
    digest = hashlib.sha256()
    try:
        skip = len(header_of(connection, blob))
        for part in read_blob(connection, blob):
            digest.update(part[skip:])
            skip = 0
    except LookupError:
        raise NoSuchNotice("it was erased meanwhile") from None
    return digest.digest()
