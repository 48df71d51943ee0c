"""What outsiders said about the log, against the log: cosignatures and timestamps.

Whether an authority is to be trusted is not asked here (a trust file says so), only whether what is
stored belongs to the checkpoint that it is stored with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, func, select

from siegelpost.evidence.cosignature import Witness, cosignatures
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.renewal import renewal_leaf
from siegelpost.evidence.timestamps import describe_token
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.fsck.finding import Finding, Progress
from siegelpost.store.timestamps import message_of, split_leaves

_checkpoint = tables.core(tables.Checkpoint)
_cosignature = tables.core(tables.Cosignature)
_timestamp = tables.core(tables.Timestamp)

#: Most that an authority says its clock may be off.
_ACCURACY = timedelta(hours=1)


def check_cosignatures(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each cosignature is its witness's, over its checkpoint, at its time."""
    total = connection.execute(select(func.count()).select_from(_cosignature)).scalar_one()
    rows = connection.execute(
        select(_cosignature, _checkpoint.c.note)
        .join(_checkpoint, _checkpoint.c.size == _cosignature.c.size, isouter=True)
        .order_by(_cosignature.c.size, _cosignature.c.witness),
        execution_options={"yield_per": 1000},
    )
    for done, row in enumerate(rows, 1):
        where = f"cosignature {row.size} of {row.witness.partition('+')[0]}"
        if row.note is None:
            yield Finding(check="cosignature", where=where, what="its checkpoint is missing")
            continue
        try:
            text, _ = split_note(row.note)
            found = cosignatures(f"{text}\n{row.line}", [Witness.from_vkey(row.witness)])
        except EvidenceError as error:
            yield Finding(check="cosignature", where=where, what=f"it does not hold: {error}")
            continue
        if [item.at for item in found] != [row.at]:
            yield Finding(check="cosignature", where=where, what="its key or time is another")
        if done % 1000 == 0:
            progress("cosignatures", done, total)


def check_timestamps(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Each token is over its checkpoint or renewal, and each renewal holds what it renews."""
    total = connection.execute(select(func.count()).select_from(_timestamp)).scalar_one()
    renewal = _timestamp.alias()
    rows = connection.execute(
        select(_timestamp, _checkpoint.c.note, renewal.c.leaves.label("renewing"))
        .join(_checkpoint, _checkpoint.c.size == _timestamp.c.size, isouter=True)
        .join(renewal, renewal.c.id == _timestamp.c.renewed_by, isouter=True)
        .order_by(_timestamp.c.id),
        execution_options={"yield_per": 100},
    )
    for done, row in enumerate(rows, 1):
        reason = _timestamp_fault(row)
        if reason is not None:
            yield Finding(check="timestamp", where=f"timestamp {row.id}", what=reason)
        if done % 1000 == 0:
            progress("timestamps", done, total)


def _timestamp_fault(row: AnyRow) -> str | None:
    if row.note is None and row.leaves is None:
        return "its checkpoint is missing"
    message = message_of(row)
    try:
        at, hash_name, digest = describe_token(row.token)
    except EvidenceError as error:
        return f"its token cannot be read: {error}"
    if hash_name != row.hash_name or hashlib.new(hash_name, message).digest() != digest:
        return "its token is over something else"
    if not at <= row.at <= at + _ACCURACY:
        return "its time is not the token's"
    if row.renewed_by is None:
        return None
    leaves = split_leaves(row.renewing or b"")
    index = row.renewed_index
    if index is None or not 0 <= index < len(leaves):
        return "its renewal has no place for it"
    if leaves[index] != renewal_leaf(row.token, message):
        return "its renewal is of another token"
    return None
