"""Our checkpoints, tiles, entry bundles and proofs, judged by Go's own sumdb packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence.cosignature import cosign
from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.merkle import consistency_proof, tree_root
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.proofs import make_proof
from siegelpost.evidence.tiles import ENTRIES, TILE_WIDTH, TileHashes, TileId
from tests.support.judge import Judge, judge
from tests.support.logs import COURT, SEEN_AT, MemoryLog, entries
from tests.support.receipts import LOG, STRANGER, digest

__all__ = ["judge"]

VKEYS = [LOG.verifier.vkey]
GOLDEN: dict[str, Any] = json.loads(
    Path("tests/vectors/log/golden.json").read_text(encoding="utf-8")
)


def published(log: MemoryLog) -> dict[str, bytes]:
    """Exactly what a client fetches at the log's present size."""
    tiles: dict[str, bytes] = {}
    for level in (ENTRIES, 0, 1, 2):
        full, rest = divmod(log.size >> (8 * max(level, 0)), TILE_WIDTH)
        ids = [TileId(level, n) for n in range(full)] + ([TileId(level, full, rest)] * bool(rest))
        tiles.update({tile.path: log.read_tile(tile)[: tile.size] for tile in ids})
    return tiles


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 70_000])
def test_go_reads_every_entry_and_accepts_every_proof(judge: Judge, size: int) -> None:
    log = MemoryLog(entries(size))
    hashes = TileHashes(size, log.read_tile)
    sample = sorted({0, 1, 255, 256, size // 2, size - 1} & set(range(size)))
    olds = sorted({1, 128, 255, 256, 257, size - 1, size} & set(range(1, size + 1)))
    said = judge(
        vkeys=VKEYS,
        note=log.note(),
        tiles=published(log),
        proofs=[make_proof(LeafIndex(n), size, hashes, log.note()).text() for n in sample],
        consistency=[
            (old, tree_root(old, hashes), consistency_proof(old, size, hashes)) for old in olds
        ],
    )
    assert f"checkpoint of {size}\n{size} leaves and entries\n" in said
    assert f"{len(sample)} inclusion proofs\n{len(olds)} consistency proofs\n" in said


def test_go_accepts_the_golden_checkpoint(judge: Judge) -> None:
    assert "checkpoint of 300" in judge(vkeys=[GOLDEN["vkey"]], note=GOLDEN["checkpoint"])


def test_go_accepts_a_cosigned_checkpoint(judge: Judge) -> None:
    log = MemoryLog(entries(3))
    line = cosign(split_note(log.note())[0], COURT, SEEN_AT).line()
    assert "checkpoint of 3" in judge(vkeys=VKEYS, note=log.note() + line)


def test_go_refuses_what_is_wrong(judge: Judge) -> None:
    log = MemoryLog(entries(300))
    tiles, hashes = published(log), TileHashes(300, log.read_tile)
    changed = bytearray(tiles["tile/entries/000"])
    changed[40] ^= 1
    with pytest.raises(AssertionError, match="is not its leaf"):
        judge(vkeys=VKEYS, note=log.note(), tiles={**tiles, "tile/entries/000": bytes(changed)})
    with pytest.raises(AssertionError, match=r"inconsistent tile|is not its leaf"):
        judge(
            vkeys=VKEYS,
            note=log.note(),
            tiles={**tiles, "tile/0/000": digest("x") + tiles["tile/0/000"][32:]},
        )
    with pytest.raises(AssertionError, match="note"):
        judge(vkeys=[STRANGER.verifier.vkey], note=log.note())
    with pytest.raises(AssertionError, match="consistency"):
        judge(
            vkeys=VKEYS,
            note=log.note(),
            consistency=[(200, digest("fork"), consistency_proof(200, 300, hashes))],
        )
