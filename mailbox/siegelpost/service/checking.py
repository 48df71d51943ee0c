"""``siegelpost fsck``: the checks of the store, with the installation's own keys and progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from siegelpost.evidence.trust import Purpose
from siegelpost.service.administration import open_keyring
from siegelpost.service.errors import ServiceError
from siegelpost.service.object_storage import open_objects, orphans_before
from siegelpost.service.settings import Settings
from siegelpost.store.database import Database
from siegelpost.store.fsck import Finding, check_store
from siegelpost.store.fsck.finding import silent
from siegelpost.store.log import log_origin
from siegelpost.store.migrate import check_schema

#: Takes the line of progress away.
CLEARED = "\r\x1b[K"


def check_installation(settings: Settings, *, progress: bool) -> list[Finding]:
    """Return everything that does not hold; shows progress on a terminal if asked to."""
    return list(look_at_installation(settings, progress=progress))


def look_at_installation(settings: Settings, *, progress: bool) -> Iterator[Finding]:
    """The same as it is found: who ends the check half-way has seen what was found until then."""
    database = Database(settings.database.url)
    file = database.url.database
    if database.dialect == "sqlite" and not Path(file or "").is_file():
        raise ServiceError(f"there is no database at {file}; is the path right?")
    try:
        check_schema(database)
        # One sweep late at most: what a crash left an hour ago is nobody's fault.
        hours = settings.blobs.sweep_after_hours or 24
        keys = open_keyring(settings).public_keys()
        yield from check_store(
            database,
            origin=log_origin(settings.origin),
            verifiers=[key.verifier for key in keys if key.purpose is Purpose.LOG],
            progress=_show if progress else silent,
            objects=open_objects(settings.blobs),
            orphans_before=orphans_before(2 * hours),
        )
    finally:
        database.close()


def _show(check: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{check}: {done} of {total}\x1b[K")
    if done >= total:
        sys.stderr.write(CLEARED)
    sys.stderr.flush()
