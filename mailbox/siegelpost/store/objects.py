"""Object storage for large sealed packages: S3 and compatible, Azure, Google, or a local folder.

DESIGN section 10. An object holds the payload of one age file, never its header: payloads do not
change, while a header does when a mailbox exchanges its key. So its SHA-256 is the digest that
evidence names, and nothing in object storage is ever written twice.
An object is put, and durable, before the transaction that names it commits. What a crash leaves
between the two is an object without a name, which ``object_orphans`` removes; never a name without
its object.
Names hold a day, a blob's id and randomness, so that two calls never write the same object.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import BaseError

from siegelpost.store.errors import ObjectsUnavailable
from siegelpost.store.local_files import read_range, sync
from siegelpost.store.storages import Listed, damaged, ranges, whole

if TYPE_CHECKING:
    from obstore.store import ObjectStore

#: Objects of one listing request.
LISTED = 1000
#: Seconds within which the storage must answer to count as ready.
READY_SECONDS = 5.0

_log = structlog.get_logger("siegelpost.objects")


class ObjectStorage:
    """One bucket, container or folder; what goes wrong there is a StoreUnavailable."""

    def __init__(self, remote: ObjectStore | Path, *, database_limit: int) -> None:
        """Use ``remote``; packages above ``database_limit`` bytes belong here.

        A folder must exist: one whose disk is not mounted is not written to.
        """
        self.database_limit = database_limit
        self._folder = remote if isinstance(remote, Path) else None
        self._opened = None if isinstance(remote, Path) else remote

    async def put(self, name: str, parts: Sequence[bytes | memoryview]) -> str:
        """Store ``parts`` as one object under a new name; durable when this returns."""
        with _translated(name):
            if self._folder is not None:
                await asyncio.to_thread(_write_durably, self._folder, name, parts)
            else:
                # In one request: nothing half-done is left behind to be paid for.
                await obstore.put_async(self._remote, name, iter(parts), use_multipart=False)
        return name

    async def check(self, name: str, size: int) -> None:
        """Return if the object is there with this size; ObjectDamaged, ObjectsUnavailable."""
        with _translated(name):
            found = await obstore.head_async(self._remote, name)
        if found["size"] != size:
            raise damaged(name, f"it has {found['size']} bytes instead of {size}")

    async def read(self, name: str, size: int) -> AsyncIterator[bytes]:
        """Yield the ``size`` bytes of an object; ObjectDamaged, ObjectsUnavailable.

        Each read is a request of its own: a slow reader must not hold a connection.
        """
        for start, length in ranges(size):
            if self._folder is not None:
                yield await asyncio.to_thread(_range, self._folder, name, start, length)
                continue
            with _translated(name):
                data = await obstore.get_range_async(self._remote, name, start=start, length=length)
            yield whole(name, bytes(data), length)

    def read_now(self, name: str, size: int) -> Iterator[bytes]:
        """Like `read`, blocking: for checks and commands."""
        for start, length in ranges(size):
            if self._folder is not None:
                yield _range(self._folder, name, start, length)
                continue
            with _translated(name):
                data = obstore.get_range(self._remote, name, start=start, length=length)
            yield whole(name, bytes(data), length)

    def list_now(self) -> Iterator[Sequence[Listed]]:
        """Yield all objects in pages, in no order; blocking, so for threads and commands."""
        with _translated("all objects"):
            for page in obstore.list(self._remote, chunk_size=LISTED):
                yield [Listed(name=one["path"], put_at=one["last_modified"]) for one in page]

    def delete_now(self, names: Sequence[str]) -> None:
        """Remove objects, blocking; those that are gone already are no error."""
        with _translated("objects to remove"):
            for name in names:
                with suppress(FileNotFoundError):
                    obstore.delete(self._remote, name)

    async def ready(self) -> None:
        """Return if the storage answers; ObjectsUnavailable."""
        with _translated("readiness"):
            if self._folder is not None and not os.access(self._folder, os.W_OK):
                raise ObjectsUnavailable("the folder of objects is not there or read-only")
            async with asyncio.timeout(READY_SECONDS):
                await obstore.list_with_delimiter_async(self._remote, prefix="readiness")

    @property
    def _remote(self) -> ObjectStore:
        # A folder is opened late: it may be mounted after the service has started.
        if self._opened is None:
            from obstore.store import LocalStore

            self._opened = LocalStore(self._folder, automatic_cleanup=True)
        return self._opened


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise ObjectsUnavailable("the bucket is not there") from error
        raise damaged(name, "it is missing") from error
    except (BaseError, OSError) as error:
        # The first line only: what follows it are the library's own notes.
        _log.warning("object storage failed", object=name, error=str(error).partition("\n")[0])
        raise ObjectsUnavailable("object storage failed") from error


def _range(folder: Path, name: str, start: int, length: int) -> bytes:
    """Without obstore, whose errors do not tell a bad block from a storage that is away."""
    if ".." in name.split("/") or name.startswith("/"):
        raise damaged(name, "it is no name of ours")
    return read_range(folder, name, start, length, name=name, called="it")


def _write_durably(folder: Path, name: str, parts: Sequence[bytes | memoryview]) -> None:
    """Write a new file and wait for the disk, as obstore's own local storage does not.

    Straight to its name: nobody knows that before the commit, and what a crash leaves half-written
    is swept like any other object without an owner.
    """
    if not folder.is_dir():
        raise ObjectsUnavailable("the folder of objects is not there")
    file = folder / name
    with suppress(FileExistsError):
        file.parent.mkdir(mode=0o700)
    held = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(held, "wb") as out:
            for part in parts:
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        for directory in (file.parent, folder):
            sync(directory)
    except OSError:
        with suppress(OSError):
            file.unlink()
        raise
