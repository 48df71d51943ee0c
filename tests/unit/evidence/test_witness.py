"""What a witness may cosign: only what extends everything that it saw before."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from siegelpost.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from siegelpost.evidence.witness import (
    NOTHING_SEEN,
    AddCheckpoint,
    Head,
    Refused,
    WitnessRefusal,
    consider,
    parse_request,
)
from tests.support.logs import MemoryLog, entries
from tests.support.receipts import LOG, ORIGIN, STRANGER, digest

LOGS = {ORIGIN: [LOG.verifier]}


def head(log: MemoryLog) -> Head:
    return Head(size=log.size, root=log.root, note=log.note())


def refused(request: AddCheckpoint, last: Head) -> WitnessRefusal:
    with pytest.raises(WitnessRefusal) as caught:
        consider(parse_request(request.body()), last, LOGS)
    return caught.value


@pytest.mark.parametrize("old", [0, 1, 255, 256, 300])
@pytest.mark.parametrize("new", [300, 301, 512, 700])
def test_a_log_that_only_grew_is_cosigned(old: int, new: int) -> None:
    log = MemoryLog(entries(old))
    last = head(log) if old else NOTHING_SEEN
    log.grow(entries(new - old, start=old))
    request = log.request(old)
    assert parse_request(request.body()) == request
    checkpoint, kept = consider(request, last, LOGS)
    assert (checkpoint.size, checkpoint.root) == (kept.size, kept.root) == (new, log.root)


def test_the_same_head_is_cosigned_again() -> None:
    log = MemoryLog(entries(10))
    consider(log.request(10), head(log), LOGS)


def test_a_forked_log_is_refused_and_both_signatures_are_kept() -> None:
    log, fork = MemoryLog(entries(300)), MemoryLog(entries(299) + entries(50, "other"))
    refusal = refused(fork.request(300), head(log))
    assert refusal.kind is Refused.INCONSISTENT
    for name, of in (("seen", log), ("offered", fork)):
        checkpoint, _ = open_checkpoint(refusal.evidence[name], ORIGIN, [LOG.verifier])
        assert checkpoint.root == of.root


def test_two_roots_of_one_size_convict_the_log() -> None:
    log, fork = MemoryLog(entries(300)), MemoryLog(entries(300, "other"))
    assert refused(fork.request(300), head(log)).kind is Refused.FORKED


def test_a_truncated_log_is_refused() -> None:
    log = MemoryLog(entries(300))
    short = MemoryLog(entries(200))
    request = replace(short.request(200), old_size=300)
    assert refused(request, head(log)).kind is Refused.SMALLER
    # The honest old size is no way around: the witness names what it has seen.
    other = refused(short.request(200), head(log))
    assert (other.kind, other.size) == (Refused.OTHER_SIZE, 300)


def test_a_truncated_and_regrown_log_is_refused() -> None:
    log = MemoryLog(entries(300))
    regrown = MemoryLog([*entries(200), *entries(150, "regrown")])
    assert refused(regrown.request(300), head(log)).kind is Refused.INCONSISTENT


def test_a_back_dated_entry_changes_the_tree_and_is_refused() -> None:
    log = MemoryLog(entries(300))
    changed = entries(300)
    changed[120] = digest("the same event with an earlier time")
    back_dated = MemoryLog([*changed, *entries(5, start=300)])
    assert refused(back_dated.request(300), head(log)).kind is Refused.INCONSISTENT


def test_another_log_and_another_key_are_told_apart() -> None:
    other = sign_checkpoint(Checkpoint(origin="x.example/log", size=1, root=digest("x")), LOG)
    unknown = AddCheckpoint(old_size=0, proof=(), note=other)
    assert refused(unknown, NOTHING_SEEN).kind is Refused.UNKNOWN_LOG
    stranger = MemoryLog(entries(3), signer=STRANGER).request(0)
    assert refused(stranger, NOTHING_SEEN).kind is Refused.UNKNOWN_SIGNATURE


def test_a_proof_for_the_first_head_is_refused() -> None:
    request = replace(MemoryLog(entries(3)).request(0), proof=(digest("x"),))
    assert refused(request, NOTHING_SEEN).kind is Refused.INCONSISTENT


NOTE = MemoryLog(entries(3)).note()
HASH = base64.b64encode(digest("x")).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0\n" + NOTE,
        f"old 00\n\n{NOTE}",
        f"old -1\n\n{NOTE}",
        f"new 0\n\n{NOTE}",
        f"old 0 \n\n{NOTE}",
        f"old 0\r\n\r\n{NOTE}",
        f"old 0\n{HASH[:-2]}\n\n{NOTE}",
        f"old 0\n{HASH} \n\n{NOTE}",
        "old 0\n" + f"{HASH}\n" * 64 + f"\n{NOTE}",
        "old 0\n\nno note",
        f"old 0\n\n{NOTE}" + "x" * 200_000,
    ],
)
def test_malformed_requests_are_refused(body: str) -> None:
    with pytest.raises(WitnessRefusal) as caught:
        consider(parse_request(body.encode()), NOTHING_SEEN, LOGS)
    assert caught.value.kind is Refused.MALFORMED
