"""Makers: what the console hands out of one notice, with and without addresses.

The whole receipt is the agency's own (`siegelpost.notices.receipts`); without addresses it is the
same, blackened and sealed anew, and verifies like it.
"""

from __future__ import annotations

from collections.abc import Mapping

from siegelpost.evidence.blackening import redact
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.redacted import Redaction, write_redacted
from siegelpost.evidence.seal import seal_redacted
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.receipts import receipt_for_agency
from siegelpost.staff.exports import ExportedFile, ExportKind, Maker
from siegelpost.staff.looks import look_into
from siegelpost.staff.roles import Member
from siegelpost.store.context import Context

_JSON = "application/json"


async def blackened_receipt(context: Context, member: Member, notice_id: NoticeId) -> ExportedFile:
    """The receipt without addresses, for any clerk; a look into the file like every other.

    Raises RoleMissing, NothingFound, NotYetLogged.
    """
    await look_into(context, member, notice_id)
    whole = parse_receipt(await receipt_for_agency(context, member.agency_id, notice_id))
    redacted = seal_redacted(
        redact(whole, Redaction.WITHOUT_ADDRESSES),
        context.keyring.signer(KeyPurpose.ACCEPTANCE),
    )
    return ExportedFile(
        name=f"quittung-{notice_id}-ohne-adressen.json",
        media_type=_JSON,
        content=write_redacted(redacted),
    )


async def _whole_receipt(
    context: Context, agency_id: AgencyId, notice_id: NoticeId
) -> ExportedFile:
    return ExportedFile(
        name=f"quittung-{notice_id}.json",
        media_type=_JSON,
        content=await receipt_for_agency(context, agency_id, notice_id),
    )


#: What can be asked for with addresses.
MAKERS: Mapping[ExportKind, Maker] = {ExportKind.RECEIPT_JSON: _whole_receipt}
