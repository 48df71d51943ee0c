"""Invariants of the tables: each notice whole, no blob without an owner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, except_, func, select

from siegelpost.evidence.events import EventType
from siegelpost.sealing.age_header import parse_header
from siegelpost.sealing.errors import SealingError
from siegelpost.store import tables
from siegelpost.store.blobs import apart, read_blob
from siegelpost.store.columns import AnyRow
from siegelpost.store.errors import ObjectDamaged
from siegelpost.store.fsck.finding import Finding, Progress
from siegelpost.store.object_orphans import orphans

if TYPE_CHECKING:
    from siegelpost.store.storages import PackageStorage

_notice = tables.core(tables.Notice)
_event = tables.core(tables.Event)
_alert = tables.core(tables.Alert)
_blob = tables.core(tables.Blob)
_object = tables.core(tables.BlobObject)
_bounce = tables.core(tables.Bounce)
_reply = tables.core(tables.Reply)


def check_notices(
    connection: Connection, progress: Progress, objects: PackageStorage | None = None
) -> Iterator[Finding]:
    """Each notice has its blobs, with the digests named, its first two events and an alert."""
    total = connection.execute(select(func.count()).select_from(_notice)).scalar_one()
    query = select(_notice).order_by(_notice.c.id)
    with connection.execute(query, execution_options={"yield_per": 500}) as rows:
        for done, row in enumerate(rows, 1):
            yield from _check_blob(
                connection, row, row.package_id, row.package_digest, "package", objects
            )
            yield from _check_blob(connection, row, row.cover_id, row.cover_digest, "cover")
            yield from _check_events(connection, row)
            alerts = connection.execute(
                select(func.count()).where(_alert.c.notice_id == row.id, _alert.c.kind == "notice")
            ).scalar_one()
            if alerts != 1:
                yield _about(row, f"{alerts} alerts of kind notice instead of one")
            if done % 100 == 0:
                progress("notices", done, total)
    yield from _check_erased(connection)


def check_objects(
    connection: Connection,
    progress: Progress,
    objects: PackageStorage | None = None,
    *,
    before: datetime | None = None,
) -> Iterator[Finding]:
    """No object lies about without a notice, unless it is so young that a call may still last."""
    # Sets are subtracted: `NOT IN` of so many that PostgreSQL's memory holds no hash goes through
    # all of one for each of the other.
    strays = except_(select(_object.c.id), select(_notice.c.package_id))
    for (blob_id,) in connection.execute(strays):
        yield Finding(check="object", where=f"blob {blob_id}", what="it belongs to nothing")
    if objects is None or before is None:
        return
    done = 0
    for page in objects.list_now():
        for name in orphans(connection, page, before=before):
            yield Finding(check="object", where=f"object {name}", what="it belongs to nothing")
        done += len(page)
        progress("objects", done, done + 1)
    progress("objects", done, done)


def check_orphans(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """No blob lies about without a notice, a report or a reply."""
    strays = except_(
        select(_blob.c.id).where(_blob.c.part == 0),
        select(_notice.c.package_id),
        select(_notice.c.cover_id),
        select(_bounce.c.blob_id),
        select(_reply.c.blob_id),
    )
    for (blob_id,) in connection.execute(strays):
        yield Finding(check="blob", where=f"blob {blob_id}", what="it belongs to nothing")
    progress("blobs", 1, 1)


def _check_blob(
    connection: Connection,
    row: AnyRow,
    blob_id: str,
    digest: bytes,
    name: str,
    objects: PackageStorage | None = None,
) -> Iterator[Finding]:
    found, size, header = hashlib.sha256(), 0, 0
    try:
        for number, part in enumerate(_parts(connection, blob_id, objects)):
            if number == 0:
                header = parse_header(part).size
            found.update(part[header:] if number == 0 else part)
            size += len(part)
    except (LookupError, ObjectDamaged, SealingError) as error:
        yield _about(row, f"its sealed {name} cannot be read: {error}")
        return
    if found.digest() != digest:
        yield _about(row, f"its sealed {name} differs from the digest in evidence")
    if name == "package" and size != row.package_size:
        yield _about(row, f"its sealed package has {size} bytes instead of {row.package_size}")


def _parts(connection: Connection, blob_id: str, objects: PackageStorage | None) -> Iterator[bytes]:
    yield from read_blob(connection, blob_id)
    where = apart(connection, blob_id)
    if where is None:
        return
    if objects is None:
        raise LookupError("it lies in object storage, which the settings do not name")
    yield from objects.read_now(where.name, where.size)


def _check_events(connection: Connection, row: AnyRow) -> Iterator[Finding]:
    events = connection.execute(
        select(_event.c.type, _event.c.body.is_(None).label("empty"))
        .where(_event.c.subject == f"notice:{row.id}")
        .order_by(_event.c.number)
    ).all()
    if any(event.empty for event in events):
        yield _about(row, "its evidence was erased, and the notice was not")
    if [event.type for event in events[:2]] != [
        EventType.SUBMISSION_ACCEPTED.value,
        EventType.PROVIDED.value,
    ]:
        yield _about(row, "its evidence does not begin with submission-accepted, provided")


def _check_erased(connection: Connection) -> Iterator[Finding]:
    """Evidence that says something is of a notice that is there; an erased one's says nothing.

    Not even what came while it was being erased.
    """
    gone = except_(
        select(_event.c.notice_id).where(
            _event.c.notice_id.is_not(None), _event.c.body.is_not(None)
        ),
        select(_notice.c.id),
    )
    for event, notice in connection.execute(
        select(_event.c.id, _event.c.notice_id).where(
            _event.c.notice_id.in_(gone), _event.c.body.is_not(None)
        )
    ):
        what = f"event {event} says something of it, and it is not there"
        yield Finding(check="notice", where=f"notice {notice}", what=what)


def _about(row: AnyRow, what: str) -> Finding:
    return Finding(check="notice", where=f"notice {row.id}", what=what)
