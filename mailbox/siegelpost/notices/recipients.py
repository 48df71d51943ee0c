"""Recipients: the keys that an agency seals to on its own side, each with its proof (DESIGN 5).

Whoever may dispatch to the enrolment gets them, nobody else; the same refusals as for a dispatch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import (
    ID_RANDOM,
    AgencyId,
    KeyId,
    LeafIndex,
    MailboxId,
    NoticeId,
    new_id,
)
from siegelpost.evidence.key_proof import KeyProof
from siegelpost.notices.eligibility import Sender, destination, look
from siegelpost.notices.errors import NotYetLogged
from siegelpost.sealing.keys import Recipient
from siegelpost.store.columns import AnyRow
from siegelpost.store.context import Context
from siegelpost.store.cosignatures import cosigned_note, receipt_head
from siegelpost.store.events import events_of
from siegelpost.store.log import log_origin, make_proofs

#: An idempotency key that no call can have: the look is only for the destination.
_NO_CALL = ""


@dataclass(frozen=True, kw_only=True)
class ProvenKey:
    """One current key of the mailbox."""

    #: names it in the dispatch
    id: KeyId
    #: ``age1pq1…``
    recipient: str
    #: that the log has bound it
    proof: KeyProof


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """What sealing for an enrolment needs."""

    #: a fresh id for the notice
    notice_id: NoticeId
    #: whose manifest it will be
    agency_id: AgencyId
    #: the citizen's box
    mailbox_id: MailboxId
    #: the service's time
    at: datetime
    #: name of the log
    origin: str
    #: seal to all of them
    keys: tuple[ProvenKey, ...]


async def recipients(context: Context, sender: Sender, enrolment_id: str) -> Recipients:
    """Return the current keys with proofs; raises Refusal, NotYetLogged, StoreUnavailable."""
    now = context.now()

    def work(connection: Connection) -> Recipients:
        target = destination(look(connection, sender, enrolment_id, _NO_CALL))
        wanted = {key for key, _ in target.keys}
        bound: dict[str, AnyRow] = {}
        for row in events_of(connection, f"mailbox:{target.mailbox_id}"):
            if row.type == EventType.KEY_BOUND.value and row.body is not None:
                key = json.loads(row.body)["facts"]["key"]
                if key in wanted:
                    bound[key] = row
        if set(bound) != wanted or any(row.leaf_index is None for row in bound.values()):
            raise NotYetLogged("a key's binding waits for its place in the log")
        rows = [bound[key] for key, _ in target.keys]
        leaves = [LeafIndex(row.leaf_index) for row in rows]
        head = receipt_head(connection, max(leaves) + 1, context.policy)
        if head is None or any(leaf >= head.size for leaf in leaves):
            raise NotYetLogged("a key's binding waits for the next checkpoint")
        proofs = make_proofs(connection, leaves, head.size, cosigned_note(connection, head))
        return Recipients(
            notice_id=NoticeId(new_id(now, context.entropy(ID_RANDOM))),
            agency_id=sender.agency_id,
            mailbox_id=target.mailbox_id,
            at=now,
            origin=log_origin(context.origin),
            keys=tuple(
                ProvenKey(
                    id=key,
                    recipient=Recipient(raw).encode(),
                    proof=KeyProof(
                        body=row.body.encode("utf-8"), salt=row.salt, proof=proof.text()
                    ),
                )
                for (key, raw), row, proof in zip(target.keys, rows, proofs, strict=True)
            ),
        )

    return await context.store.read(work)
