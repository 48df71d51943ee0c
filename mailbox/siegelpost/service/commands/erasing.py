"""``siegelpost agency erase``: end what nobody needs as evidence any more.

Says what it would erase; ``--yes`` does it, some notices at a time, while the service runs.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.store.database import Database


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
    from siegelpost.service.settings import read_settings

    try:
        limit = date.fromisoformat(before)
    except ValueError:
        raise ServiceError(f"--before: {before!r} is no day like 2024-01-31") from None
    database = prepare_database(read_settings(settings))
    try:
        with database.read() as connection:
            found = due(connection, agency, before=limit, today=day(datetime.now(UTC)))
        for why, number in sorted(found.kept.items()):
            typer.echo(f"{number} stay: {why}")
        if yes:
            typer.echo(f"{_erase(database, agency, limit)} notices erased")
            typer.echo("siegelpost: copies of the database from before still hold them", err=True)
        else:
            typer.echo(f"{len(found.notices)} notices would be erased; --yes does it, for good")
    except AgencyUnknown as error:
        raise ServiceError(f"{error}; `siegelpost agency list` shows them") from None
    finally:
        database.close()


def _erase(database: Database, agency: str, before: date) -> int:
    from siegelpost.notices.erasing import erase as erase_some

    erased = 0
    while True:
        with database.write_erasing() as connection:
            done = erase_some(
                connection, agency, before=before, now=datetime.now(UTC), entropy=os.urandom
            )
        if not done:
            return erased
        erased += len(done)
