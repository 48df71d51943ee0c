"""PDF receipts: the receipt as a sealed document for people (DESIGN section 4, step 9).

Typesetting and sealing take some 300 ms and may ask a timestamp authority, so they run in threads
of their own, few of them: the event loop never waits, and nobody can fill the machine with PDFs.
Nothing is kept: each request makes a new one out of what is known by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import select

from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.errors import SealUnavailable
from siegelpost.notices.readers import Reader
from siegelpost.notices.receipts import receipt_for_agency, receipt_for_citizen
from siegelpost.store import tables
from siegelpost.store.context import Context

if TYPE_CHECKING:
    from siegelpost.receipts.words import Language

_agency = tables.core(tables.Agency)
#: PDFs that are made at once; the rest wait.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pdf-receipt")


async def pdf_receipt_for_citizen(
    context: Context, reader: Reader, notice_id: NoticeId, *, language: Language
) -> bytes:
    """Return the sealed PDF; raises NoSuchNotice, NotYetLogged, SealUnavailable."""
    _check_seal(context)
    receipt = await receipt_for_citizen(context, reader, notice_id)
    return await sealed_pdf(context, receipt, language=language)


async def pdf_receipt_for_agency(
    context: Context, agency_id: AgencyId, notice_id: NoticeId, *, language: Language
) -> bytes:
    """Return the sealed PDF; raises NoSuchNotice, NotYetLogged, SealUnavailable."""
    _check_seal(context)
    receipt = await receipt_for_agency(context, agency_id, notice_id)
    return await sealed_pdf(context, receipt, language=language)


async def sealed_pdf(context: Context, receipt: bytes, *, language: Language) -> bytes:
    """Return the sealed PDF of a receipt of this service; raises SealUnavailable."""
    # Loaded at first use: it costs a second, and most processes never make a PDF.
    from siegelpost.evidence.receipt import parse_receipt
    from siegelpost.receipts.pdf import make_pdf
    from siegelpost.receipts.sealing import SealingFailed

    agency_id = parse_receipt(receipt).agency
    name = await context.store.read(
        lambda connection: connection.execute(
            select(_agency.c.name).where(_agency.c.id == agency_id)
        ).scalar_one_or_none()
    )
    seal = _check_seal(context)

    def work() -> bytes:
        try:
            return seal(make_pdf(receipt, language=language, agency_name=name))
        except SealingFailed as error:
            raise SealUnavailable(str(error)) from error

    return await asyncio.get_running_loop().run_in_executor(_threads, work)


def _check_seal(context: Context) -> Callable[[bytes], bytes]:
    if context.pdf_seal is None:
        raise SealUnavailable("this service has no seal for PDFs")
    return context.pdf_seal
