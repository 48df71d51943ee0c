"""Keeping sandbox and real life apart, for good.

A sandbox's name begins with ``sandbox.``; the name is in its keyring, its log, its receipts and its
database, none of which can be used under another name. So no setting turns a live installation into
a sandbox or a sandbox into a live one, and no receipt of a sandbox is ever taken for a real one.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from siegelpost.service.errors import SettingsError
from siegelpost.store import tables
from siegelpost.store.database import Database

#: How the name of every sandbox begins, and of no other service.
PREFIX = "sandbox."

_installation = tables.core(tables.Installation)
_agency = tables.core(tables.Agency)


def mode_problem(origin: str, *, sandbox: bool) -> str | None:
    """Why a name and the sandbox setting do not go together, or None."""
    named = origin.startswith(PREFIX)
    if sandbox and not named:
        return (
            "a live installation can't become a sandbox: make one of its own with "
            "`siegelpost init --sandbox`"
        )
    if named and not sandbox:
        return "a sandbox can't go live: its name, keys and log say that it is one"
    return None


def claim_database(database: Database, origin: str, *, now: datetime) -> None:
    """Mark the database as this service's; raises SettingsError if it is another's.

    A database from before there were marks becomes a live service's, never a sandbox's.
    """
    with database.read() as connection:
        if _claimed(connection, origin):
            return
        if origin.startswith(PREFIX) and connection.execute(select(_agency.c.id)).first():
            raise SettingsError("the database is in use and not a sandbox's")
    try:
        with database.write() as connection:
            if not _claimed(connection, origin):
                connection.execute(
                    _installation.insert(), {"origin": origin, "created_at": now, "clock_at": None}
                )
    except IntegrityError:  # another process did, just now
        with database.read() as connection:
            _claimed(connection, origin)


def stored_time(connection: Connection, origin: str) -> datetime | None:
    """What a sandbox's clock showed last."""
    at: datetime | None = connection.execute(
        select(_installation.c.clock_at).where(_installation.c.origin == origin)
    ).scalar()
    return at


def store_time(connection: Connection, origin: str, at: datetime) -> None:
    """Keep what a sandbox's clock is about to show."""
    connection.execute(
        _installation.update().where(_installation.c.origin == origin).values(clock_at=at)
    )


def _claimed(connection: Connection, origin: str) -> bool:
    owners = list(connection.execute(select(_installation.c.origin)).scalars())
    if owners and owners != [origin]:
        raise SettingsError(f"the database belongs to {owners[0]}, not to {origin}")
    return bool(owners)
