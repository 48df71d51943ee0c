"""Recipients: the keys that an agency seals to on its own side, each with its proof (DESIGN 5).

Whoever may dispatch to the enrolment gets them, nobody else; the same refusals as for a dispatch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from siegelpost.evidence.ids import ID_RANDOM, AgencyId, KeyId, MailboxId, NoticeId, new_id
from siegelpost.evidence.key_proof import KeyProof
from siegelpost.notices.eligibility import Sender, destination, look
from siegelpost.notices.key_proofs import prove_keys
from siegelpost.sealing.keys import Recipient
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin

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
        ids = [key for key, _ in target.keys]
        proofs = prove_keys(connection, context, target.mailbox_id, ids)
        return Recipients(
            notice_id=NoticeId(new_id(now, context.entropy(ID_RANDOM))),
            agency_id=sender.agency_id,
            mailbox_id=target.mailbox_id,
            at=now,
            origin=log_origin(context.origin),
            keys=tuple(
                ProvenKey(id=key, recipient=Recipient(raw).encode(), proof=proof)
                for (key, raw), proof in zip(target.keys, proofs, strict=True)
            ),
        )

    return await context.store.read(work)
