"""Recording events: each continues its subject's chain, in the transaction of what it proves.

The log position is not given here but later by the sequencer, so that recording needs no lock
that all would share.
Two writers that continue the same chain at once meet at the unique (subject, number): one of them
gets :class:`Conflict` and tries again on the new state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import SALT_SIZE, SERVICE, Event, EventType, commitment
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, EventId, MailboxId, NoticeId, new_id
from siegelpost.store import tables
from siegelpost.store.bulk import BulkInsert
from siegelpost.store.columns import AnyRow
from siegelpost.store.errors import Conflict

Entropy = Callable[[int], bytes]

_event = tables.core(tables.Event)
_notice = tables.core(tables.Notice)
_insert = BulkInsert(
    _event,
    (
        "id", "type", "at", "subject", "number", "agency_id", "notice_id", "mailbox_id", "body",
        "salt", "commitment",
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class EventDraft:
    """What happened, before it gets its id, salt and place in the chain."""

    #: what happened
    type: EventType
    #: when, aware UTC
    at: datetime
    #: the agency concerned
    agency: AgencyId | None = None
    #: the notice concerned; if given, the event belongs to the notice's chain
    notice: NoticeId | None = None
    #: the mailbox concerned
    mailbox: MailboxId | None = None
    #: who did it, e.g. ``client:<id>``, ``mailbox:<id>``, ``service``
    actor: str
    #: what else was seen
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecordedEvent:
    """An event ready to be stored, or stored."""

    #: the event itself
    event: Event
    #: position in its subject's chain, from 0
    number: int
    #: canonical JSON, exactly as committed to
    body: bytes
    #: 32 random bytes
    salt: bytes
    #: the leaf's data
    commitment: bytes
    #: position in the log, once sequenced
    leaf_index: int | None = None


def record(
    draft: EventDraft, *, number: int, previous: bytes | None, entropy: Entropy
) -> RecordedEvent:
    """Give ``draft`` an id, a salt and its place after ``previous``; pure but for the dice."""
    event = Event(
        id=EventId(new_id(draft.at, entropy(ID_RANDOM))),
        type=draft.type,
        time_at=draft.at,
        agency=draft.agency,
        notice=draft.notice,
        mailbox=draft.mailbox,
        actor=draft.actor,
        facts=draft.facts,
        previous=previous,
    )
    body, salt = event.body(), entropy(SALT_SIZE)
    return RecordedEvent(
        event=event, number=number, body=body, salt=salt, commitment=commitment(salt, body)
    )


def prepare_chain(drafts: Iterable[EventDraft], *, entropy: Entropy) -> list[RecordedEvent]:
    """Record the first events of one new subject, before any transaction."""
    chain: list[RecordedEvent] = []
    for draft in drafts:
        previous = chain[-1].commitment if chain else None
        chain.append(record(draft, number=len(chain), previous=previous, entropy=entropy))
    return chain


def append_events(
    connection: Connection, drafts: Sequence[EventDraft], *, entropy: Entropy
) -> list[RecordedEvent]:
    """Continue each draft's chain and store the events; raises Conflict if another was faster.

    Nobody erases the notices before the commit, and what was erased is not continued.
    """
    _hold(connection, {draft.notice for draft in drafts if draft.notice is not None})
    heads = _heads(connection, {_subject(draft) for draft in drafts})
    recorded = []
    for draft in drafts:
        subject = _subject(draft)
        number, previous = heads.get(subject, (0, None))
        entry = record(draft, number=number, previous=previous, entropy=entropy)
        heads[subject] = (number + 1, entry.commitment)
        recorded.append(entry)
    insert_events(connection, recorded)
    return recorded


def insert_events(connection: Connection, recorded: Sequence[RecordedEvent]) -> None:
    """Store events as they are; raises Conflict where a chain has moved on meanwhile."""
    if not recorded:
        return
    try:
        _insert(connection, [_row(entry) for entry in recorded])
    except IntegrityError as error:
        raise Conflict("another event has taken this place in the chain") from error


def _row(entry: RecordedEvent) -> dict[str, Any]:
    event = entry.event
    return {
        "id": event.id,
        "type": event.type.value,
        "at": event.time_at,
        "subject": event.subject,
        "number": entry.number,
        "agency_id": event.agency,
        "notice_id": event.notice,
        "mailbox_id": event.mailbox,
        "body": entry.body.decode(),
        "salt": entry.salt,
        "commitment": entry.commitment,
    }


def events_of(connection: Connection, subject: str) -> Sequence[AnyRow]:
    """Return the rows of one subject's chain in order (body and salt are None once erased)."""
    return connection.execute(
        select(_event).where(_event.c.subject == subject).order_by(_event.c.number)
    ).all()


def _subject(draft: EventDraft) -> str:
    if draft.notice is not None:
        return f"notice:{draft.notice}"
    if draft.mailbox is not None:
        return f"mailbox:{draft.mailbox}"
    if draft.type is EventType.ASSETS_PUBLISHED:
        return SERVICE
    return f"agency:{draft.agency}"


_LAST = (
    select(_event.c.subject, func.max(_event.c.number).label("number"))
    .where(_event.c.subject.in_(bindparam("subjects", expanding=True)))
    .group_by(_event.c.subject)
    .subquery()
)
_HEADS = select(
    _event.c.subject, _event.c.number, _event.c.commitment, _event.c.body.is_(None).label("emptied")
).join(_LAST, (_event.c.subject == _LAST.c.subject) & (_event.c.number == _LAST.c.number))
#: As a row that names the notice would hold it; whoever changes the notice need not wait.
_HELD = (
    select(_notice.c.id)
    .where(_notice.c.id.in_(bindparam("notices", expanding=True)))
    .order_by(_notice.c.id)
    .with_for_update(read=True, key_share=True)
)


def _hold(connection: Connection, notices: set[NoticeId]) -> None:
    # On SQLite whoever writes does so alone.
    if notices and connection.dialect.name == "postgresql":
        connection.execute(_HELD, {"notices": sorted(notices)}).all()


def _heads(connection: Connection, subjects: set[str]) -> dict[str, tuple[int, bytes | None]]:
    rows = connection.execute(_HEADS, {"subjects": sorted(subjects)}).all()
    # Of a mailbox's chain, what named an erased notice is emptied; a notice's goes as a whole.
    if any(row.emptied and row.subject.startswith("notice:") for row in rows):
        raise Conflict("the notice was erased meanwhile")
    return {row.subject: (row.number + 1, row.commitment) for row in rows}
