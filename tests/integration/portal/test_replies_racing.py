"""A reply that comes in while somebody changes what it was made with, or sends another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import Connection, text

from siegelpost.evidence.ids import KeyId, MailboxId, new_id
from siegelpost.notices import replies
from siegelpost.notices.readers import Reader
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.store import tables
from siegelpost.store.blobs import insert_blobs
from siegelpost.store.database import Database
from siegelpost.store.store import Store
from tests.support.replies import MadeReply, Sender, given
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


async def at_once(
    street: Street, monkeypatch: pytest.MonkeyPatch, made: MadeReply, other: MadeReply
) -> list[str]:
    """What becomes of two replies of Alice's, by two processes of the service; sorted names."""
    both = Barrier(2, timeout=1)

    def meet(connection: Connection, blobs: Any) -> None:
        # Both have looked at what there is by now, unless one waits for the other's commit.
        with suppress(BrokenBarrierError):
            both.wait()
        insert_blobs(connection, blobs)

    monkeypatch.setattr(replies, "insert_blobs", meet)
    context, mailbox = street.town.context, street.alice.mailbox
    assert mailbox is not None
    beside = Store(Database(context.store.database.url.render_as_string(hide_password=False)))
    try:
        done = await asyncio.gather(
            *(
                replies.reply(each, Reader(mailbox), sent.said.notice, given(sent))
                for each, sent in ((context, made), (replace(context, store=beside), other))
            ),
            return_exceptions=True,
        )
    finally:
        beside.close()
    return sorted(type(one).__name__ for one in done)


async def test_one_id_for_two_notices_at_once_is_taken_by_one(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await street.town.dispatch(street.letter, "another")
    first = await street.sender.make()
    second = await Sender(who=street.alice, notice=other).make()
    second = second.signed_by(street.sender.seed, reply=first.said.reply)
    assert await at_once(street, monkeypatch, first, second) == ["Received", "ReplyIdTaken"]
    assert len(await street.rows()) == 1


async def test_limit_of_a_day_holds_for_two_notices_at_once(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "PER_DAY", 1)
    other = await street.town.dispatch(street.letter, "another")
    first = await street.sender.make()
    second = await Sender(who=street.alice, notice=other).make()
    assert await at_once(street, monkeypatch, first, second) == ["Received", "TooManyRepliesToday"]
    assert len(await street.rows()) == 1
