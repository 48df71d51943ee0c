"""Housekeeping: delete sessions of staff that are over; accounts and looks stay."""

from __future__ import annotations

from siegelpost.staff import sessions
from siegelpost.store.context import Context


async def sweep(context: Context) -> int:
    """Delete what is over and return how many rows; call it about once an hour."""
    now = context.now()
    return await context.store.write(lambda connection: sessions.sweep(connection, now=now))
