"""What places for sealed packages beside the database have in common: objects and segments.

Not here: the places themselves (``objects``, ``segments``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from siegelpost.store.errors import ObjectDamaged

#: Bytes of one read.
RANGE_BYTES = 4 << 20
#: Random bytes in a name.
NAME_RANDOM = 16

_log = structlog.get_logger("siegelpost.objects")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One object as a listing shows it."""

    #: its name
    name: str
    #: when it was put, by the storage's clock
    put_at: datetime


class PackageStorage(Protocol):
    """A place for packages; what goes wrong there is a StoreUnavailable."""

    #: packages above so many bytes belong there
    database_limit: int

    async def put(self, name: str, parts: Sequence[bytes | memoryview]) -> str:
        """Store ``parts``, durable when this returns; returns the name that they got.

        ``name`` is a new one (``object_name``) to choose from. Raises ObjectsUnavailable.
        """

    async def check(self, name: str, size: int) -> None:
        """Return if ``size`` bytes are there; ObjectDamaged, ObjectsUnavailable."""

    def read(self, name: str, size: int) -> AsyncIterator[bytes]:
        """Yield the ``size`` bytes of a package; ObjectDamaged, ObjectsUnavailable."""

    def read_now(self, name: str, size: int) -> Iterator[bytes]:
        """Like `read`, blocking: for checks and commands."""

    def list_now(self) -> Iterator[Sequence[Listed]]:
        """Yield all that could be removed by itself, in pages, in no order; blocking."""

    def delete_now(self, names: Sequence[str]) -> None:
        """Remove what was listed, blocking; what is gone already is no error."""

    async def ready(self) -> None:
        """Return if the storage answers; ObjectsUnavailable."""


def object_name(blob_id: str, *, now: datetime, random: bytes) -> str:
    """A new name: the day, so that folders stay small, the blob, and randomness."""
    return f"{now:%Y%m%d}/{blob_id}.{random.hex()}"


def damaged(name: str, what: str) -> ObjectDamaged:
    """Tell the operator, and return the error for the caller."""
    _log.error("object damaged", object=name, what=what)
    return ObjectDamaged(f"object {name}: {what}")


def ranges(size: int) -> Iterator[tuple[int, int]]:
    """Start and length of the reads of ``size`` bytes."""
    for start in range(0, size, RANGE_BYTES):
        yield start, min(RANGE_BYTES, size - start)


def whole(name: str, data: bytes, length: int) -> bytes:
    """``data`` if it has ``length`` bytes; else ObjectDamaged."""
    if len(data) != length:
        raise damaged(name, "it is shorter than it was")
    return data
