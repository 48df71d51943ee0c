"""Court files: what proves a notice, gathered for a court (DESIGN section 7).

The agency's own notices only. Reports are enclosed as mail servers sent them, where they were
sealed to the key that derives from the keyring; an agency that keeps its own evidence key gets them
sealed and opens them itself. PDF and seal by certificate are left out where the service has no
seal or its token is away; the guide in the container says what there is.
Putting it together takes processor time, so it runs in threads.
Who may give a file with addresses away, and that somebody looked, is the console's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.keyring.evidence_keys import evidence_identities
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.errors import SealUnavailable
from siegelpost.notices.pdf_receipts import sealed_pdf
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.errors import NoMatch
from siegelpost.store import tables
from siegelpost.store.blobs import read_blob
from siegelpost.store.bounces import reports_of
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin

if TYPE_CHECKING:
    from siegelpost.receipts.court_file import CourtFileParts, EnclosedReport

_agency = tables.core(tables.Agency)


async def make_court_file(
    context: Context, agency_id: AgencyId, notice_id: NoticeId, *, redaction: Redaction
) -> bytes:
    """Return the container; raises NoSuchNotice, NotYetLogged."""
    # Loaded at first use, as in `pdf_receipts`.
    from siegelpost.receipts.court_file import CourtFileParts

    receipt = await receipt_for_agency(context, agency_id, notice_id)
    full = redaction is Redaction.FULL
    name = await context.store.read(
        lambda connection: connection.execute(
            select(_agency.c.name).where(_agency.c.id == agency_id)
        ).scalar_one()
    )
    reports: list[EnclosedReport] = []
    if full:
        sealed = await context.store.read(lambda connection: _read(connection, notice_id, receipt))
        reports = await asyncio.to_thread(_open, context, agency_id, sealed)
    parts = CourtFileParts(
        receipt=receipt,
        trust=await asyncio.to_thread(_trust, context),
        redaction=redaction,
        made_at=context.now(),
        pdf=await _pdf(context, receipt) if full else None,
        reports=reports,
        agency_name=name,
        cms=context.manifest_seal,
    )
    return await asyncio.to_thread(_put_together, context, parts)


async def _pdf(context: Context, receipt: bytes) -> bytes | None:
    try:
        return await sealed_pdf(context, receipt, language="de")
    except SealUnavailable:
        return None


def _read(
    connection: Connection, notice_id: NoticeId, receipt: bytes
) -> list[tuple[str, bytes, bytes]]:
    """Id, digest and sealed bytes of each report that an event of the receipt names."""
    return [
        (row.id, row.digest, b"".join(read_blob(connection, row.blob_id)))
        for row in reports_of(connection, notice_id)
        if row.digest.hex().encode() in receipt
    ]


def _open(
    context: Context, agency_id: AgencyId, reports: list[tuple[str, bytes, bytes]]
) -> list[EnclosedReport]:
    from siegelpost.receipts.court_file import EnclosedReport

    identities = evidence_identities(context.keyring, agency_id) if reports else []
    found = []
    for name, _digest, sealed in reports:
        try:
            content, closed = open_bytes(sealed, identities), False
        except NoMatch:
            content, closed = sealed, True
        found.append(EnclosedReport(id=name, content=content, sealed=closed))
    return found


def _trust(context: Context) -> bytes:
    if context.trust_file is not None:
        return context.trust_file()
    return write_trust(
        Trust(
            origin=log_origin(context.origin),
            keys=context.keyring.public_keys(),
            policy=context.policy,
            seal_certificates=context.keyring.seal_certificates(),
        )
    )


def _put_together(context: Context, parts: CourtFileParts) -> bytes:
    from siegelpost.receipts.court_file import make_court_file as put_together
    from siegelpost.receipts.sealing import SealingFailed

    signer = context.keyring.signer(KeyPurpose.ACCEPTANCE)
    try:
        return put_together(parts, signer)
    except SealingFailed:
        return put_together(replace(parts, cms=None), signer)
