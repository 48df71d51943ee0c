"""Objects that nothing names: left by a crash between put and commit, or by an erased notice.

An object is removed only when it is older than any call can last, and never many at once: a
database that was restored from an older backup, or one beside the real one, must not empty the
storage. Then an operator looks (docs/operations.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siegelpost.store import tables
from siegelpost.store.errors import StoreError
from siegelpost.store.store import Store

if TYPE_CHECKING:
    from siegelpost.store.objects import Listed, ObjectStorage

#: So many orphans may always be removed in one sweep...
FEW = 100
#: ...and beyond, one of so many objects.
SHARE = 100

_object = tables.core(tables.BlobObject)


class TooManyOrphans(StoreError):
    """So many objects belong to nothing that the database may be the wrong one."""


def blob_of(name: str) -> str:
    """The blob whose object has this name; of a foreign name, something that is no blob."""
    return name.rpartition("/")[2].rpartition(".")[0]


def orphans(connection: Connection, page: Sequence[Listed], *, before: datetime) -> list[str]:
    """Names of the page's objects that were put before ``before`` and that no row names."""
    old = {one.name for one in page if one.put_at < before}
    if not old:
        return []
    named = connection.execute(
        select(_object.c.name).where(_object.c.id.in_([blob_of(name) for name in old]))
    ).scalars()
    return sorted(old.difference(named))


def sweep_objects(store: Store, objects: ObjectStorage, *, before: datetime) -> int:
    """Remove what was put before ``before`` and belongs to nothing; return how many.

    Blocking, so for a thread. Raises TooManyOrphans (nothing was removed), StoreUnavailable.
    """
    found: list[str] = []
    seen = 0
    for page in objects.list_now():
        seen += len(page)
        found += store.read_now(partial(orphans, page=page, before=before))
    if len(found) > max(FEW, seen // SHARE):
        raise TooManyOrphans(f"{len(found)} of {seen} objects belong to nothing")
    objects.delete_now(found)
    return len(found)
