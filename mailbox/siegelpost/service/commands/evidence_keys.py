"""``siegelpost agency evidence-key``: whose key the reports about an agency's alerts are sealed to.

By default a key that the operator can open for a court; an agency that gives one of its own keeps
the reports to itself, from then on. Not here: reading reports (``siegelpost report``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from siegelpost.sealing.keys import Recipient

#: Longest file that can be a recipient with a few lines of comment.
_LONGEST = 16 * 1024


def evidence_key(
    agency: Annotated[str, typer.Option(help="Id of the agency.")],
    file: Annotated[
        Path | None,
        typer.Option(help="File with the agency's public key, age1pq1…", dir_okay=False),
    ] = None,
    service_key: Annotated[
        bool, typer.Option("--service-key", help="Back to a key that the operator can open.")
    ] = False,
    settings: SettingsFile = None,
) -> None:
    """Set, show or take back the key that reports about an agency's alerts are sealed to."""
    from sqlalchemy import select

    from siegelpost.sealing.keys import Recipient
    from siegelpost.service.settings import read_settings
    from siegelpost.store import tables
    from siegelpost.store.database import Database

    if file is not None and service_key:
        raise ServiceError("either --file or --service-key")
    own = None if file is None else read_recipient(file)
    table = tables.core(tables.Agency)
    database = Database(read_settings(settings).database.url)
    try:
        with database.write() as connection:
            row = connection.execute(select(table).where(table.c.id == agency)).one_or_none()
            if row is None:
                raise ServiceError(f"no agency {agency}; `siegelpost agency list` shows them")
            kept = row.evidence_recipient
            if own is not None or service_key:
                kept = None if own is None else own.raw
                connection.execute(
                    table.update().where(table.c.id == agency).values(evidence_recipient=kept)
                )
    finally:
        database.close()
    if kept is None:
        typer.echo("the operator's key for this agency")
        return
    typer.echo(Recipient(kept).encode())
    if own is not None:
        typer.echo(
            "siegelpost: from now on only the agency opens reports; the operator cannot", err=True
        )


def read_recipient(file: Path) -> Recipient:
    """The one recipient of a file, as `age-keygen -pq -y` writes it; ServiceError says what is."""
    from siegelpost.sealing.errors import SealingError
    from siegelpost.sealing.keys import Recipient

    try:
        data = file.read_bytes()
    except OSError as error:
        raise ServiceError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > _LONGEST:
        raise ServiceError(f"{file} is too long for a public key")
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if any(line.upper().startswith("AGE-SECRET-KEY") for line in found):
        raise ServiceError(f"{file} holds a secret key: keep it, and give the public one, age1pq1…")
    if len(found) != 1:
        raise ServiceError(f"{file} holds {len(found)} keys instead of one")
    if found[0].startswith("age1") and not found[0].startswith("age1pq1"):
        raise ServiceError(f"{file} holds a classical key; it must be post-quantum, age1pq1…")
    try:
        return Recipient.parse(found[0])
    except SealingError as error:
        raise ServiceError(f"{file} holds no public key age1pq1…: {error}") from error
