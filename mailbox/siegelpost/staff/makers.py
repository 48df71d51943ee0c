"""Makers: what the console hands out of one notice, with and without addresses.

The whole receipt, PDF and court file are the agency's own (`siegelpost.notices`); without addresses
they are the same, blackened and sealed anew, and verify like them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from siegelpost.evidence.blackening import redact
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.redacted import Redaction, write_redacted
from siegelpost.evidence.seal import seal_redacted
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.court_file import make_court_file
from siegelpost.notices.pdf_receipts import pdf_receipt_for_agency
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.staff.exports import ExportedFile, ExportKind, Maker
from siegelpost.staff.looks import look_into
from siegelpost.staff.roles import Member
from siegelpost.store.context import Context

_JSON, _PDF = "application/json", "application/pdf"
#: ETSI EN 319 162-1, annex A.
_COURT_FILE = "application/vnd.etsi.asic-e+zip"


async def blackened_receipt(context: Context, member: Member, notice_id: NoticeId) -> ExportedFile:
    """The receipt without addresses, for any clerk; a look into the file like every other.

    Raises RoleMissing, NothingFound, NotYetLogged.
    """
    await look_into(context, member, notice_id)
    whole = parse_receipt(await receipt_for_agency(context, member.agency_id, notice_id))
    redacted = await asyncio.to_thread(
        seal_redacted,
        redact(whole, Redaction.WITHOUT_ADDRESSES),
        context.keyring.signer(KeyPurpose.ACCEPTANCE),
    )
    return ExportedFile(
        name=f"quittung-{notice_id}-ohne-adressen.json",
        media_type=_JSON,
        content=write_redacted(redacted),
    )


async def blackened_court_file(
    context: Context, member: Member, notice_id: NoticeId
) -> ExportedFile:
    """The court file without addresses, likewise."""
    await look_into(context, member, notice_id)
    content = await make_court_file(
        context, member.agency_id, notice_id, redaction=Redaction.WITHOUT_ADDRESSES
    )
    return ExportedFile(
        name=f"gerichtsakte-{notice_id}-ohne-adressen.asice",
        media_type=_COURT_FILE,
        content=content,
    )


def available(context: Context) -> Mapping[ExportKind, Maker]:
    """What this service can make with addresses: PDFs need its seal."""
    made: dict[ExportKind, Maker] = {
        ExportKind.RECEIPT_JSON: _whole_receipt,
        ExportKind.COURT_FILE: _whole_court_file,
    }
    if context.pdf_seal is not None:
        made[ExportKind.RECEIPT_PDF] = _pdf_receipt
    return made


async def _whole_receipt(
    context: Context, agency_id: AgencyId, notice_id: NoticeId
) -> ExportedFile:
    content = await receipt_for_agency(context, agency_id, notice_id)
    return ExportedFile(name=f"quittung-{notice_id}.json", media_type=_JSON, content=content)


async def _pdf_receipt(context: Context, agency_id: AgencyId, notice_id: NoticeId) -> ExportedFile:
    content = await pdf_receipt_for_agency(context, agency_id, notice_id, language="de")
    return ExportedFile(name=f"quittung-{notice_id}.pdf", media_type=_PDF, content=content)


async def _whole_court_file(
    context: Context, agency_id: AgencyId, notice_id: NoticeId
) -> ExportedFile:
    content = await make_court_file(context, agency_id, notice_id, redaction=Redaction.FULL)
    return ExportedFile(
        name=f"gerichtsakte-{notice_id}.asice", media_type=_COURT_FILE, content=content
    )
