"""Checkpoints are dated by the first authority that can, and renewed before that ages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select, text

from siegelpost.evidence.checkpoint import open_checkpoint
from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.merkle import verify_consistency
from siegelpost.evidence.timestamps import verify_timestamp
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.service.demo.authority import serving
from siegelpost.service.renewing import RenewalTooShort, renew
from siegelpost.service.timestamping import (
    NoAuthority,
    ReachableAuthority,
    date_head,
    fetch_token,
)
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.log import latest_checkpoint, log_origin
from siegelpost.store.store import Store
from siegelpost.store.timestamps import timestamps_of
from tests.support.databases import ORIGIN
from tests.support.growing import findings, grow
from tests.support.tsa import make_authority, trusted

TIMESTAMP = tables.core(tables.Timestamp)


class NowClock:
    """The real time: authorities know no other."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def context(store: Store, keyring: FileKeyring) -> Context:
    """A world at the real time."""
    return Context(
        store=store, clock=NowClock(), keyring=keyring, entropy=os.urandom, origin=ORIGIN
    )


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ReachableAuthority]]:
    """Two authorities over HTTP: the first one's certificate ends in a month."""
    folder = tmp_path_factory.mktemp("authorities")
    with ExitStack() as stack:
        found = []
        for name, days in (("TSA Kurz", 30.0), ("TSA Lang", 3650.0)):
            made = make_authority(folder / name.replace(" ", ""), name, days=days)
            url = stack.enter_context(serving(made))
            found.append(ReachableAuthority(url=url, authority=trusted(made)))
        yield found


async def grow_and_date(context: Context, authorities: list[ReachableAuthority], n: int) -> None:
    async with httpx2.AsyncClient() as http:
        for _ in range(n):
            size = await grow(context)
            assert await date_head(context, http, authorities) == size


async def count(context: Context) -> int:
    counted = select(func.count()).select_from(TIMESTAMP)
    return int(await context.store.read(lambda c: c.execute(counted).scalar_one()))


async def test_each_leaf_gets_its_earliest_timestamp(
    context: Context, authorities: list[ReachableAuthority]
) -> None:
    async with httpx2.AsyncClient() as http:
        assert await date_head(context, http, authorities) is None
        for _ in range(2):
            await grow(context)
            assert await date_head(context, http, authorities) is not None
            assert await date_head(context, http, authorities) is None
        await grow(context)
    head = await context.store.read(latest_checkpoint)
    assert head is not None
    leaves = [LeafIndex(n) for n in (0, 4, 5, 14)]
    found = await context.store.read(lambda c: timestamps_of(c, leaves, head))
    keys = [key.verifier for key in context.keyring.public_keys()]
    sizes = []
    for timestamp in found:
        dated, _ = open_checkpoint(timestamp.checkpoint, log_origin(ORIGIN), keys)
        verify_consistency(dated.size, head.size, timestamp.consistency, dated.root, head.root)
        verify_timestamp(timestamp, [authorities[0].authority])
        sizes.append(dated.size)
    assert sizes == [5, 10], "the last events are not dated yet"
    assert findings(context) == []


async def test_another_authority_steps_in(
    context: Context, authorities: list[ReachableAuthority]
) -> None:
    gone = replace(authorities[0], url="http://127.0.0.1:9/")
    # This one answers, but not with certificates that are trusted.
    false = replace(authorities[1], authority=authorities[0].authority)
    async with httpx2.AsyncClient() as http:
        await grow(context)
        with pytest.raises(NoAuthority, match=r"TSA Kurz: .*; TSA Kurz: "):
            await date_head(context, http, [gone, false])
        assert await count(context) == 0
        await date_head(context, http, [gone, false, authorities[1]])
        _, verified = await fetch_token(http, [gone, authorities[1]], b"x", context)
    assert verified.authority == "TSA Lang"
    assert await count(context) == 1


async def test_renewal_is_resumable_and_keeps_the_first_date(
    context: Context, authorities: list[ReachableAuthority]
) -> None:
    await grow_and_date(context, authorities[:1], 5)
    soon = context.now() + timedelta(days=365)
    seen: list[int] = []

    def interrupt(done: int) -> None:
        seen.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await renew(context, authorities[1:], ending_before=soon, batch=2, progress=interrupt)
    assert await renew(context, authorities[1:], ending_before=soon, batch=2) == 3
    assert await renew(context, authorities[1:], ending_before=soon, batch=2) == 0
    assert seen == [2]
    head = await context.store.read(latest_checkpoint)
    assert head is not None
    found = await context.store.read(lambda c: timestamps_of(c, [LeafIndex(0)], head))
    trusted_now = [item.authority for item in authorities]
    (timestamp,) = found
    first, last = verify_timestamp(timestamp, trusted_now)
    assert (first.authority, last.authority) == ("TSA Kurz", "TSA Lang")
    assert last.expires_at > soon > first.expires_at
    # A hash that ages is a reason, too: the renewals are renewed.
    assert await renew(context, authorities[1:], ending_before=soon, old_hashes=["sha512"]) == 3
    (again,) = await context.store.read(lambda c: timestamps_of(c, [LeafIndex(0)], head))
    assert len(again.renewals) == 2
    assert verify_timestamp(again, trusted_now)[0] == first
    assert findings(context) == []


async def test_a_renewal_that_would_end_too_early_is_refused(
    context: Context, authorities: list[ReachableAuthority]
) -> None:
    await grow_and_date(context, authorities[:1], 1)
    with pytest.raises(RenewalTooShort):
        await renew(context, authorities[:1], ending_before=context.now() + timedelta(days=365))
    assert await count(context) == 1


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "UPDATE timestamp SET token = (SELECT t.token FROM timestamp t WHERE t.size = 10)",
            "its token is over something else",
        ),
        (
            "UPDATE timestamp SET token = leaves WHERE size IS NULL",
            "its token cannot be read",
        ),
        ("UPDATE timestamp SET renewed_index = 1 - renewed_index", "of another token"),
        ("UPDATE timestamp SET renewed_index = 7 WHERE renewed_index = 0", "no place for it"),
        ("UPDATE timestamp SET hash_name = 'sha256' WHERE size = 5", "over something else"),
    ],
)
async def test_fsck_finds_a_changed_timestamp(
    context: Context,
    authorities: list[ReachableAuthority],
    statement: str,
    expected: str,
) -> None:
    await grow_and_date(context, authorities[:1], 2)
    soon = context.now() + timedelta(days=365)
    assert await renew(context, authorities[1:], ending_before=soon) == 2
    assert findings(context) == []
    await context.store.write(lambda c: c.execute(text(statement)))
    assert any(expected in finding for finding in findings(context)), findings(context)


def test_certificates_are_read_from_a_file(tmp_path: Path) -> None:
    made = make_authority(tmp_path, "TSA", days=1)
    assert trusted(made).loaded()[0].subject.rfc4514_string() == "CN=TSA Root"
