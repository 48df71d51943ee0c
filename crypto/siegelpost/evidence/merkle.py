"""The Merkle tree: hashes, inclusion and consistency proofs, their verifiers.

RFC 6962 section 2.1 and RFC 9162 sections 2.1.3 and 2.1.4, with SHA-256.
Trees live elsewhere: proofs are made over a `HashReader`; see `tiles` for one over stored tiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from siegelpost.evidence.errors import ConsistencyError, InclusionError

#: Gives the hash of the complete subtree of 2^level leaves that begins at leaf index << level.
#: It is asked only for subtrees that lie wholly inside the tree.
HashReader = Callable[[int, int], bytes]

HASH_SIZE = 32
#: MTH of the empty tree.
EMPTY_ROOT = hashlib.sha256(b"").digest()
#: Trees beyond 2^62 leaves are refused.
MAX_LEVEL = 62


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(size: int, read: HashReader) -> bytes:
    """Root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, read)


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """PATH(index, D[size]), from the leaf's sibling upwards; ValueError if index is outside."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is outside of a tree of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_hash(middle, end, read))
            end = middle
        else:
            proof.append(_range_hash(start, middle, read))
            start = middle
    proof.reverse()
    return tuple(proof)


def consistency_proof(old_size: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """PROOF(old_size, D[size]); empty if old_size is 0 or size; ValueError if it is larger."""
    if not 0 <= old_size <= size:
        raise ValueError(f"no tree of {size} extends one of {old_size}")
    if old_size in (0, size):
        return ()
    proof: list[bytes] = []
    start, end, known = 0, size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(_range_hash(middle, end, read))
            end = middle
        else:
            proof.append(_range_hash(start, middle, read))
            start, known = middle, False
    if not known:
        proof.append(_range_hash(start, end, read))
    proof.reverse()
    return tuple(proof)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Return if `proof` leads from leaf hash `leaf` at `index` to `root`, else InclusionError."""

    def refuse(reason: str) -> InclusionError:
        return InclusionError(
            reason,
            evidence={
                "leaf_hash": leaf.hex(),
                "leaf_index": str(index),
                "tree_size": str(size),
                "root": root.hex(),
                "proof": " ".join(part.hex() for part in proof),
            },
        )

    if not 0 <= index < size:
        raise refuse("the leaf index lies outside of the tree")
    if any(len(part) != HASH_SIZE for part in (leaf, root, *proof)):
        raise refuse("a hash of the proof does not have 32 bytes")
    # RFC 9162, 2.1.3.2; names as there.
    fn, sn, r = index, size - 1, leaf
    for part in proof:
        if sn == 0:
            raise refuse("the proof is longer than the path")
        if fn & 1 or fn == sn:
            r = node_hash(part, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, part)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise refuse("the proof is shorter than the path")
    if r != root:
        raise refuse("the proof does not lead to the root")


def verify_consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Return if the tree of `size` extends that of `old_size`, else ConsistencyError."""

    def refuse(reason: str) -> ConsistencyError:
        return ConsistencyError(
            reason,
            evidence={
                "old_size": str(old_size),
                "old_root": old_root.hex(),
                "size": str(size),
                "root": root.hex(),
                "proof": " ".join(part.hex() for part in proof),
            },
        )

    if not 0 <= old_size <= size:
        raise refuse("the newer tree is smaller than the older one")
    if any(len(part) != HASH_SIZE for part in (old_root, root, *proof)):
        raise refuse("a hash of the proof does not have 32 bytes")
    if old_size in (0, size):
        if proof:
            raise refuse("a proof where none is needed")
        if old_size == 0 and old_root != EMPTY_ROOT:
            raise refuse("the empty tree has another root")
        if old_size == size and old_root != root:
            raise refuse("two roots for one size: the log was forked")
        return
    if not proof:
        raise refuse("the proof is empty")
    # RFC 9162, 2.1.4.2; names as there.
    parts = list(proof)
    if old_size & (old_size - 1) == 0:
        parts.insert(0, old_root)
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = parts[0]
    for part in parts[1:]:
        if sn == 0:
            raise refuse("the proof is longer than the path")
        if fn & 1 or fn == sn:
            fr = node_hash(part, fr)
            sr = node_hash(part, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, part)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise refuse("the proof is shorter than the path")
    if fr != old_root:
        raise refuse("the proof does not lead to the older root")
    if sr != root:
        raise refuse("the proof does not lead to the newer root")


def _split(count: int) -> int:
    """The largest power of two below `count`, for count > 1."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(start: int, end: int, read: HashReader) -> bytes:
    """MTH(D[start:end]) for a range that begins at a multiple of its rounded-up size."""
    parts: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(read(level, start >> level))
        start += 1 << level
    result = parts.pop()
    while parts:
        result = node_hash(parts.pop(), result)
    return result
