"""Reading files of a local folder, for objects and segments, and what errors there mean.

One file that the disk cannot read is damaged, which checks name before they go on; a folder that
is away is waited for.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from siegelpost.store.errors import ObjectsUnavailable
from siegelpost.store.storages import damaged, whole

#: What is wrong with one file while others can be read: a bad block, a file of somebody else, or
#: something else under its name.
_UNREADABLE = (
    *(errno.EIO, errno.EACCES, errno.EUCLEAN, errno.EBADMSG),
    *(errno.EISDIR, errno.ENOTDIR, errno.ELOOP),
)

_log = structlog.get_logger("siegelpost.objects")


def read_range(
    folder: Path, file: str, start: int, length: int, *, name: str, called: str
) -> bytes:
    """``length`` bytes of the package ``name``, from ``start`` of its file; see `translated`."""
    with translated(folder, name, called, reading=True):
        held = os.open(folder / file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(held, length, start)
        finally:
            os.close(held)
    return whole(name, data, length)


@contextmanager
def translated(folder: Path, name: str, called: str, *, reading: bool = False) -> Iterator[None]:
    """Turn OSErrors about the package ``name``, whose file is ``called`` so, into the store's own.

    Raises ObjectDamaged if it is missing or, while ``reading``, cannot be read, and
    ObjectsUnavailable for whatever concerns others, too.
    """
    try:
        yield
    except OSError as error:
        there = os.path.isdir(folder)  # noqa: PTH112 - Path.is_dir raises what a bad disk says
        if isinstance(error, FileNotFoundError) and there:
            raise damaged(name, f"{called} is missing") from error
        if reading and error.errno in _UNREADABLE and there:
            raise damaged(name, f"{called} cannot be read: {error.strerror}") from error
        _log.warning("folder of packages failed", object=name, error=error.strerror)
        raise ObjectsUnavailable("the folder of packages failed") from error


def sync(directory: Path) -> None:
    """Wait until the names in a folder are on the disk; OSError."""
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
