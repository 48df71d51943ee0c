"""The tree of renewed timestamps: every leaf's path leads to the root, and only that leaf's."""

from __future__ import annotations

import hashlib

import pytest

from siegelpost.evidence.errors import FormatError, InclusionError
from siegelpost.evidence.renewal import (
    HASH_SIZE,
    renewal_leaf,
    renewal_path,
    renewal_root,
    root_of_path,
)

LEAVES = [renewal_leaf(b"token %d" % n, b"message %d" % n) for n in range(70)]


def naive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 over leaf hashes, with SHA-512."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha512(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 64, 70])
def test_every_path_leads_to_the_root(size: int) -> None:
    leaves = LEAVES[:size]
    root = renewal_root(leaves)
    assert root == naive(leaves)
    for index in range(size):
        path = renewal_path(index, leaves)
        assert root_of_path(leaves[index], index, size, path) == root
        if size > 1:
            assert root_of_path(LEAVES[(index + 1) % size], index, size, path) != root
        for wrong in ((*path, LEAVES[0]), path[:-1] if path else (LEAVES[0],)):
            with pytest.raises(InclusionError):
                root_of_path(leaves[index], index, size, wrong)


def test_a_leaf_binds_token_and_message() -> None:
    """The message is hashed anew: a hash that aged inside the token is renewed, too."""
    leaf = renewal_leaf(b"token", b"message")
    assert len(leaf) == HASH_SIZE
    assert leaf != renewal_leaf(b"token", b"another")
    assert leaf != renewal_leaf(b"other", b"message")


def test_impossible_places_and_hashes_are_refused() -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0), (0, 1 << 20)):
        with pytest.raises(InclusionError):
            root_of_path(LEAVES[0], index, size, ())
    with pytest.raises(FormatError):
        root_of_path(LEAVES[0], 0, 2, (b"short",))
    with pytest.raises(ValueError, match="renewal of 0"):
        renewal_root([])
