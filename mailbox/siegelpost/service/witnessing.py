"""Asks the configured witnesses to cosign each new checkpoint (client of c2sp.org/tlog-witness).

Only the newest checkpoint is offered; a witness that was away catches up in one step.
A witness that says the log is forked is right until shown otherwise: it is logged as an error and
asked again, more and more seldom.
"""

from __future__ import annotations

import asyncio

import httpx2
import structlog
from sqlalchemy import Connection

from siegelpost.evidence.checkpoint import MAX_CHECKPOINT
from siegelpost.evidence.cosignature import Cosignature, cosignatures
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.merkle import consistency_proof
from siegelpost.evidence.policy import PolicyWitness
from siegelpost.evidence.tiles import TileHashes
from siegelpost.evidence.witness import AddCheckpoint
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_size, keep_cosignature
from siegelpost.store.errors import StoreError
from siegelpost.store.log import latest_checkpoint, read_tile

#: Least time between two questions to one witness, in seconds.
REST_SECONDS = 1.0
#: Longest time between two attempts while a witness is away or refuses, in seconds.
MOST_SECONDS = 300.0
_TIMEOUT_SECONDS = 10.0

_log = structlog.get_logger("siegelpost.witnessing")


class WitnessAway(Exception):
    """The witness did not answer, or not as its specification says."""


class LogRefused(Exception):
    """The witness says that the checkpoint does not extend what it has seen."""


async def keep_witnessing(context: Context) -> None:
    """Run until cancelled, one task a witness: a slow one holds up nobody."""
    witnesses = [item for item in context.policy.witnesses if item.url is not None]
    async with httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS) as http, asyncio.TaskGroup() as group:
        for witness in witnesses:
            group.create_task(_keep_asking(context, http, witness))


async def ask_witness(
    context: Context, http: httpx2.AsyncClient, witness: PolicyWitness
) -> int | None:
    """Have the newest checkpoint cosigned; return its size, or None if there is nothing new.

    Raises WitnessAway, LogRefused, and StoreError if the database is away.
    """
    known, head = await context.store.read(
        lambda connection: (
            cosigned_size(connection, witness.witness),
            latest_checkpoint(connection),
        )
    )
    if head is None or head.size <= known:
        return None
    answer = await _offer(context, http, witness, head, known)
    if answer.status_code == 409:
        # It knows more than we do: after a restored database, or if an answer was lost.
        try:
            seen = int(answer.text)
        except ValueError:
            raise WitnessAway("a conflict without a size") from None
        if seen == known or seen > head.size:
            raise LogRefused(f"it has seen {seen} entries, we offer {head.size}")
        answer = await _offer(context, http, witness, head, seen)
    if answer.status_code in (400, 403, 409, 422):
        raise LogRefused(f"{answer.status_code} {answer.text[:200].strip()}")
    if answer.status_code != 200:
        raise WitnessAway(f"status {answer.status_code}")
    cosignature = _read(head.note, answer.text, witness)

    def keep(connection: Connection) -> None:
        keep_cosignature(connection, head.size, cosignature)

    # Not `store.write`: cosignatures are no events, nobody need wake.
    await context.store.writer.run(keep)
    return int(head.size)


async def _keep_asking(context: Context, http: httpx2.AsyncClient, witness: PolicyWitness) -> None:
    pause = REST_SECONDS
    while True:
        try:
            size = await ask_witness(context, http, witness)
            if size is not None:
                _log.debug("cosigned", witness=witness.name, size=size)
            pause = REST_SECONDS
        except LogRefused as error:
            _log.error("a witness refuses the log", witness=witness.name, reason=str(error))
            pause = min(pause * 2, MOST_SECONDS)
        except (WitnessAway, StoreError) as error:
            _log.warning("witness is away", witness=witness.name, reason=str(error))
            pause = min(pause * 2, MOST_SECONDS)
        await asyncio.sleep(pause)


async def _offer(
    context: Context, http: httpx2.AsyncClient, witness: PolicyWitness, head: AnyRow, old: int
) -> httpx2.Response:
    def prove(connection: Connection) -> tuple[bytes, ...]:
        hashes = TileHashes(head.size, lambda tile: read_tile(connection, tile))
        return consistency_proof(old, head.size, hashes)

    proof = await context.store.read(prove)
    request = AddCheckpoint(old_size=old, proof=proof, note=head.note)
    assert witness.url is not None
    try:
        response = await http.post(
            f"{witness.url.rstrip('/')}/add-checkpoint", content=request.body()
        )
    except httpx2.HTTPError as error:
        raise WitnessAway(type(error).__name__) from error
    if len(response.content) > MAX_CHECKPOINT:
        raise WitnessAway("its answer is too large")
    return response


def _read(note: str, lines: str, witness: PolicyWitness) -> Cosignature:
    try:
        found = cosignatures(note + lines, [witness.witness])
    except EvidenceError as error:
        raise WitnessAway(f"its cosignature does not hold: {error}") from error
    if not found:
        raise WitnessAway("its answer holds no cosignature of its key")
    return found[0]
