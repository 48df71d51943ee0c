"""Checkpoints and proof texts, against the golden log that a naive tree made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from siegelpost.evidence.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from siegelpost.evidence.errors import FormatError, InclusionError, LogError, NoteError
from siegelpost.evidence.ids import LeafIndex
from siegelpost.evidence.merkle import tree_root
from siegelpost.evidence.notes import Verifier
from siegelpost.evidence.proofs import make_proof, parse_proof, verify_proof
from siegelpost.evidence.tiles import TileHashes, Tip, extend
from tests.support.receipts import LOG, ORIGIN, digest, tile_reader

GOLDEN: dict[str, Any] = json.loads(
    Path("tests/vectors/log/golden.json").read_text(encoding="utf-8")
)
ENTRIES = [hashlib.sha256(f"golden {number}".encode()).digest() for number in range(300)]
APPENDED = extend(Tip(size=0), ENTRIES)
READ = TileHashes(300, tile_reader(dict(APPENDED.tiles)))
NOTE: str = GOLDEN["checkpoint"]
VERIFIERS = [Verifier.from_vkey(GOLDEN["vkey"])]


def test_roots_and_tiles_equal_the_golden_log() -> None:
    for size, root in GOLDEN["roots"].items():
        assert tree_root(int(size), READ).hex() == root
    tiles = {tile.path: hashlib.sha256(data).hexdigest() for tile, data in APPENDED.tiles.items()}
    assert tiles == GOLDEN["tiles_sha256"]


def test_checkpoint_equals_the_golden_one() -> None:
    checkpoint = Checkpoint(origin=ORIGIN, size=300, root=APPENDED.root)
    assert sign_checkpoint(checkpoint, LOG) == NOTE
    assert open_checkpoint(NOTE, ORIGIN, VERIFIERS)[0] == checkpoint


@pytest.mark.parametrize("index", GOLDEN["proofs"])
def test_proof_texts_equal_the_golden_ones_and_verify(index: str) -> None:
    text: str = GOLDEN["proofs"][index]
    proof = make_proof(LeafIndex(int(index)), 300, READ, NOTE)
    assert proof.text() == text
    assert parse_proof(text) == proof
    assert verify_proof(proof, ENTRIES[int(index)], ORIGIN, VERIFIERS).size == 300
    with pytest.raises(InclusionError):
        verify_proof(proof, digest("other"), ORIGIN, VERIFIERS)


def test_extra_data_is_kept() -> None:
    proof = replace(make_proof(LeafIndex(0), 300, READ, NOTE), extra=b"anything")
    assert parse_proof(proof.text()) == proof


PROOF = GOLDEN["proofs"]["1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROOF.replace("@v1", "@v2"),
        PROOF.replace("index 1\n", ""),
        PROOF.replace("index 1\n", "index 01\n"),
        PROOF.replace("index 1\n", "index -1\n"),
        PROOF.replace("index 1\n", "index 1 \n"),
        PROOF.replace("index 1\n", "extra ?\nindex 1\n"),
        PROOF.replace("index 1\n", "index 1\nAAAA\n"),
        PROOF.replace("index 1\n", "index 1\n" + ("A" * 43 + "=\n") * 70),
        PROOF.replace("index 1\n", "index 1\n" + "A" * 42 + "B=\n"),
        PROOF.split("\n\n")[0],
        PROOF + "x" * 200_000,
    ],
    ids=range(12),
)
def test_malformed_proofs_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_proof(text)


ROOT = NOTE.split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"{ORIGIN}\n01\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n١\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 30}\n{ROOT}\n",
        f"{ORIGIN}\n1\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n1\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n1\n{ROOT}\n\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


def test_extension_lines_are_kept_but_may_not_be_empty() -> None:
    checkpoint = Checkpoint(origin=ORIGIN, size=1, root=bytes(32), extensions=("more",))
    assert parse_checkpoint(checkpoint.text()) == checkpoint
    with pytest.raises(NoteError):
        replace(checkpoint, extensions=("",)).text()


def test_checkpoint_of_another_log_names_both() -> None:
    with pytest.raises(LogError) as caught:
        open_checkpoint(NOTE, "other.example/log", VERIFIERS)
    assert caught.value.evidence == {"expected": "other.example/log", "origin": ORIGIN}
    with pytest.raises(NoteError):
        open_checkpoint("x" * 200_000, ORIGIN, VERIFIERS)
