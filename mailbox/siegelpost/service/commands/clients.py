"""``siegelpost client list``, ``scopes`` and ``disable``: agencies' systems that are registered.

Not here: registering one (``siegelpost client add``). What changes holds from the next token on;
tokens that are out live for ten minutes at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siegelpost.service.commands.options import SettingsFile
from siegelpost.service.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

ClientOption = Annotated[str, typer.Option(help="client_id of the system.")]


def client_list(settings: SettingsFile = None) -> None:
    """List the systems: client_id, agency, name and scopes, the oldest first."""
    from sqlalchemy import select

    table = _table()
    typer.echo(f"{'client_id':36}  {'agency':36}  name: scopes")
    with _transaction(settings) as connection:
        for row in connection.execute(select(table).order_by(table.c.id)):
            state = "disabled" if row.disabled_at else row.scopes
            typer.echo(f"{row.id}  {row.agency_id}  {row.name}: {state}")


def client_scopes(
    client: ClientOption,
    scope: Annotated[
        list[str] | None, typer.Option(help="Repeat for several; takes the place of all others.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every scope there is.")] = False,
    settings: SettingsFile = None,
) -> None:
    """Show or set what a system may do; prints it."""
    from sqlalchemy import select

    from siegelpost.service.administration import check_scopes

    if scope and every:
        raise ServiceError("either --scope or --all")
    table = _table()
    with _transaction(settings) as connection:
        if scope or every:
            _change(connection, client, scopes=" ".join(check_scopes(scope)))
        shown = connection.scalar(select(table.c.scopes).where(table.c.id == client))
    if shown is None:
        raise ServiceError(f"no system {client}; `siegelpost client list` shows them")
    typer.echo(shown)


def client_disable(client: ClientOption, settings: SettingsFile = None) -> None:
    """Shut a system out, for good: its key was lost, or it is gone."""
    with _transaction(settings) as connection:
        _change(connection, client, disabled_at=datetime.now(UTC))
    typer.echo("siegelpost: no tokens from now on; those that are out end in ten minutes", err=True)


def _change(connection: Connection, client: str, **values: Any) -> None:
    table = _table()
    alive = (table.c.id == client) & table.c.disabled_at.is_(None)
    if not connection.execute(table.update().where(alive).values(**values)).rowcount:
        raise ServiceError(f"no system {client} in use; `siegelpost client list` shows them")


def _table() -> Any:
    from siegelpost.store.tables import ApiClient, core

    return core(ApiClient)


@contextmanager
def _transaction(settings: Path | None) -> Iterator[Connection]:
    from siegelpost.service.settings import read_settings
    from siegelpost.store.database import Database

    database = Database(read_settings(settings).database.url)
    try:
        with database.write() as connection:
            yield connection
    finally:
        database.close()
