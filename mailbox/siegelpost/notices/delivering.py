"""Delivering: the look, the commit and the answer that all ways of dispatching share.

1. Look: sender, enrolment, consent, address, keys and an earlier call, in one query.
2. Answer a repetition with what the first call got.
3. Let the caller prepare for the destination that was found.
4. Commit with others (``commit``), looking again inside the transaction; start again if overtaken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from siegelpost.evidence.ids import NoticeId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.commit import Overtaken, commit_notices
from siegelpost.notices.eligibility import (
    LOOK,
    Destination,
    Sender,
    asked,
    destination,
    earlier,
)
from siegelpost.notices.packages import put_apart
from siegelpost.notices.prepare import Prepared
from siegelpost.notices.salts import salts_of
from siegelpost.notices.state import NoticeState
from siegelpost.store.context import Context
from siegelpost.store.errors import Conflict

#: Sealed packages up to this size may be written without leaving the event loop.
BRIEF_BYTES = 512 * 1024
#: How often a dispatch starts again because something changed under it.
TRIES = 4


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


async def deliver(
    context: Context,
    sender: Sender,
    *,
    enrolment_id: str,
    idempotency_key: str,
    check_same: Callable[[bytes], None],
    prepare: Callable[[Destination], Awaitable[Prepared]],
) -> Dispatched:
    """Deliver what ``prepare`` seals for the destination; what is returned is durable.

    ``check_same`` gets the digest of an earlier call under this key, and raises KeyReused if that
    asked for something else. Raises what the two raise, Refusal, Overtaken, and StoreUnavailable
    (unknown whether it happened: repeat with the same idempotency key).
    """
    for last in (False,) * (TRIES - 1) + (True,):
        rows = await context.store.select(LOOK, asked(sender, enrolment_id, idempotency_key))
        first = earlier(rows)
        if first is not None:
            check_same(first.request_digest)
            secrets = context.keyring.secrets(KeyPurpose.COMMITMENT)
            return _answer(
                first.notice_id,
                first.documents,
                salts_of(secrets, first.notice_id, first.documents),
                first.acceptance,
                first.provided_at,
            )
        prepared = await prepare(destination(rows))
        if context.objects is not None:
            prepared = await put_apart(context, context.objects, prepared)
        try:
            brief = prepared.apart is not None or prepared.notice["package_size"] <= BRIEF_BYTES
            await context.store.write_bulk(commit_notices, prepared, brief=brief)
        except (Overtaken, Conflict, IntegrityError):
            if last:
                raise
            continue
        context.store.alerts_queued.set()
        made = prepared.notice
        return _answer(
            made["id"], made["documents"], prepared.salts, made["acceptance"], made["provided_at"]
        )
    raise AssertionError("unreachable: the last try returns or raises")


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
