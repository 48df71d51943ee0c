"""Housekeeping: delete whatever of logins, activations and counted tries is over."""

from __future__ import annotations

from siegelpost.citizens import (
    activate,
    challenges,
    known_browsers,
    mandates,
    second_factor,
    sessions,
    throttle,
)
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
            + second_factor.sweep(connection, now=now)
            + known_browsers.sweep(connection, now=now)
            + mandates.sweep(connection, now=now)
        )
    )
