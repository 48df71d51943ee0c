"""An auditor outside notices when the operator forks, truncates, rewrites or back-dates the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siegelpost.evidence.audit import AuditFinding, AuditState, check_receipt, follow
from siegelpost.evidence.checkpoint import open_checkpoint
from siegelpost.evidence.errors import LogError
from siegelpost.evidence.receipt import write_receipt
from siegelpost.evidence.tiles import ENTRIES, TileId
from siegelpost.evidence.trust import write_trust
from tests.support.logs import SEEN_AT, MemoryLog, entries
from tests.support.receipts import LOG, ORIGIN, START, STRANGER, Sample, digest, sample_trust

TRUST = sample_trust()


def look(state: AuditState, log: MemoryLog) -> tuple[AuditState, AuditFinding | None]:
    return follow(state, log.note(), TRUST, log.read_tile, now=SEEN_AT)


def sound(log: MemoryLog, state: AuditState | None = None) -> AuditState:
    after, finding = look(state or AuditState(), log)
    assert finding is None, finding
    assert (after.tip.size, after.tip.root()) == (log.size, log.root)
    return after


def found(state: AuditState, log: MemoryLog) -> AuditFinding:
    after, finding = look(state, log)
    assert after is state, "what was seen before is evidence and must stay"
    assert finding is not None
    return finding


@pytest.mark.parametrize("steps", [(1, 1), (255, 2), (256, 256), (300, 5000, 1), (70_000,)])
def test_a_log_that_only_grows_is_followed(steps: tuple[int, ...]) -> None:
    log, state = MemoryLog(), AuditState()
    for number, count in enumerate(steps):
        log.grow(entries(count, f"step {number}"))
        state = sound(log, state)
    assert [seen.size for seen in state.observations][-1] == sum(steps)
    assert sound(log, state).tip == state.tip


def test_a_fork_is_found_with_both_signed_heads() -> None:
    log, fork = MemoryLog(entries(300)), MemoryLog(entries(299) + entries(50, "other"))
    finding = found(sound(log), fork)
    assert finding.kind == "forked"
    for name in ("seen", "offered"):
        open_checkpoint(finding.evidence[name], ORIGIN, [LOG.verifier])
    assert found(sound(log), MemoryLog(entries(300, "other"))).kind == "forked"


def test_a_fork_behind_full_tiles_is_told_from_mere_disorder() -> None:
    """Entries seen long ago are not fetched again; the signed roots show the change."""
    log = MemoryLog(entries(512))
    fork = MemoryLog([digest("rewritten"), *entries(511, start=1), *entries(9, "new")])
    assert found(sound(log), fork).kind == "forked"
    fork.tiles[TileId(1, 0, 2)] = log.tiles[TileId(1, 0, 2)]
    assert found(sound(log), fork).kind == "entries"


def test_a_truncated_log_is_found() -> None:
    finding = found(sound(MemoryLog(entries(300))), MemoryLog(entries(299)))
    assert finding.kind == "truncated"
    assert set(finding.evidence) == {"seen", "offered"}


def test_a_truncated_and_regrown_log_is_found() -> None:
    regrown = MemoryLog([*entries(200), *entries(150, "regrown")])
    assert found(sound(MemoryLog(entries(300))), regrown).kind == "forked"


def test_a_head_of_a_stranger_is_found() -> None:
    assert found(AuditState(), MemoryLog(entries(3), signer=STRANGER)).kind == "checkpoint"


@pytest.mark.parametrize(
    "tile", [TileId(0, 0), TileId(0, 1, 44), TileId(1, 0, 1), TileId(ENTRIES, 0)]
)
def test_a_changed_tile_or_bundle_is_found(tile: TileId) -> None:
    log = MemoryLog(entries(300))
    changed = bytearray(log.tiles[tile])
    changed[20] ^= 1
    log.tiles[tile] = bytes(changed)
    assert found(AuditState(), log).kind == "entries"


def test_a_missing_tile_is_found() -> None:
    log = MemoryLog(entries(300))

    def missing(tile: TileId) -> bytes:
        if tile.level == 1:
            raise LogError("404")
        return log.read_tile(tile)

    _, finding = follow(AuditState(), log.note(), TRUST, missing, now=SEEN_AT)
    assert finding is not None
    assert finding.kind == "entries"


def test_an_event_logged_later_than_it_claims_is_found() -> None:
    """The auditor saw a head without the event, long after the event's time."""
    receipt, trust = write_receipt(Sample().receipt()), write_trust(TRUST)
    earlier = MemoryLog(entries(302))
    state, _ = follow(
        AuditState(), earlier.note(), TRUST, earlier.read_tile, now=START - timedelta(days=1)
    )
    assert check_receipt(state, receipt, trust) is None
    late, _ = follow(
        AuditState(), earlier.note(), TRUST, earlier.read_tile, now=START + timedelta(days=2)
    )
    finding = check_receipt(late, receipt, trust)
    assert finding is not None
    assert finding.kind == "back-dated"
    assert finding.evidence["seen"] == earlier.note()
    # What was in the log by then is not touched.
    whole = MemoryLog(entries(5000))
    after, _ = follow(
        AuditState(), whole.note(), TRUST, whole.read_tile, now=START + timedelta(days=2)
    )
    assert check_receipt(after, receipt, trust) is None


def test_a_receipt_that_does_not_verify_is_reported() -> None:
    receipt = write_receipt(Sample(log=STRANGER).receipt())
    finding = check_receipt(AuditState(), receipt, write_trust(TRUST))
    assert finding is not None
    assert finding.kind == "receipt"
