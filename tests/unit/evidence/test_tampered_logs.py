"""Tampered tiles, bundles and checkpoints: each is refused by auditor or reader for its own reason.

Receipts are in test_verify, court files in test_court_file, PDFs in test_pdf_verify.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from siegelpost.evidence.audit import AuditState, follow
from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.notes import sign_note
from siegelpost.evidence.tiles import ENTRIES, TileId
from tests.support.logs import SEEN_AT, MemoryLog, entries
from tests.support.receipts import LOG, ORIGIN, STRANGER, digest, sample_trust

SIZE = 70_000
HEAD = TileId(ENTRIES, 273, 112)


@dataclass
class Served:
    """A log as an operator serves it."""

    log: MemoryLog
    note: str
    #: In place of the stored tiles.
    tiles: dict[TileId, bytes] = field(default_factory=dict)

    def read(self, tile: TileId) -> bytes:
        return self.tiles[tile] if tile in self.tiles else self.log.read_tile(tile)


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    return MemoryLog(entries(SIZE))


def _flip(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _tile(tile: TileId, change: Callable[[bytes], bytes]) -> Callable[[Served], None]:
    def tamper(served: Served) -> None:
        served.tiles[tile] = change(served.log.read_tile(tile))

    return tamper


def _swap(one: TileId, two: TileId) -> Callable[[Served], None]:
    def tamper(served: Served) -> None:
        served.tiles |= {one: served.log.read_tile(two), two: served.log.read_tile(one)}

    return tamper


def _note(make: Callable[[Served], str]) -> Callable[[Served], None]:
    def tamper(served: Served) -> None:
        served.note = make(served)

    return tamper


def _signed(**changes: object) -> Callable[[Served], None]:
    def make(served: Served) -> str:
        values = {"origin": ORIGIN, "size": SIZE, "root": served.log.root, **changes}
        return sign_checkpoint(Checkpoint(**values), LOG)  # type: ignore[arg-type]  # as changed

    return _note(make)


#: Name → (kind of the finding, words of its reason, what the operator does).
TAMPERED: dict[str, tuple[str, str, Callable[[Served], None]]] = {
    "an entry changed": (
        "entries",
        "tile/0/005 is not what the entries hash to",
        _tile(TileId(ENTRIES, 5), lambda data: _flip(data, 700)),
    ),
    "an entry of the last bundle changed": (
        "entries",
        "tile/0/273.p/112 is not what",
        _tile(HEAD, lambda data: _flip(data, 40)),
    ),
    "two bundles exchanged": (
        "entries",
        "tile/0/007 is not what",
        _swap(TileId(ENTRIES, 7), TileId(ENTRIES, 8)),
    ),
    "two entries of a bundle exchanged": (
        "entries",
        "tile/0/009 is not what",
        _tile(TileId(ENTRIES, 9), lambda data: data[34:68] + data[:34] + data[68:]),
    ),
    "a bundle cut short": (
        "entries",
        "has 255 entries",
        _tile(TileId(ENTRIES, 3), lambda data: data[:-34]),
    ),
    "a bundle with entries of another length": (
        "entries",
        "no bundle of 32-byte entries",
        _tile(TileId(ENTRIES, 3), lambda data: b"\x00\x1f" + data[2:]),
    ),
    "an empty bundle": ("entries", "has 0 entries", _tile(TileId(ENTRIES, 0), lambda data: b"")),
    "a hash of a full tile changed": (
        "entries",
        "tile/0/100 is not what",
        _tile(TileId(0, 100), lambda data: _flip(data, 0)),
    ),
    "a hash of the partial tile changed": (
        "entries",
        "tile/0/273.p/112 is not what",
        _tile(TileId(0, 273, 112), lambda data: _flip(data, 111 * 32)),
    ),
    "a hash of an upper tile changed": (
        "entries",
        "tile/1/000 is not what",
        _tile(TileId(1, 0), lambda data: _flip(data, 31)),
    ),
    "a hash of the partial upper tile changed": (
        "entries",
        "tile/1/001.p/17 is not what",
        _tile(TileId(1, 1, 17), lambda data: _flip(data, 3)),
    ),
    "the top tile changed": (
        "entries",
        "tile/2/000.p/1 is not what",
        _tile(TileId(2, 0, 1), lambda data: _flip(data, 3)),
    ),
    "a tile cut short": (
        "entries",
        "tile/0/100 is not what",
        _tile(TileId(0, 100), lambda data: data[:-32]),
    ),
    "two tiles exchanged": (
        "entries",
        "tile/0/020 is not what",
        _swap(TileId(0, 20), TileId(0, 21)),
    ),
    "head of one entry less than it signs": (
        "entries",
        "the entries do not lead to the signed root",
        _signed(size=SIZE - 1),
    ),
    "head with another root": (
        "entries",
        "the entries do not lead to the signed root",
        _signed(root=digest("other")),
    ),
    "head of another log": ("checkpoint", "another log", _signed(origin="x.example/log")),
    "head with a size that nobody signed": (
        "checkpoint",
        "does not verify",
        _note(lambda served: served.note.replace("\n70000\n", "\n69999\n")),
    ),
    "head with a root that nobody signed": (
        "checkpoint",
        "does not verify",
        _note(
            lambda s: "\n".join([*s.note.split("\n")[:2], "A" * 43 + "=", *s.note.split("\n")[3:]])
        ),
    ),
    "head signed by a stranger": (
        "checkpoint",
        "signed by no known key",
        _note(
            lambda served: sign_checkpoint(
                Checkpoint(origin=ORIGIN, size=SIZE, root=served.log.root), STRANGER
            )
        ),
    ),
    "head without signature": (
        "checkpoint",
        "signature",
        _note(lambda served: served.note.partition("\n\n")[0] + "\n\n"),
    ),
    "head with a leading zero in its size": (
        "checkpoint",
        "size",
        _note(
            lambda served: sign_note(
                served.note.partition("\n\n")[0].replace("\n70000\n", "\n070000\n") + "\n", LOG
            )
        ),
    ),
    "head with a short root": (
        "checkpoint",
        "root",
        _note(lambda served: sign_note(f"{ORIGIN}\n70000\nAAAA\n", LOG)),
    ),
}


def test_untampered_log_is_followed(log: MemoryLog) -> None:
    served = Served(log=log, note=log.note())
    state, finding = follow(AuditState(), served.note, sample_trust(), served.read, now=SEEN_AT)
    assert finding is None
    assert state.tip.root() == log.root


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_log_is_found(log: MemoryLog, name: str) -> None:
    kind, words, tamper = TAMPERED[name]
    served = Served(log=log, note=log.note())
    tamper(served)
    before = AuditState()
    state, finding = follow(before, served.note, sample_trust(), served.read, now=SEEN_AT)
    assert finding is not None
    assert (finding.kind, state) == (kind, before)
    assert words in finding.what, finding.what
    if kind == "checkpoint":
        with pytest.raises(EvidenceError):
            open_checkpoint(served.note, ORIGIN, [LOG.verifier])
