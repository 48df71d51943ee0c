"""Objects that nothing names: left by a crash between put and commit, or by an erased notice.

An object is removed only when it is older than any call can last, when it was an orphan already a
while ago by a clock that does not jump, and never many at once: a database that was restored from
an older backup, or one beside the real one, must not empty the storage. Then an operator looks
(docs/operations.md). Files of other names than ours are nobody's orphans and stay.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from siegelpost.store import tables
from siegelpost.store.errors import StoreError
from siegelpost.store.storages import Listed, PackageStorage
from siegelpost.store.store import Store

#: So many orphans may always be removed in one sweep...
FEW = 20
#: ...and beyond, one of so many objects.
SHARE = 100

#: As `storages.object_name` writes them.
_OURS = re.compile(r"\d{8}/[A-Za-z0-9][A-Za-z0-9._-]*\.[0-9a-f]{8,64}", re.ASCII)
_object = tables.core(tables.BlobObject)


class TooManyOrphans(StoreError):
    """So many objects belong to nothing that the database may be the wrong one."""


class Ripening:
    """Tells which orphans were found as such ``seconds`` ago and at every sweep since.

    By the monotonic clock: wall clocks jump, and the storage's is another one than ours.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none known."""
        self._seconds = seconds
        self._clock = clock
        self._since: dict[str, float] = {}

    def __call__(self, found: Sequence[str]) -> Sequence[str]:
        """Return the ripe ones of what one sweep found."""
        now = self._clock()
        self._since = {name: self._since.get(name, now) for name in found}
        return [name for name, since in self._since.items() if now - since >= self._seconds]


def blob_of(name: str) -> str:
    """The blob whose object has this name."""
    return name.rpartition("/")[2].rpartition(".")[0]


def orphans(connection: Connection, page: Sequence[Listed], *, before: datetime) -> list[str]:
    """Names of the page's objects that were put before ``before`` and that no row names."""
    old = {one.name for one in page if one.put_at < before and _OURS.fullmatch(one.name)}
    if not old:
        return []
    named = connection.execute(
        select(_object.c.name).where(_object.c.id.in_([blob_of(name) for name in old]))
    ).scalars()
    return sorted(old.difference(named))


def sweep_objects(
    store: Store,
    objects: PackageStorage,
    *,
    before: datetime,
    ripe: Callable[[Sequence[str]], Sequence[str]] = list,
) -> int:
    """Remove what was put before ``before``, belongs to nothing, and is ``ripe``; return how many.

    Blocking, so for a thread. Raises TooManyOrphans (nothing was removed), StoreUnavailable.
    """
    found: list[str] = []
    seen = 0
    for page in objects.list_now():
        seen += len(page)
        found += store.read_now(partial(orphans, page=page, before=before))
    if len(found) > max(FEW, seen // SHARE):
        raise TooManyOrphans(f"{len(found)} of {seen} objects belong to nothing")
    removed = ripe(found)
    objects.delete_now(removed)
    return len(removed)
