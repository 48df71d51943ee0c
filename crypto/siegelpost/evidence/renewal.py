"""Renewing timestamps: many old tokens under one new one (the idea of RFC 4998, hash trees).

A token is worth what its authority's certificate and its hash are worth.
Before either ages, all tokens that are due become leaves of a tree of SHA-512 hashes (the shape of
RFC 6962), and one new token is issued over the root.
A leaf binds the old token and the message that it dates, so that an aged hash is renewed, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from siegelpost.evidence.errors import FormatError, InclusionError

#: Bytes of a hash in this tree.
HASH_SIZE = 64
#: Most tokens under one renewal.
MAX_LEAVES = 1 << 16
_DOMAIN = b"siegelpost/renewal/v1\0"


def renewal_leaf(token: bytes, message: bytes) -> bytes:
    """Leaf hash of an old token (DER) and the message that it dates."""
    data = hashlib.sha512(message).digest() + token
    return hashlib.sha512(b"\0" + _DOMAIN + data).digest()


def renewal_root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; ValueError for none or too many."""
    if not 0 < len(leaves) <= MAX_LEAVES:
        raise ValueError(f"a renewal of {len(leaves)} timestamps")
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(renewal_root(leaves[:split]), renewal_root(leaves[split:]))


def renewal_path(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Hashes that lead from leaf `index` to the root, from the leaf's sibling upwards."""
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*renewal_path(index, leaves[:split]), renewal_root(leaves[split:]))
    return (*renewal_path(index - split, leaves[split:]), renewal_root(leaves[:split]))


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to; InclusionError if it does not fit a tree of `size`."""
    if not 0 <= index < size <= MAX_LEAVES:
        raise InclusionError("the renewed timestamp lies outside of its renewal")
    if any(len(part) != HASH_SIZE for part in path):
        raise FormatError("a hash of the renewal does not have 64 bytes")
    # RFC 9162, 2.1.3.2; names as there.
    fn, sn, r = index, size - 1, leaf
    for part in path:
        if sn == 0:
            raise InclusionError("the path of the renewal is too long")
        if fn & 1 or fn == sn:
            r = _node(part, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = _node(r, part)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise InclusionError("the path of the renewal is too short")
    return r


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha512(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)
