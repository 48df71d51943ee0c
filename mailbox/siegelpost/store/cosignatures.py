"""What witnesses said about checkpoints, and which checkpoint a receipt is best made under."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from siegelpost.evidence.cosignature import Cosignature, Witness
from siegelpost.evidence.policy import Policy
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.log import latest_checkpoint

#: Cosigned checkpoints that are looked at, from the newest, to find one that the policy accepts.
LOOK_BACK = 200

_checkpoint = tables.core(tables.Checkpoint)
_cosignature = tables.core(tables.Cosignature)


def keep_cosignature(connection: Connection, size: int, cosignature: Cosignature) -> None:
    """Store a verified cosignature; of two of one witness the first stays."""
    known = connection.execute(
        select(_cosignature.c.size).where(
            _cosignature.c.size == size, _cosignature.c.witness == cosignature.witness.vkey
        )
    ).one_or_none()
    if known is None:
        connection.execute(
            _cosignature.insert(),
            {
                "size": size,
                "witness": cosignature.witness.vkey,
                "line": cosignature.signature.line(),
                "at": cosignature.at,
            },
        )


def cosigned_note(connection: Connection, head: AnyRow) -> str:
    """Return the checkpoint's note with the cosignatures that it has by now."""
    lines = connection.execute(
        select(_cosignature.c.line)
        .where(_cosignature.c.size == head.size)
        .order_by(_cosignature.c.at, _cosignature.c.witness)
    ).scalars()
    return str(head.note) + "".join(lines)


def cosigned_size(connection: Connection, witness: Witness) -> int:
    """Return the size of the largest checkpoint that ``witness`` has cosigned; 0 if none."""
    size = connection.execute(
        select(_cosignature.c.size)
        .where(_cosignature.c.witness == witness.vkey)
        .order_by(_cosignature.c.size.desc())
        .limit(1)
    ).scalar_one_or_none()
    return size or 0


def receipt_head(connection: Connection, least_size: int, policy: Policy) -> AnyRow | None:
    """Return the newest checkpoint of ``least_size`` or more that enough witnesses cosigned.

    Without one, the newest of all: a receipt at once is better than none, and a later one has the
    cosignatures. None if the log has no checkpoint.
    """
    if policy.quorum is not None:
        rows = connection.execute(
            select(_cosignature.c.size, _cosignature.c.witness)
            .where(_cosignature.c.size >= least_size)
            .order_by(_cosignature.c.size.desc())
            .limit(LOOK_BACK)
        )
        signed: defaultdict[int, set[str]] = defaultdict(set)
        for size, vkey in rows:
            signed[size].add(vkey)
        for size, vkeys in signed.items():
            if policy.satisfied_by([key for key in policy.keys if key.vkey in vkeys]):
                return connection.execute(
                    select(_checkpoint).where(_checkpoint.c.size == size)
                ).one()
    return latest_checkpoint(connection)
