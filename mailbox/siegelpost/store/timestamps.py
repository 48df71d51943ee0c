"""Timestamps of checkpoints as stored: keeping, finding those of a receipt, renewing the old."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.evidence.ids import ID_RANDOM, LeafIndex, new_id
from siegelpost.evidence.merkle import consistency_proof
from siegelpost.evidence.renewal import HASH_SIZE, renewal_leaf, renewal_path, renewal_root
from siegelpost.evidence.tiles import TileHashes
from siegelpost.evidence.timestamps import (
    CheckpointTimestamp,
    Renewal,
    VerifiedToken,
    timestamped_message,
)
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.log import latest_checkpoint, read_tile

_checkpoint = tables.core(tables.Checkpoint)
_timestamp = tables.core(tables.Timestamp)

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, kw_only=True)
class DueRenewal:
    """Tokens that one new token will renew."""

    #: Ids of their rows, in the order of the leaves.
    ids: tuple[str, ...]
    #: Leaf hashes, see `siegelpost.evidence.renewal`.
    leaves: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """What the new token is issued over."""
        return renewal_root(self.leaves)


def undated_head(connection: Connection) -> AnyRow | None:
    """Return the newest checkpoint if it has no timestamp yet."""
    head = latest_checkpoint(connection)
    if head is None:
        return None
    known = connection.execute(
        select(_timestamp.c.id).where(_timestamp.c.size == head.size).limit(1)
    ).one_or_none()
    return head if known is None else None


def first_dated(connection: Connection) -> tuple[datetime, int] | None:
    """Return since when there are timestamps, and the size of the log that the first one dates."""
    first = connection.execute(
        select(_timestamp.c.at, _timestamp.c.size).order_by(_timestamp.c.at).limit(1)
    ).one_or_none()
    return None if first is None else (first.at, first.size)


def keep_timestamp(
    connection: Connection,
    size: int,
    token: bytes,
    verified: VerifiedToken,
    *,
    now: datetime,
    entropy: Entropy,
) -> None:
    """Store the verified token of a checkpoint; a second one of the same authority is dropped."""
    known = connection.execute(
        select(_timestamp.c.id).where(
            _timestamp.c.size == size, _timestamp.c.authority == verified.authority
        )
    ).one_or_none()
    if known is None:
        connection.execute(_timestamp.insert(), _row(token, verified, now, entropy, size=size))


def timestamps_of(
    connection: Connection, leaf_indexes: Sequence[LeafIndex], head: AnyRow
) -> list[CheckpointTimestamp]:
    """Return the earliest timestamp of each leaf, as a receipt under ``head`` carries them."""
    sizes: set[int] = set()
    for leaf in sorted(leaf_indexes, reverse=True):
        size = connection.execute(
            select(_timestamp.c.size)
            .where(_timestamp.c.size > leaf, _timestamp.c.size <= head.size)
            .order_by(_timestamp.c.size)
            .limit(1)
        ).scalar_one_or_none()
        if size is not None:
            sizes.add(size)
    hashes = TileHashes(head.size, lambda tile: read_tile(connection, tile))
    found: list[CheckpointTimestamp] = []
    rows = connection.execute(
        select(_timestamp, _checkpoint.c.note)
        .join(_checkpoint, _checkpoint.c.size == _timestamp.c.size)
        .where(_timestamp.c.size.in_(sizes))
        .order_by(_timestamp.c.size, _timestamp.c.at)
    ).all()
    for row in rows:
        found.append(
            CheckpointTimestamp(
                checkpoint=row.note,
                consistency=consistency_proof(row.size, head.size, hashes),
                token=row.token,
                renewals=tuple(_renewals(connection, row)),
            )
        )
    return found


def due_renewals(
    connection: Connection,
    *,
    ending_before: datetime,
    old_hashes: Sequence[str],
    started_at: datetime,
    limit: int,
) -> DueRenewal | None:
    """Return the next tokens to renew, or None if nothing is due.

    Due is what is not renewed, was kept before ``started_at`` (so that a run ends), and has either
    a certificate that ends ``ending_before`` or a hash among ``old_hashes``.
    """
    rows = connection.execute(
        select(_timestamp, _checkpoint.c.note)
        .join(_checkpoint, _checkpoint.c.size == _timestamp.c.size, isouter=True)
        .where(
            _timestamp.c.renewed_by.is_(None),
            _timestamp.c.kept_at < started_at,
            (_timestamp.c.expires_at < ending_before) | _timestamp.c.hash_name.in_(old_hashes),
        )
        .order_by(_timestamp.c.id)
        .limit(limit)
    ).all()
    if not rows:
        return None
    return DueRenewal(
        ids=tuple(row.id for row in rows),
        leaves=tuple(renewal_leaf(row.token, message_of(row)) for row in rows),
    )


def keep_renewal(
    connection: Connection,
    due: DueRenewal,
    token: bytes,
    verified: VerifiedToken,
    *,
    now: datetime,
    entropy: Entropy,
) -> None:
    """Store a renewal and mark what it renews, in the caller's transaction."""
    row = _row(token, verified, now, entropy, leaves=b"".join(due.leaves))
    connection.execute(_timestamp.insert(), row)
    for index, renewed in enumerate(due.ids):
        connection.execute(
            _timestamp.update()
            .where(_timestamp.c.id == renewed, _timestamp.c.renewed_by.is_(None))
            .values(renewed_by=row["id"], renewed_index=index)
        )


def message_of(row: AnyRow) -> bytes:
    """Return what the token of a row (with its checkpoint's note) is over."""
    if row.leaves is not None:
        return renewal_root(split_leaves(row.leaves))
    return timestamped_message(row.note)


def split_leaves(leaves: bytes) -> list[bytes]:
    """Return the leaf hashes of a renewal."""
    return [leaves[start : start + HASH_SIZE] for start in range(0, len(leaves), HASH_SIZE)]


def _renewals(connection: Connection, row: AnyRow) -> list[Renewal]:
    chain: list[Renewal] = []
    while row.renewed_by is not None:
        index = row.renewed_index
        row = connection.execute(select(_timestamp).where(_timestamp.c.id == row.renewed_by)).one()
        leaves = split_leaves(row.leaves)
        chain.append(
            Renewal(
                token=row.token,
                index=index,
                size=len(leaves),
                path=renewal_path(index, leaves),
            )
        )
    return chain


def _row(
    token: bytes,
    verified: VerifiedToken,
    now: datetime,
    entropy: Entropy,
    *,
    size: int | None = None,
    leaves: bytes | None = None,
) -> dict[str, object]:
    return {
        "id": new_id(verified.at, entropy(ID_RANDOM)),
        "size": size,
        "authority": verified.authority,
        "token": token,
        "hash_name": verified.hash_name,
        "at": verified.at,
        "expires_at": verified.expires_at,
        "kept_at": now,
        "leaves": leaves,
    }
