"""The log as tiles (c2sp.org/tlog-tiles): names, appending, reading hashes back.

A tile is 256 consecutive hashes of one level; the rightmost tile of a level is partial. Entry
bundles hold the leaf data, here always 32-byte commitments.
`append` makes the tiles that a batch changes; `TileHashes` reads proofs out of stored tiles.
Storing, serving and signing are the caller's; so is integrating batches one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from siegelpost.evidence.errors import FormatError, LogError
from siegelpost.evidence.merkle import EMPTY_ROOT, HASH_SIZE, node_hash

#: Hashes in a full tile (height 8).
TILE_WIDTH = 256
#: Level that stands for entry bundles in a `TileId`.
ENTRIES = -1
#: Bytes of one entry: an event's commitment.
ENTRY_SIZE = 32

_ENTRY_PREFIX = ENTRY_SIZE.to_bytes(2)
_PATH = re.compile(
    r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/([1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True)
class TileId:
    """Which tile, and how much of it."""

    #: 0 for leaf hashes, 1 and up for hashes of full tiles below, ENTRIES for entry bundles.
    level: int
    #: Number of the tile within its level.
    index: int
    #: Hashes or entries in it, 1 to 256; below 256 the tile is partial.
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Path under the log's prefix, such as `tile/0/x001/x234/067.p/12`."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        suffix = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{suffix}"

    @classmethod
    def from_path(cls, path: str) -> TileId:
        """The tile of a path exactly as `path` writes it; FormatError for any other text."""
        match = _PATH.fullmatch(path) if len(path) <= 100 else None
        if match is None:
            raise FormatError("no tile path")
        level, number, width = match.groups()
        tile = cls(
            level=ENTRIES if level == "entries" else int(level),
            index=int(number.replace("/", "").replace("x", "")),
            width=TILE_WIDTH if width is None else int(width),
        )
        if tile.path != path or tile.width > TILE_WIDTH:  # leading x000 groups, .p/256 and up
            raise FormatError("no tile path")
        return tile

    @property
    def size(self) -> int:
        """Bytes of the tile."""
        return self.width * (2 + ENTRY_SIZE if self.level == ENTRIES else HASH_SIZE)


#: Gives the bytes of a stored tile, or of a wider tile of the same level and index.
TileReader = Callable[[TileId], bytes]


@dataclass(frozen=True, kw_only=True)
class Tip:
    """The right edge of a log: all that appending needs. Keep it in memory between batches."""

    #: Entries in the log.
    size: int
    #: Partial entry bundle (size mod 256 entries).
    entries: bytes = b""
    #: Partial tile of each level, from 0 upwards; empty bytes where a level has none.
    levels: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """Root hash of the log at this size (RFC 6962 MTH)."""
        result: bytes | None = None
        for tile in self.levels:
            for part in _peaks(tile):
                result = part if result is None else node_hash(part, result)
        return EMPTY_ROOT if result is None else result


@dataclass(frozen=True, kw_only=True)
class Appended:
    """What a batch of entries does to a log."""

    #: The right edge afterwards.
    tip: Tip
    #: Root hash afterwards, for the next checkpoint.
    root: bytes
    #: New and changed tiles and bundles. Full ones supersede partial ones of the same index.
    tiles: Mapping[TileId, bytes]


def load_tip(size: int, read_tile: TileReader) -> Tip:
    """The right edge of a stored log of `size` entries; LogError if a tile has a wrong length."""
    levels: list[bytes] = []
    count, level = size, 0
    while count:
        index, width = divmod(count, TILE_WIDTH)
        levels.append(_read(TileId(level, index, width), read_tile) if width else b"")
        count, level = index, level + 1
    index, width = divmod(size, TILE_WIDTH)
    entries = _read(TileId(ENTRIES, index, width), read_tile) if width else b""
    return Tip(size=size, entries=entries, levels=tuple(levels))


def append(entries: Sequence[bytes], size: int, read_tile: TileReader) -> Appended:
    """Append `entries` (32 bytes each) to a stored log of `size`; see `extend`."""
    return extend(load_tip(size, read_tile), entries)


def extend(tip: Tip, entries: Sequence[bytes]) -> Appended:
    """Append `entries` (32 bytes each, FormatError otherwise) behind `tip`; costs no reading."""
    if any(len(entry) != ENTRY_SIZE for entry in entries):
        raise FormatError(f"an entry of the log has {ENTRY_SIZE} bytes")
    if not entries:
        return Appended(tip=tip, root=tip.root(), tiles={})
    tiles: dict[TileId, bytes] = {}
    bundle = tip.entries + b"".join(_ENTRY_PREFIX + entry for entry in entries)
    rest, _ = _cut(ENTRIES, tip.size // TILE_WIDTH, bundle, tiles)
    levels: list[bytes] = []
    hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
    level, position = 0, tip.size
    while hashes or level < len(tip.levels):
        partial = tip.levels[level] if level < len(tip.levels) else b""
        if hashes:
            data = partial + b"".join(hashes)
            partial, full = _cut(level, position // TILE_WIDTH, data, tiles)
            hashes = [_tile_root(tile) for tile in full]
        levels.append(partial)
        position //= TILE_WIDTH
        level += 1
    new = Tip(size=tip.size + len(entries), entries=rest, levels=tuple(levels))
    return Appended(tip=new, root=new.root(), tiles=tiles)


def parse_bundle(bundle: bytes) -> list[bytes]:
    """The entries of an entry bundle; FormatError if one is cut off or not 32 bytes long."""
    step = 2 + ENTRY_SIZE
    entries = [bundle[start + 2 : start + step] for start in range(0, len(bundle), step)]
    if len(entries) > TILE_WIDTH or b"".join(_ENTRY_PREFIX + e for e in entries) != bundle:
        raise FormatError("no bundle of 32-byte entries")
    return entries


class TileHashes:
    """A `merkle.HashReader` over the stored tiles of a log of `size` entries.

    Keeps what it has read and hashed, up to `max_tiles` tiles (about 16 KiB each), so one object
    serves all proofs under one checkpoint. It does not check the tiles against the root: a proof
    from it does, when verified.
    """

    def __init__(self, size: int, read_tile: TileReader, *, max_tiles: int = 1024) -> None:
        self._size = size
        self._read_tile = read_tile
        self._max_tiles = max_tiles
        self._tiles: dict[tuple[int, int], _Pyramid] = {}

    def __call__(self, level: int, index: int) -> bytes:
        if (index + 1) << level > self._size:
            raise ValueError(f"subtree {level}/{index} is not inside a log of {self._size}")
        # A subtree of height 8n is one hash of tile level n; others are hashed up inside a tile.
        tile_level, height = divmod(level, 8)
        number, offset = divmod(index << height, TILE_WIDTH)
        pyramid = self._tiles.get((tile_level, number))
        if pyramid is None:
            pyramid = self._load(tile_level, number)
        return pyramid.get(height, offset >> height)

    def _load(self, level: int, number: int) -> _Pyramid:
        width = min(TILE_WIDTH, (self._size >> (8 * level)) - number * TILE_WIDTH)
        pyramid = _Pyramid(_read(TileId(level, number, width), self._read_tile))
        if len(self._tiles) >= self._max_tiles:
            del self._tiles[next(iter(self._tiles))]
        self._tiles[(level, number)] = pyramid
        return pyramid


class _Pyramid:
    """A tile and the node hashes above it, made when asked for."""

    def __init__(self, tile: bytes) -> None:
        self._tile = tile
        self._nodes: dict[tuple[int, int], bytes] = {}

    def get(self, height: int, index: int) -> bytes:
        if height == 0:
            return self._tile[index * HASH_SIZE : (index + 1) * HASH_SIZE]
        known = self._nodes.get((height, index))
        if known is None:
            known = node_hash(self.get(height - 1, 2 * index), self.get(height - 1, 2 * index + 1))
            self._nodes[(height, index)] = known
        return known


def _cut(
    level: int, index: int, data: bytes, tiles: dict[TileId, bytes]
) -> tuple[bytes, list[bytes]]:
    """File `data` under its tile ids; give the partial rest and the full tiles."""
    step = TileId(level, 0).size
    full: list[bytes] = []
    for number, start in enumerate(range(0, len(data), step), index):
        tile = data[start : start + step]
        tiles[TileId(level, number, TILE_WIDTH * len(tile) // step)] = tile
        if len(tile) == step:
            full.append(tile)
    return data[len(full) * step :], full


def _read(tile: TileId, read_tile: TileReader) -> bytes:
    data = read_tile(tile)
    if len(data) < tile.size:
        raise LogError(
            "a stored tile is too short",
            evidence={"tile": tile.path, "bytes": str(len(data)), "expected": str(tile.size)},
        )
    # tlog-tiles: a partial tile may be gone once the full one exists; its beginning is the same.
    return data[: tile.size]


def _tile_root(tile: bytes) -> bytes:
    row = [tile[start : start + HASH_SIZE] for start in range(0, len(tile), HASH_SIZE)]
    while len(row) > 1:
        row = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(row[::2], row[1::2], strict=True)
        ]
    return row[0]


def _peaks(tile: bytes) -> list[bytes]:
    """Roots of the complete subtrees that a partial tile consists of, from the right."""
    peaks: list[bytes] = []
    end, width = len(tile), len(tile) // HASH_SIZE
    while width:
        low = width & -width
        start = end - low * HASH_SIZE
        peaks.append(_tile_root(tile[start:end]))
        end, width = start, width - low
    return peaks
