"""The files that browsers get, as the log knows them: recorded when they change, read for auditors.

The chain "service" holds nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from siegelpost.evidence.assets import Publication, asset_facts, write_publications
from siegelpost.evidence.events import SERVICE, EventType, parse_event
from siegelpost.evidence.ids import LeafIndex
from siegelpost.store.cosignatures import cosigned_note
from siegelpost.store.events import EventDraft, append_events, events_of
from siegelpost.store.log import latest_checkpoint, make_proofs


def record_assets(
    connection: Connection,
    files: Mapping[str, str],
    *,
    at: datetime,
    entropy: Callable[[int], bytes],
) -> bool:
    """Record paths and digests if they differ from the newest ones; Conflict.

    Returns whether they did.
    """
    facts = asset_facts(files)
    known = events_of(connection, SERVICE)
    if known and known[-1].body is not None:
        newest = parse_event(known[-1].body.encode("utf-8"))
        if newest.facts == facts:
            return False
    draft = EventDraft(type=EventType.ASSETS_PUBLISHED, at=at, actor="service", facts=facts)
    append_events(connection, [draft], entropy=entropy)
    return True


def published_assets(connection: Connection) -> bytes | None:
    """The publication of all events that the log holds by now; None if there is none yet."""
    head = latest_checkpoint(connection)
    if head is None:
        return None
    rows = [
        row
        for row in events_of(connection, SERVICE)
        if row.leaf_index is not None and row.leaf_index < head.size and row.body is not None
    ]
    if not rows:
        return None
    note = cosigned_note(connection, head)
    proofs = make_proofs(connection, [LeafIndex(row.leaf_index) for row in rows], head.size, note)
    return write_publications(
        [
            Publication(body=row.body.encode("utf-8"), salt=row.salt, proof=proof.text())
            for row, proof in zip(rows, proofs, strict=True)
        ]
    )
