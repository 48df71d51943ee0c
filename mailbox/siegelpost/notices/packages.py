"""Sealed packages on their way in and out: in the database, or the payload in object storage.

DESIGN section 10. Where object storage is off, nothing here costs a query more.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

from sqlalchemy import Connection, Select

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.prepare import Prepared
from siegelpost.notices.readers import one_notice
from siegelpost.sealing.age_header import header_size
from siegelpost.store.blobs import PART_BYTES, Apart, apart, read_part
from siegelpost.store.context import Context
from siegelpost.store.storages import NAME_RANDOM, PackageStorage, damaged, object_name


async def put_apart(context: Context, objects: PackageStorage, prepared: Prepared) -> Prepared:
    """Put a large package's payload into object storage, durably, before anything is committed.

    Returns what is left for the database. Raises StoreUnavailable; then nothing has happened.
    """
    if prepared.notice["package_size"] <= objects.database_limit:
        return prepared
    (blob_id, parts), *others = prepared.blobs
    front = memoryview(parts[0])
    size = header_size(front)
    name = object_name(blob_id, now=context.now(), random=context.entropy(NAME_RANDOM))
    name = await objects.put(name, [front[size:], *parts[1:]])
    return replace(
        prepared,
        blobs=((blob_id, (bytes(front[:size]),)), *others),
        apart={"id": blob_id, "name": name, "size": prepared.notice["package_size"] - size},
    )


async def check_there(
    context: Context, objects: PackageStorage, notices: Select[tuple[object, ...]], notice: NoticeId
) -> None:
    """Return if the package can be handed out, as far as object storage goes.

    Before a retrieval is recorded: what can't be handed out was not retrieved. So it is read once
    and compared with what evidence names. Raises NoSuchNotice, ObjectDamaged, ObjectsUnavailable.
    """

    def look(connection: Connection) -> tuple[Apart | None, bytes]:
        row = one_notice(connection, notices, notice)
        return apart(connection, row.package_id), row.package_digest

    where, payload_digest = await context.store.read(look)
    if where is not None:
        await objects.check(where.name, where.size)
        async for _ in _checked(objects, where, payload_digest):
            pass


async def stream(context: Context, blob_id: str, payload_digest: bytes) -> AsyncIterator[bytes]:
    """The package in parts of at most 1 MiB, the header alone first if the rest lies apart.

    Of an object that is not the one in evidence the end is withheld: ObjectDamaged.
    """
    objects = context.objects

    def first(connection: Connection) -> tuple[bytes | None, Apart | None]:
        where = None if objects is None else apart(connection, blob_id)
        return read_part(connection, blob_id, 0), where

    data, where = await context.store.read(first)
    if objects is not None and where is not None:
        assert data is not None
        yield data
        async for chunk in _checked(objects, where, payload_digest):
            for start in range(0, len(chunk), PART_BYTES):
                yield chunk[start : start + PART_BYTES]
        return
    # A short read for each part: a slow reader must not hold a connection, and blobs never change.
    number = 0
    while data is not None:
        yield data
        number += 1
        part_number = number

        def work(connection: Connection, part: int = part_number) -> bytes | None:
            return read_part(connection, blob_id, part)

        data = await context.store.read(work)


async def payload_apart(context: Context, blob_id: str) -> bytes | None:
    """SHA-256 of the object that holds a package's payload, or None if it is in the database."""
    objects = context.objects
    if objects is None:
        return None
    where = await context.store.read(lambda connection: apart(connection, blob_id))
    if where is None:
        return None
    found = hashlib.sha256()
    async for chunk in objects.read(where.name, where.size):
        found.update(chunk)
    return found.digest()


async def _checked(
    objects: PackageStorage, where: Apart, payload_digest: bytes
) -> AsyncIterator[bytes]:
    """The object, its last read only once all of it is known to be the one in evidence."""
    found = hashlib.sha256()
    before: bytes | None = None
    async for chunk in objects.read(where.name, where.size):
        if before is not None:
            yield before
        found.update(chunk)
        before = chunk
    if found.digest() != bytes(payload_digest):
        raise damaged(where.name, "it is not the one in evidence")
    if before is not None:
        yield before
