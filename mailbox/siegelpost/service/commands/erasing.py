"""``siegelpost agency erase``: end what nobody needs as evidence any more.

Says what it would erase; ``--yes`` does it, some notices at a time, while the service runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.evidence.ids import NoticeId
    from siegelpost.store.database import Database
    from siegelpost.store.storages import PackageStorage

#: Seconds between two parts, in which others write: SQLite's waiting writers look again after 0.1.
REST = 0.15
#: Tries to erase some, when others write to the same chain of events.
TRIES = 5
#: Looks whether SQLite's journal can be emptied, and seconds between them: citizens read briefly.
JOURNAL_LOOKS = 100
JOURNAL_PAUSE = 0.1


def erase(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    before: Annotated[
        str, typer.Option(help="Day, YYYY-MM-DD; only notices with nothing from that day on.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Erase, for good.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Erase an agency's old notices, their replies and what evidence says of them."""
    from siegelpost.deadlines.calendar import day
    from siegelpost.notices.erasing import due
    from siegelpost.notices.reply_keys import AgencyUnknown
    from siegelpost.service.administration import prepare_database
    from siegelpost.service.object_storage import check_reachable_blobs, open_objects
    from siegelpost.service.settings import read_settings

    try:
        limit = date.fromisoformat(before)
    except ValueError:
        raise ServiceError(f"--before: {before!r} is no day like 2024-01-31") from None
    read = read_settings(settings)
    database = prepare_database(read)
    try:
        with database.read() as connection:
            found = due(connection, agency, before=limit, today=day(datetime.now(UTC)))
        for why, number in sorted(found.kept.items()):
            typer.echo(f"{number} stay: {why}")
        if yes:
            check_reachable_blobs(database, read.blobs)
            objects = open_objects(read.blobs)
            if objects is not None and found.notices:
                asyncio.run(objects.ready())
            erased = _erase(database, objects, agency, limit, found.notices)
            typer.echo(f"{erased} notices erased")
            if not _forget(database):
                typer.echo(
                    "siegelpost: somebody reads the database, perhaps a backup, so its journal"
                    " still holds them: repeat the command later",
                    err=True,
                )
            typer.echo("siegelpost: copies of the database from before still hold them", err=True)
        elif found.notices:
            typer.echo(f"to be erased for good, if you add --yes: {len(found.notices)} notices")
        else:
            typer.echo("nothing to erase")
    except AgencyUnknown as error:
        raise ServiceError(f"{error}; `siegelpost agency list` shows them") from None
    finally:
        database.close()


def _erase(
    database: Database,
    objects: PackageStorage | None,
    agency: str,
    before: date,
    notices: Sequence[NoticeId],
) -> int:
    from siegelpost.notices.erasing import BATCH

    erased = 0
    for begin in range(0, len(notices), BATCH):
        if begin:
            time.sleep(REST)
        some, names = _erase_some(database, agency, before, notices[begin : begin + BATCH])
        erased += some
        if objects is not None:
            _remove(objects, names)
    return erased


def _erase_some(
    database: Database, agency: str, before: date, notices: Sequence[NoticeId]
) -> tuple[int, list[str]]:
    """How many were erased, and which objects they leave behind."""
    from siegelpost.notices.erasing import erase as erase_some
    from siegelpost.notices.erasing import objects_of
    from siegelpost.store.errors import Conflict, Deadlocked

    for more in reversed(range(TRIES)):
        try:
            with database.write_erasing() as connection:
                names = objects_of(connection, notices)
                erased = erase_some(
                    connection,
                    agency,
                    notices,
                    before=before,
                    now=datetime.now(UTC),
                    entropy=os.urandom,
                )
            return len(erased), [names[notice] for notice in erased if notice in names]
        except (Conflict, Deadlocked):  # something else of the agency came in between
            if not more:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def _remove(objects: PackageStorage, names: Sequence[str]) -> None:
    from siegelpost.store.errors import StoreError

    try:
        objects.delete_now(names)
    except StoreError:
        # Nothing else remembers them, and of many the sweep takes none.
        for name in names:
            typer.echo(f"siegelpost: object {name} may be left: remove it by hand", err=True)
        raise


def _forget(database: Database) -> bool:
    """Empty the journal as soon as no reader is in the way; whether that came."""
    for _ in range(JOURNAL_LOOKS):
        if database.clear_journal():
            return True
        time.sleep(JOURNAL_PAUSE)
    return False
