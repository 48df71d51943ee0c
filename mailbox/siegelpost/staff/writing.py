"""Write transactions of this package: refusals that leave a trace, and chains that moved on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from siegelpost.citizens.errors import CitizenError
from siegelpost.notices.chains import write_on
from siegelpost.staff.errors import StaffError
from siegelpost.store.context import Context

T = TypeVar("T")


async def decide(
    context: Context, work: Callable[[Connection], T | StaffError | CitizenError]
) -> T:
    """Run ``work`` in a write transaction, commit, and then raise the refusal that it returned.

    A refusal that ``work`` *returns* keeps what was written, such as a counted try; one that it
    *raises* takes everything back. Raises Conflict after some tries.
    """
    result = await write_on(context, work)
    if isinstance(result, (StaffError, CitizenError)):
        raise result
    return result
