"""The service asks witnesses; they cosign what grows and refuse forks, across restarts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection, text

from siegelpost.evidence.cosignature import cosignatures
from siegelpost.evidence.notes import sign_note, split_note
from siegelpost.evidence.policy import NO_WITNESSES, Policy, parse_policy
from siegelpost.evidence.witness import (
    NOTHING_SEEN,
    AddCheckpoint,
    Refused,
    WitnessRefusal,
    consider,
)
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.service import witness as witness_service
from siegelpost.service.errors import ServiceError
from siegelpost.service.sequencing import sequence_now
from siegelpost.service.witness import WitnessState
from siegelpost.service.witnessing import LogRefused, WitnessAway, ask_witness
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_note, receipt_head
from siegelpost.store.log import latest_checkpoint, log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.databases import ORIGIN, START_AT
from tests.support.growing import findings, grow
from tests.support.logs import COURT, MemoryLog, entries
from tests.support.receipts import LOG
from tests.support.receipts import ORIGIN as SAMPLE_LOG
from tests.support.witnesses import RunningWitness, away


@pytest.fixture
def witness(tmp_path: Path, context: Context, clock: VirtualClock) -> RunningWitness:
    """A court's witness that follows the service's log."""
    return make_witness(tmp_path, context, clock)


def make_witness(folder: Path, context: Context, clock: VirtualClock) -> RunningWitness:
    key = context.keyring.signer(KeyPurpose.LOG).verifier
    return RunningWitness(folder / "court.db", "court.example", {key.name: [key]}, clock.now)


async def test_each_new_head_is_cosigned_once(context: Context, witness: RunningWitness) -> None:
    async with witness.client() as http:
        assert await ask_witness(context, http, witness.policy) is None
        for size in (10, 20, 30):
            assert await grow(context, 10) == size
            assert await ask_witness(context, http, witness.policy) == size
            assert await ask_witness(context, http, witness.policy) is None
    head = await context.store.read(latest_checkpoint)
    assert head is not None
    note = await context.store.read(lambda c: cosigned_note(c, head))
    (found,) = cosignatures(note, [witness.policy.witness])
    assert found.at == START_AT
    assert findings(context) == []


@pytest.mark.unsound_store  # the operator forks the log
async def test_a_restarted_witness_still_refuses_a_fork(
    context: Context, witness: RunningWitness, tmp_path: Path, clock: VirtualClock
) -> None:
    size = await grow(context, 10)
    async with witness.client() as http:
        await ask_witness(context, http, witness.policy)
    # The operator rewrites an event, with its own key and the whole database in hand.
    await _rewrite(context, leaf=4)
    again = make_witness(tmp_path, context, clock)
    assert again.state.head(log_origin(ORIGIN)).size == size
    async with again.client() as http:
        with pytest.raises(LogRefused):
            await ask_witness(context, http, again.policy)
    (evidence,) = again.state.refusals()
    assert evidence["kind"] == Refused.INCONSISTENT
    assert evidence["seen"] != evidence["offered"]


async def test_a_truncated_log_is_refused(context: Context, witness: RunningWitness) -> None:
    for _ in range(2):
        await grow(context, 10)
        async with witness.client() as http:
            await ask_witness(context, http, witness.policy)
    await context.store.write(lambda c: _cut(c, 10))
    assert await grow(context, 5) == 15
    async with witness.client() as http:
        with pytest.raises(LogRefused, match="it has seen 20"):
            await ask_witness(context, http, witness.policy)
    assert witness.state.head(log_origin(ORIGIN)).size == 20


async def test_a_service_that_lost_an_answer_catches_up(
    context: Context, witness: RunningWitness
) -> None:
    await grow(context, 10)
    async with witness.client() as http:
        await ask_witness(context, http, witness.policy)
        await context.store.write(lambda c: c.execute(text("DELETE FROM cosignature")))
        assert await grow(context, 10) == 20
        assert await ask_witness(context, http, witness.policy) == 20


async def test_a_witness_that_is_away_harms_nothing(
    context: Context, witness: RunningWitness
) -> None:
    await grow(context, 10)
    with away() as http, pytest.raises(WitnessAway):
        await ask_witness(context, http, witness.policy)
    async with witness.client() as http:
        assert await ask_witness(context, http, witness.policy) == 10


async def test_a_lying_witness_is_not_believed(context: Context, witness: RunningWitness) -> None:
    await grow(context, 10)
    other = replace(witness.policy.witness, name="another.example")
    async with witness.client() as http:
        with pytest.raises(WitnessAway, match="no cosignature of its key"):
            await ask_witness(context, http, replace(witness.policy, witness=other))


async def test_receipts_prefer_the_newest_head_that_enough_have_cosigned(
    context: Context, witness: RunningWitness
) -> None:
    policy = parse_policy([f"witness outside {witness.policy.witness.vkey}", "quorum outside"])
    await grow(context, 10)
    async with witness.client() as http:
        await ask_witness(context, http, witness.policy)
    await grow(context, 10)

    async def size(least: int, wanted: Policy = policy) -> int:
        head = await context.store.read(lambda c: receipt_head(c, least, wanted))
        assert head is not None
        return int(head.size)

    assert await size(7) == 10
    assert await size(11) == 20, "an uncosigned receipt is better than none"
    assert await size(7, NO_WITNESSES) == 20


async def test_a_rotated_log_key_signs_the_present_head_too(
    context: Context, witness: RunningWitness, keyring: FileKeyring
) -> None:
    await grow(context, 10)
    sequencer = Sequencer(log_origin(ORIGIN), keyring.signer(KeyPurpose.LOG))
    keyring.rotate(KeyPurpose.LOG, now=START_AT, overlap=timedelta(minutes=1))
    sequencer.signer = keyring.signer(KeyPurpose.LOG)
    for _ in range(3):
        assert await sequence_now(context, sequencer) == 0
    head = await context.store.read(latest_checkpoint)
    assert head is not None
    assert head.note.count("— ") == 2
    assert findings(context) == []
    # The witness knows the old key; its line is still there.
    async with witness.client() as http:
        assert await ask_witness(context, http, witness.policy) == 10


@pytest.mark.unsound_store
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE cosignature SET line = replace(line, 'court', 'count')", "its key or time"),
        ("UPDATE cosignature SET size = 20", "it does not hold"),
        (
            "UPDATE cosignature SET witness = replace(witness, 'court', 'count')",
            "it does not hold",
        ),
    ],
)
async def test_fsck_finds_a_changed_cosignature(
    context: Context, witness: RunningWitness, statement: str, expected: str
) -> None:
    await grow(context, 10)
    async with witness.client() as http:
        await ask_witness(context, http, witness.policy)
    await grow(context, 10)
    await context.store.write(lambda c: c.execute(text(statement)))
    assert any(expected in finding for finding in findings(context)), findings(context)


def test_a_witness_without_its_state_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="must be retired"):
        WitnessState(tmp_path / "state.db")
    WitnessState.create(tmp_path / "state.db")
    with pytest.raises(ServiceError, match="exists already"):
        WitnessState.create(tmp_path / "state.db")


def test_statuses_are_those_of_the_specification(tmp_path: Path, clock: VirtualClock) -> None:
    log, fork = MemoryLog(entries(300)), MemoryLog(entries(300, "fork"))
    logs = {SAMPLE_LOG: [LOG.verifier]}
    witness = RunningWitness(tmp_path / "court.db", "court.example", logs, clock.now)

    async def post(bodies: Sequence[bytes]) -> list[httpx2.Response]:
        async with witness.client() as http:
            url = f"{witness.policy.url}add-checkpoint"
            return [await http.post(url, content=body) for body in bodies]

    first, same, forked, stale, smaller, unknown, large, get = asyncio.run(
        post(
            [
                log.request(0).body(),
                log.request(300).body(),
                fork.request(300).body(),
                log.request(0).body(),
                replace(MemoryLog(entries(200)).request(200), old_size=300).body(),
                log.request(0).body().replace(b"post.example", b"p0st.example"),
                b"x" * 300_000,
                b"",
            ]
        )
    )
    assert (first.status_code, same.status_code) == (200, 200)
    assert first.text.startswith("— court.example ")
    assert (forked.status_code, forked.text) == (409, "300\n")
    assert (stale.status_code, stale.text) == (409, "300\n")
    assert stale.headers["content-type"].startswith("text/x.tlog.size")
    assert (smaller.status_code, unknown.status_code) == (400, 404)
    assert (large.status_code, get.status_code) == (413, 400)
    # Whoever names a larger old size convicts nobody: it is unsigned.
    assert [item["kind"] for item in witness.state.refusals()] == [Refused.FORKED]


def test_strangers_cannot_crowd_out_the_proof_of_a_fork(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        witness_service, "MAX_REFUSALS", {Refused.FORKED: 2, Refused.INCONSISTENT: 2}
    )
    log, fork = MemoryLog(entries(3)), MemoryLog(entries(3, "fork"))
    logs = {SAMPLE_LOG: [LOG.verifier]}
    witness = RunningWitness(tmp_path / "court.db", "court.example", logs, clock.now)
    first, forked = log.request(0), fork.request(3)
    falsified = []
    for _ in range(4):
        log.grow(entries(1))
        falsified.append(replace(log.request(3), proof=(bytes(32),)))
    # Anybody can add a line of signature.
    foreign = replace(forked, note=sign_note(split_note(forked.note)[0], LOG, COURT))

    async def post(requests: Sequence[AddCheckpoint]) -> list[int]:
        async with witness.client() as http:
            url = f"{witness.policy.url}add-checkpoint"
            return [(await http.post(url, content=r.body())).status_code for r in requests]

    def kinds() -> list[str]:
        return [item["kind"] for item in witness.state.refusals()]

    assert asyncio.run(post([first, falsified[0], falsified[0]])) == [200, 422, 422]
    assert kinds() == [Refused.INCONSISTENT]
    assert asyncio.run(post(falsified)) == [422] * 4
    assert kinds() == [Refused.INCONSISTENT] * 2
    assert asyncio.run(post([forked, forked, foreign])) == [409] * 3
    assert kinds() == [Refused.INCONSISTENT] * 2 + [Refused.FORKED]


def test_of_two_forks_at_once_only_one_is_cosigned(tmp_path: Path) -> None:
    state = WitnessState.create(tmp_path / "court.db")
    other = WitnessState(tmp_path / "court.db")
    logs = {SAMPLE_LOG: [LOG.verifier]}

    forks = [MemoryLog(entries(50, f"fork {number}")) for number in range(8)]
    assert state.head(SAMPLE_LOG) is NOTHING_SEEN

    def offer(number: int) -> bool:
        request = forks[number].request(0)
        try:
            (state, other)[number % 2].advance(
                SAMPLE_LOG, START_AT, b"", lambda last: consider(request, last, logs)[1]
            )
        except WitnessRefusal:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(offer, range(8))) == 1


async def _rewrite(context: Context, leaf: int) -> None:
    """Give an event another commitment and build the whole log anew over it."""

    def work(connection: Connection) -> None:
        connection.execute(
            text("UPDATE event SET commitment = :c WHERE leaf_index = :leaf"),
            {"c": os.urandom(32), "leaf": leaf},
        )
        _cut(connection, 0)

    await context.store.write(work)
    await grow(context, 3)


def _cut(connection: Connection, size: int) -> None:
    """Throw away the log beyond `size`, as an operator could; events wait to be logged again."""
    for statement in (
        "DELETE FROM cosignature WHERE size > :size",
        "DELETE FROM checkpoint WHERE size > :size",
        "DELETE FROM event WHERE leaf_index >= :size AND :size > 0",
        "UPDATE event SET leaf_index = NULL WHERE leaf_index >= :size",
        "DELETE FROM log_tile WHERE :size = 0",
    ):
        connection.execute(text(statement), {"size": size})
