"""Following a log from outside: it only grows, its entries are under its head, and nothing in it
claims to be older than it can be.

An auditor keeps the right edge of the tree, so that each new head is checked by hashing the new
entries onto the old tree: whatever leads to the signed root is append-only.
Fetching, keeping the state and the clock are the caller's. Entries are commitments: what they say
is seen only in receipts, whose times `check_receipt` compares with what the auditor saw when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint
from siegelpost.evidence.errors import EvidenceError, FormatError, LogError, VerificationError
from siegelpost.evidence.merkle import tree_root
from siegelpost.evidence.tiles import (
    ENTRIES,
    TILE_WIDTH,
    TileHashes,
    TileId,
    TileReader,
    Tip,
    extend,
    parse_bundle,
)
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Purpose, Trust
from siegelpost.evidence.verify import verify_receipt

#: Bundles that are hashed together: 4,096 entries.
_BUNDLES = 16
#: An event may lag so far behind its time before it looks back-dated: inclusion and clocks.
LOGGED_WITHIN = timedelta(minutes=2)

#: Told how many of how many entries have been checked.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A head that the auditor saw."""

    size: int
    #: By the auditor's clock.
    at: datetime
    #: Signed checkpoint, verbatim.
    note: str


@dataclass(frozen=True, kw_only=True)
class AuditState:
    """What an auditor remembers."""

    #: Right edge of the tree that was checked.
    tip: Tip = field(default_factory=lambda: Tip(size=0))
    #: Heads in the order seen, sizes and times rising.
    observations: tuple[Observation, ...] = ()
    #: Commitment of the newest publication of files seen (`assets`), if any.
    assets: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AuditFinding:
    """Misbehaviour of a log, with what shows it to others."""

    #: Stable: checkpoint, truncated, forked, entries, tile, receipt, back-dated, files-hidden,
    #: files-proof, files-history, file-differs, page-differs.
    kind: str
    what: str
    #: Signed heads, proofs and places.
    evidence: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"

    def json(self) -> dict[str, Json]:
        """For other programs."""
        return {"kind": self.kind, "what": self.what, "evidence": dict(self.evidence)}


class _Found(Exception):
    def __init__(self, kind: str, what: str, **evidence: str) -> None:
        super().__init__(what)
        self.finding = AuditFinding(kind=kind, what=what, evidence=evidence)


def follow(
    state: AuditState,
    note: str,
    trust: Trust,
    read_tile: TileReader,
    *,
    now: datetime,
    progress: Progress = lambda done, total: None,
) -> tuple[AuditState, AuditFinding | None]:
    """Check the head `note` and all entries since the last one; the state afterwards.

    With a finding the state stays as it was: the older head is part of the evidence.
    `read_tile` may raise its own errors, or LogError for a tile that the log does not serve.
    """
    try:
        try:
            head, _ = open_checkpoint(note, trust.origin, trust.verifiers(Purpose.LOG))
        except EvidenceError as error:
            raise _Found("checkpoint", str(error), offered=note) from error
        _compare(state, head, note)
        try:
            tip = _grow(state.tip, head, read_tile, progress)
        except (FormatError, LogError) as error:
            kind, what = _tell_apart(state, head, read_tile, str(error))
            raise _Found(kind, what, **_heads(state, note)) from error
        if tip.root() != head.root:
            reason = "the entries do not lead to the signed root"
            kind, what = _tell_apart(state, head, read_tile, reason)
            raise _Found(kind, what, **_heads(state, note))
    except _Found as found:
        return state, found.finding
    seen = Observation(size=head.size, at=now, note=note)
    return replace(state, tip=tip, observations=(*state.observations, seen)), None


def check_receipt(
    state: AuditState, receipt: bytes, trust: bytes, *, now: datetime | None = None
) -> AuditFinding | None:
    """Whether an event of `receipt` claims a time at which the log demonstrably lacked it."""
    try:
        verification = verify_receipt(receipt, trust, now=now)
    except VerificationError as error:
        return AuditFinding(kind="receipt", what=str(error), evidence=error.evidence)
    for item in (*verification.events, *verification.mailbox_events):
        without = [seen for seen in state.observations if seen.size <= item.leaf_index]
        if not without:
            continue
        last = without[-1]
        if item.event.time_at < last.at - LOGGED_WITHIN:
            return AuditFinding(
                kind="back-dated",
                what=f"{item.event.type.value} {item.event.id} claims "
                f"{format_time(item.event.time_at)}, but was not in the log on "
                f"{format_time(last.at)}",
                evidence={
                    "seen": last.note,
                    "seen_at": format_time(last.at),
                    "leaf_index": str(item.leaf_index),
                    "checkpoint": verification.receipt.checkpoint,
                },
            )
    return None


def _compare(state: AuditState, head: Checkpoint, note: str) -> None:
    if head.size < state.tip.size:
        raise _Found(
            "truncated",
            f"the log had {state.tip.size} entries and now shows {head.size}",
            **_heads(state, note),
        )
    if head.size == state.tip.size and head.root != state.tip.root():
        raise _Found("forked", f"two roots for {head.size} entries", **_heads(state, note))


def _grow(tip: Tip, head: Checkpoint, read_tile: TileReader, progress: Progress) -> Tip:
    for entries in _new_entries(tip, head.size, read_tile):
        appended = extend(tip, entries)
        tip = appended.tip
        for tile, data in appended.tiles.items():
            if tile.width == TILE_WIDTH and tile.level != ENTRIES:
                _check_tile(tile, data, read_tile)
        progress(tip.size, head.size)
    for level, data in enumerate(tip.levels):
        if data:
            number, width = divmod(tip.size >> (8 * level), TILE_WIDTH)
            _check_tile(TileId(level, number, width), data, read_tile)
    return tip


def _new_entries(tip: Tip, size: int, read_tile: TileReader) -> Iterator[Sequence[bytes]]:
    known = parse_bundle(tip.entries)
    batch: list[bytes] = []
    for number in range(tip.size // TILE_WIDTH, -(-size // TILE_WIDTH)):
        tile = TileId(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))
        entries = parse_bundle(read_tile(tile)[: tile.size])
        if len(entries) != tile.width:
            raise LogError(f"{tile.path} has {len(entries)} entries")
        if known and entries[: len(known)] != known:
            raise LogError(f"{tile.path} changes entries that were seen before")
        batch += entries[len(known) :]
        known = []
        if len(batch) >= _BUNDLES * TILE_WIDTH:
            yield batch
            batch = []
    yield batch


def _check_tile(tile: TileId, data: bytes, read_tile: TileReader) -> None:
    if read_tile(tile)[: tile.size] != data:
        raise LogError(f"{tile.path} is not what the entries hash to")


def _tell_apart(
    state: AuditState, head: Checkpoint, read_tile: TileReader, reason: str
) -> tuple[str, str]:
    """A fork that the log's own tiles prove, or entries and tiles that do not fit its head."""
    hashes = TileHashes(head.size, read_tile)
    try:
        if tree_root(head.size, hashes) == head.root and (
            tree_root(state.tip.size, hashes) != state.tip.root()
        ):
            return "forked", "the tree under the new head does not extend the one seen before"
    except (FormatError, LogError):
        pass  # without its tiles the disorder is all that can be shown
    return "entries", reason


def _heads(state: AuditState, note: str) -> dict[str, str]:
    seen = {"seen": state.observations[-1].note} if state.observations else {}
    return {**seen, "offered": note}
