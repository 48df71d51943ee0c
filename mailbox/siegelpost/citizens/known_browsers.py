"""Browsers that logged in before: a stranger's failures must not slow them down (DESIGN 12).

Failures of a login name are counted for everybody together, else a guesser would simply change
browsers. So a stranger who knows the name could keep its owner waiting; a browser that has logged
in to the mailbox before is counted by itself.
A known browser gets no further than any other: it needs the same proofs.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from siegelpost.citizens import peppers
from siegelpost.evidence.ids import MailboxId
from siegelpost.store.context import Context
from siegelpost.store.tables import KnownBrowser, core

#: How long after a login a browser is known.
KNOWN_FOR = timedelta(days=180)
#: Most known browsers of a mailbox; the oldest make room.
BROWSERS_LIMIT = 20

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_known = core(KnownBrowser)


def is_browser(value: str | None) -> bool:
    """Whether a cookie's value can be one of ours."""
    return value is not None and _VALUE.fullmatch(value) is not None


def browser_in(
    connection: Connection, context: Context, mailbox: str, value: str | None, now: datetime
) -> bytes:
    """The digest of a browser that ``mailbox`` knows, or no bytes."""
    wanted = peppers.digests(context, "known-browser", mailbox, value or "")
    row = connection.scalar(
        select(_known.c.digest).where(
            _known.c.digest.in_(wanted), _known.c.mailbox_id == mailbox, _known.c.expires_at > now
        )
    )
    return b"" if row is None else bytes(row)


async def remember_browser(context: Context, mailbox: MailboxId, value: str) -> None:
    """Know the browser with this cookie from now on."""
    now = context.now()
    digest = peppers.digest(context, "known-browser", mailbox, value)

    def work(connection: Connection) -> None:
        connection.execute(delete(_known).where(_known.c.digest == digest))
        old = connection.scalars(
            select(_known.c.digest)
            .where(_known.c.mailbox_id == mailbox)
            .order_by(_known.c.created_at.desc())
            .offset(BROWSERS_LIMIT - 1)
        ).all()
        if old:
            connection.execute(delete(_known).where(_known.c.digest.in_(old)))
        connection.execute(
            _known.insert().values(
                digest=digest, mailbox_id=mailbox, created_at=now, expires_at=now + KNOWN_FOR
            )
        )

    await context.store.write(work)


def sweep(connection: Connection, *, now: datetime) -> int:
    """Delete browsers that are known no more; return how many."""
    return connection.execute(delete(_known).where(_known.c.expires_at <= now)).rowcount
