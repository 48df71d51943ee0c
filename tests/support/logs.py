"""Small logs in memory that grow, fork and shrink: the operator's side in tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from siegelpost.evidence.checkpoint import Checkpoint, sign_checkpoint
from siegelpost.evidence.merkle import consistency_proof
from siegelpost.evidence.notes import Ed25519Signer
from siegelpost.evidence.tiles import TileHashes, TileId, Tip, extend
from siegelpost.evidence.witness import AddCheckpoint
from tests.support.receipts import LOG, ORIGIN, digest, tile_reader

#: Two outsiders who cosign.
COURT = Ed25519Signer.from_seed("witness.court.example", digest("witness court"))
COUNTY = Ed25519Signer.from_seed("witness.county.example", digest("witness county"))
#: When they look.
SEEN_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class MemoryLog:
    """A log whose operator may do anything."""

    def __init__(self, entries: Sequence[bytes] = (), *, signer: Ed25519Signer = LOG) -> None:
        """A log of ``entries``."""
        self.signer = signer
        self.entries: list[bytes] = []
        self.tiles: dict[TileId, bytes] = {}
        self._tip = Tip(size=0)
        self.grow(entries)

    def grow(self, entries: Sequence[bytes]) -> None:
        """Append."""
        appended = extend(self._tip, entries)
        self.tiles.update(appended.tiles)
        self._tip = appended.tip
        self.entries.extend(entries)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.entries)

    @property
    def root(self) -> bytes:
        """Root hash."""
        return self._tip.root()

    def note(self) -> str:
        """The signed head."""
        return sign_checkpoint(
            Checkpoint(origin=ORIGIN, size=self.size, root=self.root), self.signer
        )

    def read_tile(self, tile: TileId) -> bytes:
        """A stored tile, or a wider one."""
        return tile_reader(self.tiles)(tile)

    def request(self, old_size: int) -> AddCheckpoint:
        """What the operator sends a witness."""
        hashes = TileHashes(self.size, self.read_tile)
        return AddCheckpoint(
            old_size=old_size,
            proof=consistency_proof(old_size, self.size, hashes),
            note=self.note(),
        )


def entries(count: int, label: str = "entry", start: int = 0) -> list[bytes]:
    """Fixed 32-byte entries."""
    return [digest(f"{label} {number}") for number in range(start, start + count)]
