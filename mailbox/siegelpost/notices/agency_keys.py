"""Manifest keys that agencies keep themselves: bound, listed, retired (DESIGN section 5).

Each change is an event of the agency. Not here: keys that the service keeps for one (keyring).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from siegelpost.evidence.agency_key import agency_key_facts, open_agency_key_note
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AgencyId, KeyId, new_id
from siegelpost.evidence.notes import Verifier
from siegelpost.evidence.trust import Purpose, TrustedKey
from siegelpost.notices.errors import NoticeError
from siegelpost.store import tables
from siegelpost.store.events import Entropy, EventDraft, append_events

_agency = tables.core(tables.Agency)
_key = tables.core(tables.AgencyKey)


class AgencyKeyRefused(NoticeError):
    """The key cannot be bound or retired; the reason says why."""


@dataclass(frozen=True, kw_only=True)
class AgencyKey:
    """A manifest key that an agency keeps."""

    #: names the row
    id: KeyId
    #: whose
    agency_id: AgencyId
    #: public half
    verifier: Verifier
    #: since when
    created_at: datetime
    #: until when; None while in force
    retired_at: datetime | None
    #: since when somebody else may have it
    compromised_at: datetime | None

    def trusted(self) -> TrustedKey:
        """As trust files list it."""
        return TrustedKey(
            purpose=Purpose.MANIFEST,
            verifier=self.verifier,
            agency=self.agency_id,
            valid_from=self.created_at,
            valid_until=self.retired_at,
            compromised_at=self.compromised_at,
        )


def bind_agency_key(connection: Connection, note: str, *, now: datetime, entropy: Entropy) -> KeyId:
    """Bind the key of an agency's note (``evidence.agency_key``); return its id.

    Raises AgencyKeyRefused for an unknown agency or a key that is bound, EvidenceError for a note
    that does not show what it should.
    """
    agency, verifier = open_agency_key_note(note)
    if connection.execute(select(_agency.c.id).where(_agency.c.id == agency)).first() is None:
        raise AgencyKeyRefused(f"no agency {agency}")
    known = select(_key.c.id).where(_key.c.verifier == verifier.vkey)
    if connection.execute(known).first() is not None:
        raise AgencyKeyRefused("the key was bound before")
    key_id = KeyId(new_id(now, entropy(ID_RANDOM)))
    connection.execute(
        _key.insert().values(id=key_id, agency_id=agency, verifier=verifier.vkey, created_at=now)
    )
    _record(
        connection,
        EventType.AGENCY_KEY_BOUND,
        agency,
        {"key": key_id, **agency_key_facts(verifier, note)},
        now,
        entropy,
    )
    return key_id


def retire_agency_key(
    connection: Connection, key_id: str, *, now: datetime, entropy: Entropy, compromised: bool
) -> None:
    """End a key's use; AgencyKeyRefused if there is none, or it was retired and nothing is new."""
    row = connection.execute(select(_key).where(_key.c.id == key_id)).one_or_none()
    if row is None:
        raise AgencyKeyRefused(f"no key {key_id}")
    if row.retired_at is not None and not (compromised and row.compromised_at is None):
        raise AgencyKeyRefused("the key was retired before")
    connection.execute(
        update(_key)
        .where(_key.c.id == key_id)
        .values(
            retired_at=row.retired_at or now,
            compromised_at=now if compromised else row.compromised_at,
        )
    )
    reason = "compromised" if compromised else "rotated"
    _record(
        connection,
        EventType.AGENCY_KEY_RETIRED,
        AgencyId(row.agency_id),
        {"key": key_id, "vkey": row.verifier, "reason": reason},
        now,
        entropy,
    )


def agency_keys(connection: Connection, agency: str | None = None) -> Sequence[AgencyKey]:
    """All keys, or those of one agency, oldest first; retired ones included."""
    query = select(_key).order_by(_key.c.id)
    if agency is not None:
        query = query.where(_key.c.agency_id == agency)
    return [
        AgencyKey(
            id=KeyId(row.id),
            agency_id=AgencyId(row.agency_id),
            verifier=Verifier.from_vkey(row.verifier),
            created_at=row.created_at,
            retired_at=row.retired_at,
            compromised_at=row.compromised_at,
        )
        for row in connection.execute(query)
    ]


def own_keys(connection: Connection, agency: str, *, provided_at: datetime) -> list[TrustedKey]:
    """The agency's own keys that may have signed a notice provided then.

    Without those that somebody else had by then, or that were bound later.
    """
    return [
        key.trusted()
        for key in agency_keys(connection, agency)
        if key.created_at <= provided_at
        and (key.compromised_at is None or provided_at < key.compromised_at)
        and (key.retired_at is None or provided_at < key.retired_at)
    ]


def has_own_key(connection: Connection, agency: AgencyId) -> bool:
    """Whether the agency has a key of its own in force."""
    query = select(_key.c.id).where(_key.c.agency_id == agency, _key.c.retired_at.is_(None))
    return connection.execute(query.limit(1)).first() is not None


def _record(
    connection: Connection,
    kind: EventType,
    agency: AgencyId,
    facts: dict[str, Json],
    now: datetime,
    entropy: Entropy,
) -> None:
    draft = EventDraft(type=kind, at=now, agency=agency, actor="operator", facts=facts)
    append_events(connection, [draft], entropy=entropy)
