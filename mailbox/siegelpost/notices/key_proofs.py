"""Proofs that the log has bound a mailbox's keys, for whoever must not take the service's word.

See `siegelpost.evidence.key_proof` for what they show, and who checks them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import KeyId, LeafIndex
from siegelpost.evidence.key_proof import KeyProof
from siegelpost.notices.errors import NotYetLogged
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_note, receipt_head
from siegelpost.store.events import events_of
from siegelpost.store.log import make_proofs


def prove_keys(
    connection: Connection, context: Context, mailbox: str, keys: Sequence[KeyId]
) -> tuple[KeyProof, ...]:
    """The proof of each of ``keys``, in their order; NotYetLogged if one still waits for it."""
    bound: dict[str, AnyRow] = {}
    for row in events_of(connection, f"mailbox:{mailbox}"):
        if row.type == EventType.KEY_BOUND.value and row.body is not None:
            key = json.loads(row.body)["facts"]["key"]
            if key in keys:
                bound[key] = row
    if set(bound) != set(keys) or any(row.leaf_index is None for row in bound.values()):
        raise NotYetLogged("a key's binding waits for its place in the log")
    rows = [bound[key] for key in keys]
    leaves = [LeafIndex(row.leaf_index) for row in rows]
    head = receipt_head(connection, max(leaves) + 1, context.policy)
    if head is None or any(leaf >= head.size for leaf in leaves):
        raise NotYetLogged("a key's binding waits for the next checkpoint")
    proofs = make_proofs(connection, leaves, head.size, cosigned_note(connection, head))
    return tuple(
        KeyProof(body=row.body.encode("utf-8"), salt=row.salt, proof=proof.text())
        for row, proof in zip(rows, proofs, strict=True)
    )
