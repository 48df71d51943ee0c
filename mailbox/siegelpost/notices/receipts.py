"""Receipts: gather what proves one notice into a portable file (DESIGN section 4, step 9).

Citizen and agency get the same: with the documents' salts, by which either can show that this PDF
was that notice. The legal clock's result is computed from the very events that the receipt shows.
The seal says that these are all, so whatever is gathered here must be complete.
Not here: what a receipt proves (``siegelpost.evidence.verify``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, LeafIndex, MailboxId, NoticeId
from siegelpost.evidence.receipt import (
    MAX_TIMESTAMPS,
    Receipt,
    ReceiptDocument,
    ReceiptEvent,
    write_receipt,
)
from siegelpost.evidence.seal import seal_receipt
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.clock_results import as_json
from siegelpost.notices.errors import NotYetLogged
from siegelpost.notices.histories import history_of
from siegelpost.notices.legal_clock import governing
from siegelpost.notices.readers import Reader, one_notice, readable_by, sent_by
from siegelpost.notices.salts import salts_of
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_note, receipt_head
from siegelpost.store.events import events_of
from siegelpost.store.log import log_origin, make_proofs
from siegelpost.store.timestamps import timestamps_of

_agency = tables.core(tables.Agency)

#: Events of the mailbox that bear on a notice: whose key it was sealed to, and by what right.
_KEY_EVENTS = frozenset({EventType.KEY_BOUND.value, EventType.KEY_RETIRED.value})
_CONSENT_EVENTS = frozenset({EventType.CONSENT_GIVEN.value, EventType.CONSENT_REVOKED.value})


async def receipt_for_citizen(context: Context, reader: Reader, notice_id: NoticeId) -> bytes:
    """Return the sealed receipt as JSON text; raises NoSuchNotice, NotYetLogged."""
    return await _receipt(context, readable_by(reader), notice_id)


async def receipt_for_agency(context: Context, agency_id: AgencyId, notice_id: NoticeId) -> bytes:
    """Return the sealed receipt as JSON text; raises NoSuchNotice, NotYetLogged."""
    return await _receipt(context, sent_by(agency_id), notice_id)


async def _receipt(context: Context, visible: Select[Any], notice_id: NoticeId) -> bytes:
    made_at = context.now()

    def work(connection: Connection) -> Receipt:
        row = one_notice(connection, visible, notice_id)
        own = events_of(connection, f"notice:{notice_id}")
        of_mailbox = [
            event
            for event in events_of(connection, f"mailbox:{row.mailbox_id}")
            if event.type in _KEY_EVENTS
            # What the citizen agreed with other agencies is none of this one's business.
            or (event.type in _CONSENT_EVENTS and event.agency_id == row.agency_id)
        ]
        rows = [*own, *of_mailbox]
        if any(event.leaf_index is None for event in rows):
            raise NotYetLogged("an event waits for its place in the log")
        leaves = [LeafIndex(event.leaf_index) for event in rows]
        head = receipt_head(connection, max(leaves, default=0) + 1, context.policy)
        if head is None or any(leaf >= head.size for leaf in leaves):
            raise NotYetLogged("an event waits for the next checkpoint")
        note = cosigned_note(connection, head)
        events = _prove(connection, rows, head.size, note)
        return Receipt(
            notice=notice_id,
            agency=AgencyId(row.agency_id),
            mailbox=MailboxId(row.mailbox_id),
            made_at=made_at,
            origin=log_origin(context.origin),
            checkpoint=note,
            events=tuple(events[: len(own)]),
            mailbox_events=tuple(events[len(own) :]),
            acceptance=row.acceptance,
            documents=tuple(_documents(context, row)),
            timestamps=tuple(timestamps_of(connection, leaves, head)[:MAX_TIMESTAMPS]),
            deadline=_deadline(connection, row, own, of_mailbox, made_at),
        )

    receipt = await context.store.read(work)
    signer = context.keyring.signer(KeyPurpose.ACCEPTANCE)
    return write_receipt(await asyncio.to_thread(seal_receipt, receipt, signer))


def _prove(
    connection: Connection, rows: Sequence[AnyRow], size: int, note: str
) -> list[ReceiptEvent]:
    proofs = make_proofs(connection, [LeafIndex(row.leaf_index) for row in rows], size, note)
    return [
        ReceiptEvent(
            body=row.body.encode("utf-8"),
            salt=row.salt,
            leaf_index=LeafIndex(row.leaf_index),
            proof=proof.text(),
        )
        for row, proof in zip(rows, proofs, strict=True)
    ]


def _deadline(
    connection: Connection,
    row: AnyRow,
    own: Sequence[AnyRow],
    of_mailbox: Sequence[AnyRow],
    made_at: datetime,
) -> dict[str, Any]:
    """The legal clock's result on exactly the events that the receipt shows."""
    place = connection.execute(select(_agency.c.place).where(_agency.c.id == row.agency_id))
    history = history_of(row, place.scalar_one(), own, of_mailbox)
    return as_json(governing(history, made_at), made_at)


def _documents(context: Context, row: AnyRow) -> list[ReceiptDocument]:
    secrets = context.keyring.secrets(KeyPurpose.COMMITMENT)
    salts = salts_of(secrets, NoticeId(row.id), row.documents)
    return [
        ReceiptDocument(
            commitment=bytes.fromhex(document["commitment"]),
            salt=salt,
            size=None if salt is None else document["size"],
        )
        for document, salt in zip(row.documents, salts, strict=True)
    ]
