"""Write transactions of this package: refusals that leave a trace, and chains that moved on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from siegelpost.citizens.errors import CitizenError
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict

T = TypeVar("T")

#: Tries before a conflict reaches the caller; each means that somebody else got on.
TRIES = 5


async def decide(context: Context, work: Callable[[Connection], T | CitizenError]) -> T:
    """Run ``work`` in a write transaction, commit, and then raise the refusal that it returned.

    A refusal that ``work`` *returns* keeps what was written, such as a counted try; one that it
    *raises* takes everything back.
    Runs again on the new state when another writer was faster (Conflict), at most TRIES times.
    """
    for left in reversed(range(TRIES)):
        try:
            result = await context.store.write(work)
        except Conflict:
            if not left:
                raise
            continue
        if isinstance(result, CitizenError):
            raise result
        return result
    raise AssertionError("unreachable")
