"""Tiles: names, appending in any batches, proofs out of stored tiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siegelpost.evidence.errors import FormatError, LogError
from siegelpost.evidence.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from siegelpost.evidence.tiles import (
    ENTRIES,
    TileHashes,
    TileId,
    Tip,
    append,
    extend,
    load_tip,
    parse_bundle,
)
from tests.support import naive_merkle as naive
from tests.support.receipts import digest, tile_reader


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(0, 0), "tile/0/000"),
        (TileId(0, 1234067), "tile/0/x001/x234/067"),
        (TileId(1, 999, 17), "tile/1/999.p/17"),
        (TileId(ENTRIES, 1000, 112), "tile/entries/x001/000.p/112"),
        (TileId(63, 5), "tile/63/005"),
    ],
)
def test_paths_follow_the_specification_both_ways(tile: TileId, path: str) -> None:
    assert tile.path == path
    assert TileId.from_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/300",
        "tile/-1/000",
        "tile/0/../000",
        "tile/0/000\n",
        "tile/0/" + "x001/" * 40 + "000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(FormatError):
        TileId.from_path(path)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_batches_give_the_same_log_as_one_append(batches: list[int]) -> None:
    entries = [digest(f"entry {number}") for number in range(sum(batches))]
    stored: dict[TileId, bytes] = {}
    tip, size = Tip(size=0), 0
    for count in batches:
        appended = append(entries[size : size + count], size, tile_reader(stored))
        assert appended == extend(tip, entries[size : size + count])
        stored.update(appended.tiles)
        tip, size = appended.tip, size + count
        assert appended.root == tip.root() == naive.mth(entries[:size])
    whole = extend(Tip(size=0), entries)
    assert (tip, tip.root()) == (whole.tip, whole.root)
    assert set(whole.tiles.items()) <= set(stored.items())
    assert load_tip(size, tile_reader(stored)) == tip


def test_log_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = extend(Tip(size=0), [number.to_bytes(32) for number in range(70_000)]).tiles
    widths = [(tile.level, tile.width) for tile in tiles if tile.level >= 0]
    assert widths.count((0, 256)) == 273
    assert {pair for pair in widths if pair != (0, 256)} == {(0, 112), (1, 256), (1, 17), (2, 1)}
    assert tiles[TileId(ENTRIES, 273, 112)][:2] == b"\x00\x20"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 1500), st.data())
def test_proofs_from_tiles_verify(size: int, data: st.DataObject) -> None:
    entries = [digest(f"entry {number}") for number in range(size)]
    tiles = extend(Tip(size=0), entries).tiles
    read = TileHashes(size, tile_reader(dict(tiles)), max_tiles=2)
    root = tree_root(size, read)
    assert root == naive.mth(entries)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, read)
    verify_inclusion(leaf_hash(entries[index]), index, size, proof, root)
    old = data.draw(st.integers(0, size))
    verify_consistency(
        old, size, consistency_proof(old, size, read), naive.mth(entries[:old]), root
    )


def test_proof_under_an_older_checkpoint_reads_the_wider_tile_that_replaced_the_partial_one() -> (
    None
):
    entries = [digest(f"entry {number}") for number in range(600)]
    stored = dict(extend(Tip(size=0), entries).tiles)
    read = TileHashes(300, tile_reader(stored))
    root = tree_root(300, read)
    assert root == naive.mth(entries[:300])
    verify_inclusion(leaf_hash(entries[299]), 299, 300, inclusion_proof(299, 300, read), root)


def test_bundles_hold_the_entries() -> None:
    entries = [digest(f"entry {number}") for number in range(300)]
    tiles = extend(Tip(size=0), entries).tiles
    read = [*parse_bundle(tiles[TileId(ENTRIES, 0)]), *parse_bundle(tiles[TileId(ENTRIES, 1, 44)])]
    assert read == entries
    for wrong in (tiles[TileId(ENTRIES, 0)] + b"\0", b"\x00\x21" + bytes(33), bytes(34)):
        with pytest.raises(FormatError):
            parse_bundle(wrong)


def test_short_stored_tile_is_a_log_error_that_names_it() -> None:
    with pytest.raises(LogError) as caught:
        append([bytes(32)], 5, lambda tile: b"x")
    assert caught.value.evidence["tile"] == "tile/0/000.p/5"


def test_entries_of_another_length_are_refused() -> None:
    with pytest.raises(FormatError):
        extend(Tip(size=0), [bytes(31)])


def test_reading_beyond_the_log_is_refused() -> None:
    with pytest.raises(ValueError, match="not inside"):
        TileHashes(3, lambda tile: bytes(96))(2, 0)
