"""Reading what the legal clock looks at: the events of notices, and consents of their mailboxes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from siegelpost.evidence.events import EventType
from siegelpost.notices.happened import Happened
from siegelpost.notices.legal_clock import History
from siegelpost.notices.readers import NOTICE
from siegelpost.store import tables
from siegelpost.store.columns import AnyRow

_event = tables.core(tables.Event)
_agency = tables.core(tables.Agency)

#: Types whose facts the clock reads; of the others, that they happened is enough.
_READ = frozenset(
    kind.value
    for kind in (
        EventType.ALERT_SENT,
        EventType.ALERT_DELIVERED,
        EventType.ALERT_FAILED,
        EventType.ALERT_DISPUTED,
        EventType.ALERT_RECEIVED,
        EventType.SUBMISSION_ACCEPTED,
        EventType.CONSENT_GIVEN,
        EventType.CONSENT_REVOKED,
    )
)


@dataclass(frozen=True, kw_only=True)
class OnRecord:
    """A notice and its history."""

    #: columns of the notice, and `place` of its agency
    notice: AnyRow
    #: for the clock
    history: History


def histories(connection: Connection, notices: Sequence[str]) -> dict[str, OnRecord]:
    """The history of each notice, by id; ids that do not exist are left out."""
    rows = connection.execute(_NOTICES, {"notices": sorted(set(notices))}).all()
    events: dict[str, list[AnyRow]] = {}
    subjects = {f"{kind}:{id_}" for row in rows for kind, id_ in _subjects(row)}
    for event in connection.execute(_EVENTS, {"subjects": sorted(subjects)}):
        events.setdefault(event.subject, []).append(event)
    return {
        row.id: OnRecord(
            notice=row,
            history=history_of(
                row,
                row.place,
                events.get(f"notice:{row.id}", ()),
                events.get(f"mailbox:{row.mailbox_id}", ()),
            ),
        )
        for row in rows
    }


def history_of(
    notice: AnyRow, place: str, events: Sequence[AnyRow], of_mailbox: Sequence[AnyRow]
) -> History:
    """The history that these rows of events tell: the notice's own, and its mailbox's."""
    return History(
        regime=notice.regime,
        remedy=notice.remedy,
        place=place,
        events=[_happened(event) for event in events],
        consents=_consents(notice, of_mailbox),
    )


def _subjects(row: AnyRow) -> tuple[tuple[str, str], ...]:
    return (("notice", row.id), ("mailbox", row.mailbox_id))


def _consents(notice: AnyRow, events: Sequence[AnyRow]) -> list[Happened]:
    found = []
    for event in events:
        if event.type in _CONSENTS and event.agency_id in (None, notice.agency_id):
            happened = _happened(event)
            if happened.facts.get("kind", "receive") == "receive":
                found.append(happened)
    return found


def _happened(event: AnyRow) -> Happened:
    facts = {}
    if event.type in _READ and event.body is not None:
        facts = json.loads(event.body)["facts"]
    return Happened(id=event.id, type=event.type, at=event.at, facts=facts)


_CONSENTS = frozenset({EventType.CONSENT_GIVEN.value, EventType.CONSENT_REVOKED.value})
_NOTICES = (
    select(NOTICE, _agency.c.place)
    .join(_agency, _agency.c.id == NOTICE.c.agency_id)
    .where(NOTICE.c.id.in_(bindparam("notices", expanding=True)))
)
_EVENTS = (
    select(
        _event.c.id, _event.c.type, _event.c.at, _event.c.subject, _event.c.agency_id, _event.c.body
    )
    .where(_event.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(_event.c.subject, _event.c.number)
)
