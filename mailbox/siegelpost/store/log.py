"""Reading the log as stored: checkpoints, tiles, entry bundles and proofs (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.proofs import LogProof, make_proof
from siegelpost.evidence.tiles import ENTRIES, ENTRY_SIZE, TILE_WIDTH, TileHashes, TileId
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

_checkpoint = tables.core(tables.Checkpoint)
_tile = tables.core(tables.LogTile)
_event = tables.core(tables.Event)

_ENTRY_PREFIX = ENTRY_SIZE.to_bytes(2)


def log_origin(origin: str) -> str:
    """Return the log's name in its checkpoints, for the service called ``origin``."""
    return f"{origin}/log"


def latest_checkpoint(connection: Connection) -> AnyRow | None:
    """Return the row of the largest checkpoint, or None for a log that has none yet."""
    return connection.execute(
        select(_checkpoint).order_by(_checkpoint.c.size.desc()).limit(1)
    ).one_or_none()


def read_tile(connection: Connection, tile: TileId) -> bytes:
    """Return the stored bytes of ``tile``, perhaps of a wider one; empty if there is none."""
    if tile.level == ENTRIES:
        first = tile.index * TILE_WIDTH
        rows = connection.execute(
            select(_event.c.commitment)
            .where(_event.c.leaf_index >= first, _event.c.leaf_index < first + tile.width)
            .order_by(_event.c.leaf_index)
        ).scalars()
        return b"".join(_ENTRY_PREFIX + commitment for commitment in rows)
    hashes: bytes | None = connection.execute(
        select(_tile.c.hashes).where(_tile.c.level == tile.level, _tile.c.index == tile.index)
    ).scalar_one_or_none()
    return hashes or b""


def served_tile(connection: Connection, tile: TileId) -> bytes | None:
    """Return exactly the tile that a path asks for, or None if the log does not have it (yet)."""
    head = latest_checkpoint(connection)
    level = max(tile.level, 0)
    if head is None or tile.index * TILE_WIDTH + tile.width > head.size >> (8 * level):
        return None
    return read_tile(connection, tile)[: tile.size]


def make_proofs(
    connection: Connection, leaf_indexes: Sequence[LeafIndex], size: int, note: str
) -> list[LogProof]:
    """Return the inclusion proofs of several leaves under the checkpoint ``note`` of ``size``."""
    # One question to the database, not one for each tile: round trips are most of a proof's time.
    ahead = _tiles_on_the_way(connection, leaf_indexes, size)

    def read(tile: TileId) -> bytes:
        found = ahead.get((tile.level, tile.index))
        return read_tile(connection, tile) if found is None else found

    hashes = TileHashes(size, read)
    return [make_proof(index, size, hashes, note) for index in leaf_indexes]


def _tiles_on_the_way(
    connection: Connection, leaf_indexes: Sequence[LeafIndex], size: int
) -> dict[tuple[int, int], bytes]:
    """The tiles above the leaves, and those at the right edge of a tree of ``size``."""
    wanted: list[ColumnElement[bool]] = []
    level = 0
    while size >> (8 * level):
        numbers = {(leaf >> (8 * level)) // TILE_WIDTH for leaf in (*leaf_indexes, size)}
        wanted.append((_tile.c.level == level) & _tile.c.index.in_(sorted(numbers)))
        level += 1
    if not wanted:
        return {}
    rows = connection.execute(
        select(_tile.c.level, _tile.c.index, _tile.c.hashes).where(or_(*wanted))
    )
    # By place: a row is a tuple, whose `index` is a method.
    return {(level, index): hashes for level, index, hashes in rows}
