"""Sealed bytes in the database, in parts, so that nobody holds a large one whole a second time.

Of a package that lies apart, part 0 is the header of the age file, and a row says where the rest
is (``objects``, ``segments``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from siegelpost.store import tables

#: Largest part in bytes.
PART_BYTES = 1 << 20

_blob = tables.core(tables.Blob)
_object = tables.core(tables.BlobObject)


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Where the rest of a blob lies, behind its part 0."""

    #: the object's name
    name: str
    #: its bytes
    size: int


def apart(connection: Connection, blob_id: str) -> Apart | None:
    """Where the rest of a blob lies in object storage, or None if all is in the database."""
    row = connection.execute(
        select(_object.c.name, _object.c.size).where(_object.c.id == blob_id)
    ).one_or_none()
    return None if row is None else Apart(name=row.name, size=row.size)


def any_apart(connection: Connection, *, in_segments: bool | None = None) -> bool:
    """Whether anything lies apart: anywhere, in segments, or as objects of their own."""
    query = select(_object.c.id).limit(1)
    if in_segments is not None:
        place = _object.c.name.like("%.seg:%")
        query = query.where(place if in_segments else ~place)
    return connection.execute(query).first() is not None


def split(chunks: Iterable[bytes]) -> list[bytes]:
    """Gather a stream of chunks into parts of PART_BYTES, the last one shorter."""
    parts: list[bytes] = []
    open_part = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            room = PART_BYTES - len(open_part)
            open_part += view[:room]
            view = view[room:]
            if len(open_part) == PART_BYTES:
                parts.append(bytes(open_part))
                open_part.clear()
    if open_part or not parts:
        parts.append(bytes(open_part))
    return parts


def insert_blobs(connection: Connection, blobs: Iterable[tuple[str, Sequence[bytes]]]) -> None:
    """Store each blob's parts; large parts go one by one, so that a driver copies one at a time."""
    small: list[dict[str, object]] = []
    for blob_id, parts in blobs:
        rows = [{"id": blob_id, "part": n, "data": data} for n, data in enumerate(parts)]
        if len(rows) == 1:
            small += rows
        else:
            for row in rows:
                connection.execute(_blob.insert(), row)
    if small:
        connection.execute(_blob.insert(), small)


def read_part(connection: Connection, blob_id: str, part: int) -> bytes | None:
    """Return one part, or None past the last."""
    return connection.execute(
        select(_blob.c.data).where(_blob.c.id == blob_id, _blob.c.part == part)
    ).scalar_one_or_none()


def read_blob(connection: Connection, blob_id: str) -> Iterator[bytes]:
    """Yield the parts in the database in order; raises LookupError if there is no such blob."""
    part = 0
    while (data := read_part(connection, blob_id, part)) is not None:
        yield data
        part += 1
    if part == 0:
        raise LookupError("no such blob")


def replace_front(connection: Connection, blob_id: str, size: int, front: bytes) -> None:
    """Put ``front`` in the place of the first ``size`` bytes, which lie in the first part.

    All else stays as it is. Raises LookupError if there is no such blob, or it is shorter.
    """
    data = read_part(connection, blob_id, 0)
    if data is None or len(data) < size:
        raise LookupError("no such blob, or a shorter one")
    connection.execute(
        update(_blob)
        .where(_blob.c.id == blob_id, _blob.c.part == 0)
        .values(data=front + bytes(data[size:]))
    )


def delete_blob(connection: Connection, blob_id: str) -> None:
    """Remove all parts; an object is removed by the next sweep, once nothing names it."""
    connection.execute(delete(_blob).where(_blob.c.id == blob_id))
    connection.execute(delete(_object).where(_object.c.id == blob_id))
