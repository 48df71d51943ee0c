"""Sealed packages in segment files of one local folder: each written once, what waits in one write.

DESIGN section 10. In the database a package is written twice, to the journal and to its tables;
here it goes to the end of a file that this process alone writes, and which only grows. A write
returns when it is on the disk, and passes the page cache where the file system can: nobody reads
a package soon.
As with ``objects``, a package is durable before the transaction that names it commits, and its
header stays in the database. What a crash leaves between the two is bytes within a segment that
nothing names; never a name without its bytes.
A segment is never changed or removed. Of a notice that is erased, the header that opens it is gone
from the database with the row; its bytes stay, closed to everybody.
Small packages are written by the event loop, as the writer does: a hop to a thread costs more.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from siegelpost.store.errors import ObjectsUnavailable
from siegelpost.store.local_files import read_range, sync, translated
from siegelpost.store.storages import Listed, damaged, ranges
from siegelpost.store.writer import GATHERING_TURNS, LONG_SECONDS, PAUSE_SECONDS

#: Bytes after which a process begins its next segment.
SEGMENT_BYTES = 64 << 20
#: Packages up to so many bytes may be written by the event loop.
BRIEF_BYTES = 512 << 10
#: Bytes in one write of the event loop; a larger group goes to a thread.
LOOP_BYTES = 4 << 20
#: Writes begin and end at multiples of this, as disks want it that are written to directly.
BLOCK_BYTES = 4096
#: Bytes of one write; a multiple of BLOCK_BYTES.
BUFFER_BYTES = 1 << 20

_PLACE = re.compile(r"(\d{8}-[0-9a-f]{8,64}\.seg):(\d{1,15})", re.ASCII)
_DIRECT = getattr(os, "O_DIRECT", 0)
#: Tries of one write: direct writes refused, the segment no longer in its place.
_TRIES = 3
#: As errors call the file of a package.
_CALLED = "its segment"

#: Parts of one package.
Parts = Sequence["bytes | memoryview"]


class SegmentFolder:
    """A local folder of segments; what goes wrong there is a StoreUnavailable."""

    def __init__(self, folder: Path, *, database_limit: int) -> None:
        """Packages above ``database_limit`` bytes belong here.

        The folder must exist: one whose disk is not mounted is not written to.
        """
        self.database_limit = database_limit
        self._folder = folder
        self._brief, self._long = Segment(folder), Segment(folder)
        # Not the loop's own threads: whoever waits here would keep them from everybody else.
        self._one_long = ThreadPoolExecutor(1, "siegelpost-segments")
        self._waiting: list[tuple[str, Parts, asyncio.Future[str]]] = []
        self._waiting_bytes = 0
        self._in_thread = False
        self._slow = False  # the last write was
        self._here_from = 0.0

    async def put(self, name: str, parts: Parts) -> str:
        """Store ``parts``, durable when this returns; returns their place. ObjectsUnavailable."""
        loop = asyncio.get_running_loop()
        size = sum(map(len, parts))
        if size > BRIEF_BYTES:
            with translated(self._folder, name, _CALLED):
                written = loop.run_in_executor(self._one_long, self._long.append, name, [parts])
                return (await written)[0]
        future: asyncio.Future[str] = loop.create_future()
        self._waiting.append((name, parts, future))
        self._waiting_bytes += size
        if len(self._waiting) == 1 and not self._in_thread:
            loop.call_soon(self._gather, loop, GATHERING_TURNS)
        return await future

    async def check(self, name: str, size: int) -> None:
        """Return if the bytes are there; ObjectDamaged, ObjectsUnavailable."""
        segment, offset = _place(name)
        with translated(self._folder, name, _CALLED):
            found = (self._folder / segment).stat().st_size
        if found < offset + size:
            raise damaged(name, "its segment is shorter than it was")

    async def read(self, name: str, size: int) -> AsyncIterator[bytes]:
        """Yield the ``size`` bytes of a package; ObjectDamaged, ObjectsUnavailable."""
        for start, length in ranges(size):
            yield await asyncio.to_thread(self._range, name, start, length)

    def read_now(self, name: str, size: int) -> Iterator[bytes]:
        """Like `read`, blocking: for checks and commands."""
        for start, length in ranges(size):
            yield self._range(name, start, length)

    def list_now(self) -> Iterator[Sequence[Listed]]:
        """Nothing: no sweep removes a segment."""
        return iter(())

    def delete_now(self, names: Sequence[str]) -> None:
        """Nothing that was listed could be removed."""

    async def ready(self) -> None:
        """Return if the folder is there and can be written to; ObjectsUnavailable."""
        if not os.access(self._folder, os.W_OK):
            raise ObjectsUnavailable("the folder of segments is not there or read-only")

    def _range(self, name: str, start: int, length: int) -> bytes:
        segment, offset = _place(name)
        at = offset + start
        return read_range(self._folder, segment, at, length, name=name, called=_CALLED)

    def _gather(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._gather, loop, turns - 1)
            return
        group, self._waiting = self._waiting, []
        size, self._waiting_bytes = self._waiting_bytes, 0
        if self._slow or time.monotonic() < self._here_from or size > LOOP_BYTES:
            self._in_thread = True  # what takes long stops nobody else
            written = loop.run_in_executor(None, self._append, group)
            written.add_done_callback(lambda done: self._written(loop, group, done.result()))
            return
        _deliver(group, self._append(group))

    def _written(
        self,
        loop: asyncio.AbstractEventLoop,
        group: Sequence[tuple[str, Parts, asyncio.Future[str]]],
        result: Sequence[str] | Exception,
    ) -> None:
        self._in_thread = False
        _deliver(group, result)
        if self._waiting:
            self._gather(loop, 0)

    def _append(
        self, group: Sequence[tuple[str, Parts, asyncio.Future[str]]]
    ) -> Sequence[str] | Exception:
        name, begun = group[0][0], time.monotonic()
        try:
            with translated(self._folder, name, _CALLED):
                return self._brief.append(name, [parts for _, parts, _ in group])
        except Exception as error:  # everybody who waits must hear of it, whatever it is
            return error
        finally:
            # Back to the loop only after a brief write, so that it meets a slow disk once.
            ended = time.monotonic()
            self._slow = ended - begun > LONG_SECONDS
            if self._slow:
                self._here_from = ended + PAUSE_SECONDS


class Segment:
    """The file that one writer of one process lets grow; then the next one. Blocking."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first package."""
        self._folder = folder
        self._file: int | None = None
        self._name = ""
        self._end = 0
        self._direct = bool(_DIRECT)
        self._buffer: mmap.mmap | None = None

    def append(self, name: str, packages: Sequence[Parts]) -> list[str]:
        """Write ``packages`` behind each other, wait for the disk, and return their places.

        A new segment is called after ``name``. Raises OSError; then nothing counts, and the next
        call begins a new segment, since nobody knows what the end of this one holds.
        """
        for _ in range(_TRIES):
            try:
                held = self._opened(name)
                places, end = self._write(held, packages)
                os.fdatasync(held)
            except OSError as error:
                self._abandon()
                if self._direct and error.errno == errno.EINVAL:
                    self._direct = False  # the file system, or the disk, cannot
                    continue
                raise
            if not self._in_place(held):
                self._close()  # the folder was moved or restored: once more, in the one there now
                continue
            self._end = end
            if end >= SEGMENT_BYTES:
                self._close()
            return places
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def _in_place(self, held: int) -> bool:
        """Whether what was written to is what a reader finds by the segment's name."""
        try:
            found = (self._folder / self._name).stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(os.fstat(held), found)

    def _opened(self, name: str) -> int:
        if self._file is not None:
            return self._file
        day, _, rest = name.partition("/")
        self._name, self._end = f"{day}-{rest.rpartition('.')[2]}.seg", 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = self._folder / self._name
        try:
            self._file = os.open(file, flags | (_DIRECT if self._direct else 0), 0o600)
        except OSError as error:
            if error.errno == errno.EINVAL:  # made, but not to be written to directly
                with suppress(OSError):
                    file.unlink()
            raise
        sync(self._folder)
        return self._file

    def _write(self, held: int, packages: Sequence[Parts]) -> tuple[list[str], int]:
        if self._buffer is None:
            self._buffer = mmap.mmap(-1, BUFFER_BYTES)  # begins at a page
        buffer, at, end = self._buffer, 0, self._end
        places: list[str] = []
        for parts in packages:
            places.append(f"{self._name}:{end + at}")
            for part in parts:
                view = memoryview(part)
                while view:
                    some = view[: BUFFER_BYTES - at]
                    buffer[at : at + len(some)] = some
                    at, view = at + len(some), view[len(some) :]
                    if at == BUFFER_BYTES:
                        end = _write_all(held, buffer, at, end)
                        at = 0
        return places, _write_all(held, buffer, at, end)

    def _abandon(self) -> None:
        """Leave the segment; what was not promised to anybody need not take room."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
                if self._end == 0:
                    (self._folder / self._name).unlink()
        self._close()

    def _close(self) -> None:
        held, self._file = self._file, None
        if held is not None:
            with suppress(OSError):
                os.close(held)


def _write_all(held: int, buffer: mmap.mmap, size: int, end: int) -> int:
    """Write the buffer's first ``size`` bytes, filled up to whole blocks; return the new end."""
    blocks = -(-size // BLOCK_BYTES) * BLOCK_BYTES
    buffer[size:blocks] = bytes(blocks - size)
    with memoryview(buffer) as view, view[:blocks] as data:
        if blocks and os.pwrite(held, data, end) != blocks:
            raise OSError(errno.ENOSPC, "a write was cut short")
    return end + blocks


def _deliver(
    group: Sequence[tuple[str, Parts, asyncio.Future[str]]], result: Sequence[str] | Exception
) -> None:
    for number, (_, _, future) in enumerate(group):
        if future.done():
            continue  # the caller has gone; its bytes are named by nothing
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result[number])


def _place(name: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(name)
    if found is None:
        raise damaged(name, "it is no place in a segment")
    return found[1], int(found[2])
