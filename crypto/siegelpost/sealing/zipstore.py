"""The ZIP of a package: `siegelpost.evidence.zipstore`, with the errors of sealing.

One form only: stored, in order, without dates, extras or comments; a package with anything else in
it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from siegelpost.evidence import zipstore
from siegelpost.evidence.zipstore import Entry
from siegelpost.sealing.buffers import Bytes
from siegelpost.sealing.errors import PackageError, TooLarge

__all__ = ["Entry", "read_zip", "write_zip"]


def write_zip(entries: Sequence[Entry]) -> Iterator[Bytes]:
    """The pieces of the ZIP of `entries`; contents are passed on as they are.

    Raises TooLarge above 4 GiB or 128 files, PackageError for names over 65,535 bytes.
    """
    try:
        yield from zipstore.write_zip(entries)
    except zipstore.ZipTooLarge as error:
        raise TooLarge(str(error)) from error
    except zipstore.ZipError as error:
        raise PackageError(str(error)) from error


def read_zip(data: Bytes) -> list[Entry]:
    """The files of a ZIP that `write_zip` made, as views on `data`; PackageError for any other."""
    try:
        return zipstore.read_zip(data)
    except zipstore.ZipError as error:
        raise PackageError(str(error)) from error
