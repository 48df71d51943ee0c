"""Dispatch: take a notice, seal it, commit it, and vouch for it (DESIGN section 4, steps 1 to 3).

1. Look who may get it; answer a repetition with what the first call got (``delivering``).
2. Check the documents.
3. Seal and sign (``prepare``).
4. Commit with others, looking again inside the transaction (``delivering``).

A refusal is evidence too; recording it is the caller's, see ``refusals``.
"""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor

from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.circumstances import check_form
from siegelpost.notices.delivering import Dispatched, deliver
from siegelpost.notices.documents import check_thoroughly
from siegelpost.notices.documents import look as look_at_documents
from siegelpost.notices.eligibility import Destination, Sender
from siegelpost.notices.errors import KeyReused
from siegelpost.notices.limits import Limits
from siegelpost.notices.prepare import Prepared, Seals, prepare
from siegelpost.notices.reprovide import check_same_documents, notice_before
from siegelpost.notices.request import DispatchRequest
from siegelpost.notices.runners import runner, signing_runner
from siegelpost.sealing.manifest import DocumentEntry
from siegelpost.sealing.package import describe
from siegelpost.store.context import Context

#: Documents up to this size are sealed on the event loop: a hop to a thread costs more.
INLINE_BYTES = 512 * 1024
#: One thread for qpdf: hostile PDFs wait for each other and for nothing else.
_qpdf = ThreadPoolExecutor(max_workers=1, thread_name_prefix="qpdf")


async def dispatch(
    context: Context, limits: Limits, sender: Sender, request: DispatchRequest
) -> Dispatched:
    """Deliver ``request``; what is returned is durable.

    Raises Refusal (for good), KeyReused, StoreUnavailable (unknown whether it happened: repeat
    with the same idempotency key).
    """
    small = sum(len(document.content) for document in request.documents) <= INLINE_BYTES
    run = runner(small=small)
    seal = signing_runner(context.keyring, small=small)
    seals = _seals(context, sender)
    entries = await run(describe, request.documents)

    async def prepared(target: Destination) -> Prepared:
        check_form(
            request.circumstances,
            regime=request.regime,
            issued_at=request.issued_at,
            now=context.now(),
        )
        if request.reprovides is not None:
            wanted = request.reprovides
            before = await context.store.read_briefly(
                lambda connection: notice_before(connection, sender, target, wanted)
            )
            await run(check_same_documents, before, request.documents, seals.commitment)
        doubtful = await run(look_at_documents, request.documents, limits)
        if doubtful:
            await asyncio.get_running_loop().run_in_executor(
                _qpdf, check_thoroughly, request.documents, doubtful, limits
            )
        return await seal(_prepare, context, sender, target, request, entries, seals)

    return await deliver(
        context,
        sender,
        enrolment_id=request.enrolment_id,
        idempotency_key=request.idempotency_key,
        check_same=lambda digest: _same_request(request, entries, seals, digest),
        prepare=prepared,
    )


def _prepare(
    context: Context,
    sender: Sender,
    target: Destination,
    request: DispatchRequest,
    entries: tuple[DocumentEntry, ...],
    seals: Seals,
) -> Prepared:
    return prepare(
        sender,
        target,
        request,
        entries,
        request_digest=request.digest(seals.commitment[0], entries),
        seals=seals,
        now=context.now(),
        entropy=context.entropy,
    )


def _seals(context: Context, sender: Sender) -> Seals:
    keyring = context.keyring
    return Seals(
        manifest=keyring.signer(KeyPurpose.MANIFEST, sender.agency_id),
        acceptance=keyring.signer(KeyPurpose.ACCEPTANCE),
        commitment=keyring.secrets(KeyPurpose.COMMITMENT),
    )


def _same_request(
    request: DispatchRequest,
    entries: tuple[DocumentEntry, ...],
    seals: Seals,
    request_digest: bytes,
) -> None:
    if not any(
        hmac.compare_digest(request.digest(secret, entries), request_digest)
        for secret in seals.commitment
    ):
        raise KeyReused("the idempotency key was used for another request")
