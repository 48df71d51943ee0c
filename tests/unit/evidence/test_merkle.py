"""Merkle tree against the reference roots of Certificate Transparency and a naive tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.evidence.errors import ConsistencyError, InclusionError
from siegelpost.evidence.merkle import (
    EMPTY_ROOT,
    HashReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.support import naive_merkle as naive

#: Inputs and roots of the CT reference tree (RFC 6962 test data of certificate-transparency).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _leaves(count: int) -> list[bytes]:
    return [number.to_bytes(4) for number in range(count)]


def _reader(leaves: list[bytes]) -> HashReader:
    def read(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(leaves[index])
        return node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))

    return read


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_equal_the_reference_tree(size: int) -> None:
    assert tree_root(size, _reader(INPUTS)).hex() == ROOTS[size - 1]


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree_root(0, _reader([])) == EMPTY_ROOT == naive.mth([])


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 300), st.data())
def test_proofs_equal_the_naive_tree_and_verify(size: int, data: st.DataObject) -> None:
    leaves = _leaves(size)
    root = tree_root(size, _reader(leaves))
    assert root == naive.mth(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, _reader(leaves))
    assert list(proof) == naive.path(index, leaves)
    verify_inclusion(leaf_hash(leaves[index]), index, size, proof, root)
    old = data.draw(st.integers(0, size))
    consistency = consistency_proof(old, size, _reader(leaves))
    if 0 < old < size:
        assert list(consistency) == naive.proof(old, leaves)
    verify_consistency(old, size, consistency, naive.mth(leaves[:old]), root)


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 200), st.data())
def test_wrong_inclusion_proofs_are_refused(size: int, data: st.DataObject) -> None:
    leaves = _leaves(size)
    root = naive.mth(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = naive.path(index, leaves)
    leaf = leaf_hash(leaves[index])
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
    hit = data.draw(st.integers(0, len(proof) - 1))
    flipped = [bytes(32) if number == hit else part for number, part in enumerate(proof)]
    for wrong in (
        (leaf_hash(b"other"), index, size, proof, root),
        (leaf, other, size, proof, root),
        (leaf, size, size, proof, root),
        (leaf, index, size, flipped, root),
        (leaf, index, size, proof[:-1], root),
        (leaf, index, size, [*proof, bytes(32)], root),
        (leaf, index, size, proof, bytes(32)),
        (leaf, index, size, [part[:31] for part in proof], root),
    ):
        with pytest.raises(InclusionError):
            verify_inclusion(*wrong)


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 200), st.data())
def test_forks_and_truncations_are_refused_with_both_roots(size: int, data: st.DataObject) -> None:
    leaves = _leaves(size)
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    forked = [b"forged" if number == changed else leaf for number, leaf in enumerate(leaves)]
    proof = naive.proof(old, leaves)
    old_root, root = naive.mth(leaves[:old]), naive.mth(leaves)
    with pytest.raises(ConsistencyError) as caught:
        verify_consistency(old, size, naive.proof(old, forked), old_root, naive.mth(forked))
    assert caught.value.evidence["old_root"] == old_root.hex()
    for wrong in (
        (size, old, proof, root, old_root),
        (old, size, [*proof, bytes(32)], old_root, root),
        (old, size, proof[:-1], old_root, root),
        (old, old, [], old_root, naive.mth(forked[:old])),
        (old, size, proof, bytes(32), root),
        (old, size, proof, old_root, bytes(32)),
    ):
        with pytest.raises(ConsistencyError):
            verify_consistency(*wrong)


def test_proofs_outside_of_the_tree_are_not_made() -> None:
    with pytest.raises(ValueError, match="outside"):
        inclusion_proof(8, 8, _reader(INPUTS))
    with pytest.raises(ValueError, match="extends"):
        consistency_proof(9, 8, _reader(INPUTS))
