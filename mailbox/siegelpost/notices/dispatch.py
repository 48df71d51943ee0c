"""Dispatch: take a notice, seal it, commit it, and vouch for it (DESIGN section 4, steps 1 to 3).

1. Look: sender, enrolment, consent, address, keys and an earlier call, in one query.
2. Answer a repetition with what the first call got; refuse another request under the same key.
3. Check the documents.
4. Seal and sign (``prepare``).
5. Commit with others (``commit``), looking again inside the transaction.

A refusal is evidence too; recording it is the caller's, see ``refusals``.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, Protocol, TypeVar

from sqlalchemy.exc import IntegrityError

from siegelpost.evidence.ids import NoticeId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.commit import Overtaken, commit_notices
from siegelpost.notices.documents import check_thoroughly
from siegelpost.notices.documents import look as look_at_documents
from siegelpost.notices.eligibility import Destination, Sender, destination, earlier, look
from siegelpost.notices.errors import KeyReused
from siegelpost.notices.limits import Limits
from siegelpost.notices.prepare import Prepared, Seals, prepare
from siegelpost.notices.request import DispatchRequest
from siegelpost.notices.salts import salts_of
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.manifest import DocumentEntry
from siegelpost.sealing.package import describe
from siegelpost.store.context import Context

P = ParamSpec("P")
T = TypeVar("T")

#: Documents up to this size are sealed on the event loop: a hop to a thread costs more.
INLINE_BYTES = 512 * 1024
#: How often a dispatch starts again because something changed under it.
TRIES = 4
#: One thread for qpdf: hostile PDFs wait for each other and for nothing else.
_qpdf = ThreadPoolExecutor(max_workers=1, thread_name_prefix="qpdf")


@dataclass(frozen=True, kw_only=True)
class DispatchedDocument:
    """What the agency keeps to prove years later that this PDF was that notice."""

    #: 32 bytes, as in the acceptance and the log's event
    commitment: bytes
    #: 32 bytes that open the commitment together with the document
    salt: bytes
    #: bytes of the document
    size: int


@dataclass(frozen=True, kw_only=True)
class Dispatched:
    """The answer to a dispatch; a repetition gets an equal one."""

    #: the new notice
    id: NoticeId
    #: always provided: what became of it since is asked for separately
    state: NoticeState
    #: since when the citizen can retrieve it
    provided_at: datetime
    #: signed note of the service
    acceptance: str
    #: in the order of the call
    documents: tuple[DispatchedDocument, ...]


async def dispatch(
    context: Context, limits: Limits, sender: Sender, request: DispatchRequest
) -> Dispatched:
    """Deliver ``request``; what is returned is durable.

    Raises Refusal (for good), KeyReused, StoreUnavailable (unknown whether it happened: repeat
    with the same idempotency key).
    """
    if sum(len(document.content) for document in request.documents) <= INLINE_BYTES:
        run: Runner = _inline
    else:
        run = asyncio.to_thread
    seals = _seals(context, sender)
    entries = await run(describe, request.documents)
    for last in (False,) * (TRIES - 1) + (True,):
        rows = await context.store.read_briefly(
            lambda connection: look(
                connection, sender, request.enrolment_id, request.idempotency_key
            )
        )
        first = earlier(rows)
        if first is not None:
            _same_request(request, entries, seals, first.request_digest)
            return _answer(
                first.notice_id,
                first.documents,
                salts_of(seals.commitment, first.notice_id, first.documents),
                first.acceptance,
                first.provided_at,
            )
        target = destination(rows)
        doubtful = await run(look_at_documents, request.documents, limits)
        if doubtful:
            await asyncio.get_running_loop().run_in_executor(
                _qpdf, check_thoroughly, request.documents, doubtful, limits
            )
        prepared = await run(_prepare, context, sender, target, request, entries, seals)
        try:
            await context.store.write_bulk(commit_notices, prepared)
        except (Overtaken, IntegrityError):
            if last:
                raise
            continue
        context.store.alerts_queued.set()
        made = prepared.notice
        return _answer(
            made["id"],
            made["documents"],
            prepared.salts,
            made["acceptance"],
            made["provided_at"],
        )
    raise AssertionError("unreachable: the last try returns or raises")


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


class Runner(Protocol):
    """Runs processor work: here, or in a thread."""

    async def __call__(self, work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Return what ``work`` returns."""
        ...


async def _inline(work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    return work(*arguments, **named)


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


def _answer(
    notice_id: NoticeId,
    documents: Sequence[dict[str, Any]],
    salts: Sequence[bytes],
    acceptance: str,
    provided_at: datetime,
) -> Dispatched:
    return Dispatched(
        id=notice_id,
        state=NoticeState.PROVIDED,
        provided_at=provided_at,
        acceptance=acceptance,
        documents=tuple(
            DispatchedDocument(
                commitment=bytes.fromhex(document["commitment"]),
                salt=salt,
                size=document["size"],
            )
            for document, salt in zip(documents, salts, strict=True)
        ),
    )
