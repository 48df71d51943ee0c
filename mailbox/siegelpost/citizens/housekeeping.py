"""Housekeeping: delete sessions, activations, challenges and counted tries whose time is over."""

from __future__ import annotations

from siegelpost.citizens import activate, challenges, sessions, throttle
from siegelpost.store.context import Context


async def sweep(context: Context) -> int:
    """Delete what is over and return how many rows; call it about once an hour."""
    now = context.now()
    return await context.store.write(
        lambda connection: (
            sessions.sweep(connection, now=now)
            + activate.sweep(connection, now=now)
            + throttle.sweep(connection, now=now)
            + challenges.sweep(connection, now=now)
        )
    )
