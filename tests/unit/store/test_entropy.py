"""Pooled random bytes: never the same twice, to no thread, across every border of the pool."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from siegelpost.store.entropy import POOL_BYTES, PooledEntropy


def test_no_bytes_are_given_twice_to_any_thread() -> None:
    entropy = PooledEntropy()
    with ThreadPoolExecutor(4) as threads:
        given = list(threads.map(lambda _: entropy(32), range(4000)))
    assert all(len(piece) == 32 for piece in given)
    assert len(set(given)) == len(given)


def test_any_size_is_given_in_full() -> None:
    entropy = PooledEntropy()
    for size in (0, 1, 31, POOL_BYTES - 1, POOL_BYTES, POOL_BYTES + 1, 3 * POOL_BYTES):
        assert len(entropy(size)) == size
