"""Events get their places in the log, and every proof leads to the signed head."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, LeafIndex, NoticeId
from siegelpost.evidence.notes import Ed25519Signer
from siegelpost.evidence.proofs import verify_proof
from siegelpost.evidence.tiles import ENTRIES, TileId, parse_bundle
from siegelpost.store import tables
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.log import latest_checkpoint, make_proofs, served_tile
from siegelpost.store.sequencer import BATCH_LIMIT, Sequencer
from siegelpost.store.store import Store
from tests.support.databases import START_AT

SIGNER = Ed25519Signer("post.example.org/log", Ed25519PrivateKey.generate())
EVENT = tables.core(tables.Event)


def draft(number: int) -> EventDraft:
    return EventDraft(
        type=EventType.PROVIDED,
        at=START_AT + timedelta(seconds=number),
        agency=AgencyId("agency-1"),
        notice=NoticeId(f"notice-{number % 50}"),
        actor="service",
    )


def record(connection: Connection, numbers: range) -> None:
    append_events(connection, [draft(n) for n in numbers], entropy=os.urandom)


async def test_every_event_is_proven_under_the_head(store: Store) -> None:
    sequencer = Sequencer("post.example.org/log", SIGNER)
    for start in range(0, 600, 200):
        await store.write(partial(record, numbers=range(start, start + 200)))
        assert await store.write(lambda c: sequencer(c, START_AT)) == 200
    assert await store.write(lambda c: sequencer(c, START_AT)) == 0
    head = await store.read(latest_checkpoint)
    assert head is not None
    assert head.size == 600
    rows = await store.read(lambda c: c.execute(select(EVENT).order_by(EVENT.c.leaf_index)).all())
    proofs = await store.read(
        lambda c: make_proofs(c, [LeafIndex(row.leaf_index) for row in rows], head.size, head.note)
    )
    for row, proof in zip(rows, proofs, strict=True):
        verify_proof(
            proof, row.commitment, origin="post.example.org/log", verifiers=[SIGNER.verifier]
        )


async def test_a_rolled_back_batch_leaves_no_trace(store: Store) -> None:
    sequencer = Sequencer("post.example.org/log", SIGNER)
    await store.write(lambda c: record(c, range(100)))

    def fail(connection: Connection) -> None:
        assert sequencer(connection, START_AT) == 100
        raise RuntimeError("power cut")

    (error,) = await asyncio.gather(store.write(fail), return_exceptions=True)
    assert isinstance(error, RuntimeError)
    assert await store.read(latest_checkpoint) is None
    assert await store.write(lambda c: sequencer(c, START_AT)) == 100
    await store.write(lambda c: record(c, range(100, 101)))
    assert await store.write(lambda c: sequencer(c, START_AT)) == 1


async def test_a_large_backlog_goes_in_batches(store: Store) -> None:
    count = BATCH_LIMIT + 10
    await store.write(lambda c: record(c, range(count)))
    sequencer = Sequencer("post.example.org/log", SIGNER)
    assert await store.write(lambda c: sequencer(c, START_AT)) == BATCH_LIMIT
    assert await store.write(lambda c: sequencer(c, START_AT)) == 10
    assert await store.read(lambda c: c.execute(select(func.max(EVENT.c.leaf_index))).scalar()) == (
        count - 1
    )


async def test_only_tiles_under_the_head_are_served(store: Store) -> None:
    sequencer = Sequencer("post.example.org/log", SIGNER)
    await store.write(lambda c: record(c, range(300)))
    assert await store.read(lambda c: served_tile(c, TileId(0, 0))) is None
    await store.write(lambda c: sequencer(c, START_AT))
    full = await store.read(lambda c: served_tile(c, TileId(0, 0)))
    assert full is not None
    assert len(full) == 256 * 32
    partial = await store.read(lambda c: served_tile(c, TileId(0, 1, 44)))
    assert partial is not None
    assert len(partial) == 44 * 32
    assert await store.read(lambda c: served_tile(c, TileId(0, 1, 45))) is None
    bundle = await store.read(lambda c: served_tile(c, TileId(ENTRIES, 1, 44)))
    assert bundle is not None
    assert len(parse_bundle(bundle)) == 44


async def test_each_subject_has_its_own_chain(store: Store) -> None:
    await store.write(lambda c: record(c, range(150)))
    rows = await store.read(lambda c: events_of(c, "notice:notice-7"))
    assert [row.number for row in rows] == [0, 1, 2]
    assert rows[1].commitment.hex() in rows[2].body
