"""Reprovide: the same documents once more, as a notice of its own (§ 37(2a) sentence 8 SGB X).

DESIGN section 6: a citizen who lost the key, or whose alert failed, gets them again, sealed to the
keys of now. It is a dispatch that names the notice before; both keep their own evidence and their
own clock: the new one has a new alert and a new period, the old one keeps its result.
The event `reprovided` of the old notice names the new one, `provided` of the new one the old one.

Refused: a notice that this agency did not send to this enrolment, one that was withdrawn, one that
was provided again already (start from the newest), and other documents than before, which are a
notice of their own. That they are the same is checked against the commitments of then; where the
agency seals by itself, it commits with the salts of then, so that equal commitments say it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import MailboxId, NoticeId
from siegelpost.notices.eligibility import Destination, Sender
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.readers import NOTICE, sent_by
from siegelpost.notices.salts import SaltLost, salt_check, salts_of
from siegelpost.notices.sealed_request import StatedDocument
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.package import Document
from siegelpost.store.columns import AnyRow
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.follow_ups import stop_follow_ups
from siegelpost.store.tasks import TaskKind, settle_tasks


@dataclass(frozen=True, kw_only=True)
class Again:
    """A dispatch that provides again what another notice had provided."""

    #: the notice before
    before: NoticeId
    #: the new one
    notice: NoticeId
    #: its `reprovided`
    event: EventDraft
    #: what the event's id and salt are made of
    entropy: Callable[[int], bytes]


def notice_before(
    connection: Connection, sender: Sender, target: Destination, wanted: str
) -> AnyRow:
    """Return the row of the notice that is to be provided again; Refusal if it may not be."""
    row = connection.execute(
        sent_by(sender.agency_id).where(
            NOTICE.c.id == wanted, NOTICE.c.enrolment_id == target.enrolment_id
        )
    ).one_or_none()
    if row is None:
        raise Refusal(RefusalCode.REPROVIDES_UNKNOWN, "no such notice to this enrolment")
    if row.state == NoticeState.WITHDRAWN:
        raise Refusal(RefusalCode.REPROVIDES_WITHDRAWN, "the notice was withdrawn")
    after = connection.execute(select(NOTICE.c.id).where(NOTICE.c.reprovides == wanted)).scalar()
    if after is not None:
        raise Refusal(RefusalCode.REPROVIDED_BEFORE, f"it was provided again as {after}")
    return row


def check_same_documents(
    before: AnyRow, documents: Sequence[Document], secrets: Sequence[bytes]
) -> None:
    """Refusal unless `documents` are those of the notice before, in the same order."""
    try:
        salts = salts_of(secrets, NoticeId(before.id), before.documents)
    except SaltLost:
        reason = "the keys that could show that the documents are the same are gone"
        raise Refusal(RefusalCode.REPROVIDES_DIFFERS, reason) from None
    if len(salts) != len(documents):
        raise Refusal(RefusalCode.REPROVIDES_DIFFERS, f"it had {len(salts)} documents")
    for number, (salt, document, old) in enumerate(
        zip(salts, documents, before.documents, strict=True)
    ):
        found = document_commitment(salt, bytes(document.content))
        if not hmac.compare_digest(found, bytes.fromhex(old["commitment"])):
            reason = "another document than in the notice before"
            raise Refusal(RefusalCode.REPROVIDES_DIFFERS, reason, document=number)


def check_same_commitments(before: AnyRow, documents: Sequence[StatedDocument]) -> None:
    """Refusal unless what an agency states of sealed documents is what evidence says of the old.

    Another salt would hide whether the document is the same, so it is refused, too.
    """
    if len(before.documents) != len(documents):
        raise Refusal(RefusalCode.REPROVIDES_DIFFERS, f"it had {len(before.documents)} documents")
    for number, (document, old) in enumerate(zip(documents, before.documents, strict=True)):
        found = (document.commitment.hex(), salt_check(document.salt), document.size)
        if found != (old["commitment"], old["salt_check"], old["size"]):
            reason = "not committed to with the salt, or not the document, of the notice before"
            raise Refusal(RefusalCode.REPROVIDES_DIFFERS, reason, document=number)


def again(
    sender: Sender,
    target: Destination,
    before: NoticeId,
    notice: NoticeId,
    *,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> Again:
    """What the commit of `notice` records about the notice before."""
    return Again(
        before=before,
        notice=notice,
        event=EventDraft(
            type=EventType.REPROVIDED,
            at=now,
            agency=sender.agency_id,
            notice=before,
            mailbox=MailboxId(target.mailbox_id),
            actor=sender.actor,
            facts={
                "notice": notice,
                "same_documents": True,
                "proves": "That the same documents, by the commitments of both notices, were "
                "dispatched again as the notice named here.",
                "does_not_prove": "That this notice was served, or was not: each has a clock of "
                "its own.",
            },
        ),
        entropy=entropy,
    )


def still_open(connection: Connection, wanted: Sequence[NoticeId]) -> set[NoticeId]:
    """Lock those of `wanted` that may still be provided again, and return them."""
    found = connection.execute(
        select(NOTICE.c.id)
        .where(NOTICE.c.id.in_(sorted(wanted)), NOTICE.c.state != NoticeState.WITHDRAWN.value)
        .order_by(NOTICE.c.id)
        .with_for_update()
    ).scalars()
    alive = set(found)
    taken = connection.execute(select(NOTICE.c.reprovides).where(NOTICE.c.reprovides.in_(alive)))
    return {NoticeId(one) for one in alive - set(taken.scalars())}


def record_again(connection: Connection, made: Sequence[Again]) -> None:
    """Link the notices before to the new ones, and let nobody act on them any more.

    Raises Conflict if another event of one of them came in between.
    """
    if not made:
        return
    for one in made:
        append_events(connection, [one.event], entropy=one.entropy)
        settle_tasks(connection, [one.before], tuple(TaskKind), at=one.event.at)
    stop_follow_ups(connection, [one.before for one in made])
