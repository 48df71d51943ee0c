"""A reply that comes in while somebody else changes what it was made with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from siegelpost.evidence.ids import KeyId, MailboxId, new_id
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.store import tables
from tests.support.reply_street import Street

Change = Callable[[Connection, Street], Any]

_key = tables.core(tables.MailboxKey)


def exchange_key(connection: Connection, street: Street) -> None:
    """As `siegelpost.citizens.rotate` does it, without what nobody here looks at."""
    now, seed = street.town.context.now(), bytes(range(32))
    mailbox = street.alice.mailbox
    assert mailbox is not None
    ours = (_key.c.mailbox_id == mailbox) & _key.c.retired_at.is_(None)
    connection.execute(_key.update().where(ours).values(retired_at=now))
    signer = acknowledgement_key(seed)
    connection.execute(
        _key.insert().values(
            id=KeyId(new_id(now, bytes(10))),
            mailbox_id=MailboxId(mailbox),
            recipient=Identity(seed).recipient.raw,
            acknowledgement_key=signer.public_key().public_bytes_raw(),
            custody="own",
            created_at=now,
        )
    )


def end_mandates(connection: Connection, street: Street) -> None:
    connection.execute(
        tables.core(tables.Mandate).update().values(ended_at=street.town.context.now())
    )


def revoke_consents(connection: Connection, street: Street) -> None:
    connection.execute(
        tables.core(tables.Consent).update().values(revoked_at=street.town.context.now())
    )


def withdraw(connection: Connection, _: Street) -> None:
    connection.execute(tables.core(tables.Notice).update().values(state="withdrawn"))


def new_agency_key(connection: Connection, _: Street) -> None:
    other = Identity(bytes(range(32))).recipient.raw
    connection.execute(tables.core(tables.Agency).update().values(reply_recipient=other))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (exchange_key, (409, "reply-key-changed")),
        (end_mandates, (404, "not-found")),
        (revoke_consents, (409, "no-consent-to-send")),
        (withdraw, (409, "step-refused")),
        (new_agency_key, (409, "reply-key-changed")),
    ],
)
async def test_what_changes_while_a_reply_comes_in_counts(
    street: Street, change: Change, refusal: tuple[int, str]
) -> None:
    bob = await street.by_bob()
    made = await bob.make()
    database = street.town.context.store.database

    def waits() -> bool:
        with database.read() as connection:
            return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        with database.write() as connection:
            change(connection, street)
            loop.call_soon_threadsafe(changed.set)
            deadline = time.monotonic() + 5
            if database.dialect == "sqlite":
                time.sleep(0.3)
                return
            while not waits():
                assert time.monotonic() < deadline, "the reply does not wait"
                time.sleep(0.02)

    other = asyncio.create_task(asyncio.to_thread(work))
    await changed.wait()
    assert await bob.refused(made) == refusal
    await other
    await street.nothing_happened()
