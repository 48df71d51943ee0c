"""Eligibility: may this client deliver to this enrolment now, and with which keys?

One indexed query before the work, and one for a whole group inside the transaction, because
consent, keys and addresses may change while a notice is being sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select

from siegelpost.evidence.ids import AgencyId, EnrolmentId, KeyId, MailboxId
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.store import tables
from siegelpost.store.quick_select import QuickSelect

_client = tables.core(tables.ApiClient)
_enrolment = tables.core(tables.Enrolment)
_mailbox = tables.core(tables.Mailbox)
_consent = tables.core(tables.Consent)
_address = tables.core(tables.Address)
_key = tables.core(tables.MailboxKey)
_notice = tables.core(tables.Notice)
_mandate = tables.core(tables.Mandate)
_delegate_key = _key.alias("delegate_key")

#: Most keys of a mailbox that a notice is sealed to; more are current only by mistake.
MAX_KEYS = 4


@dataclass(frozen=True, kw_only=True)
class Sender:
    """An authenticated client of an agency."""

    #: OAuth client id
    client_id: str
    #: the only agency that it acts for
    agency_id: AgencyId

    @property
    def actor(self) -> str:
        """Who did it, as events name it."""
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class DelegateKey:
    """The key of somebody who may see the notice under a mandate."""

    #: by which right
    mandate: str
    #: its id
    key: KeyId
    #: 1216 bytes
    recipient: bytes
    #: titles | read | reply
    role: str
    #: from when on
    starts_at: datetime
    #: until before when, if it ends
    ends_at: datetime | None

    def in_force(self, now: datetime) -> bool:
        """Whether the period of the mandate runs."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a notice may go."""

    #: the agency's reference for the citizen
    enrolment_id: EnrolmentId
    #: the citizen's box
    mailbox_id: MailboxId
    #: current keys, oldest first: id and 1216 bytes of the recipient
    keys: tuple[tuple[KeyId, bytes], ...]
    #: where the alert goes
    address_id: str
    #: language of the alert
    language: str
    #: of mandates that the citizen gave, whatever their period
    delegates: tuple[DelegateKey, ...] = ()


_LIVE_ENROLMENT = _enrolment.c.state == "active"
_LIVE_CONSENT = and_(
    _consent.c.enrolment_id == _enrolment.c.id,
    _consent.c.mailbox_id == _mailbox.c.id,
    _consent.c.kind == "receive",
    _consent.c.revoked_at.is_(None),
)
_LIVE_ADDRESS = and_(
    _address.c.mailbox_id == _mailbox.c.id,
    _address.c.confirmed_at.is_not(None),
    _address.c.removed_at.is_(None),
)
_LIVE_KEY = and_(_key.c.mailbox_id == _mailbox.c.id, _key.c.retired_at.is_(None))
_LIVE_MANDATE = and_(
    _mandate.c.mailbox_id == _mailbox.c.id,
    _mandate.c.confirmed_at.is_not(None),
    _mandate.c.ended_at.is_(None),
    or_(_mandate.c.agency_id.is_(None), _mandate.c.agency_id == _client.c.agency_id),
)

#: Rows about sender, enrolment and an earlier dispatch, for `earlier` and `destination`.
LOOK = QuickSelect(
    select(
        _client.c.disabled_at,
        _enrolment.c.id.label("enrolment_id"),
        _enrolment.c.state.label("enrolment_state"),
        _mailbox.c.id.label("mailbox_id"),
        _mailbox.c.state.label("mailbox_state"),
        _mailbox.c.language,
        _consent.c.id.label("consent_id"),
        _address.c.id.label("address_id"),
        _address.c.failed_at.label("address_failed_at"),
        _key.c.id.label("key_id"),
        _key.c.recipient,
        _mandate.c.id.label("mandate_id"),
        _mandate.c.role,
        _mandate.c.starts_at,
        _mandate.c.ends_at,
        _delegate_key.c.id.label("delegate_key_id"),
        _delegate_key.c.recipient.label("delegate_recipient"),
        _notice.c.id.label("notice_id"),
        _notice.c.request_digest,
        _notice.c.documents,
        _notice.c.acceptance,
        _notice.c.provided_at,
    )
    .select_from(
        _client.outerjoin(
            _enrolment,
            and_(
                _enrolment.c.id == bindparam("enrolment"),
                _enrolment.c.agency_id == _client.c.agency_id,
            ),
        )
        .outerjoin(_mailbox, _mailbox.c.id == _enrolment.c.mailbox_id)
        .outerjoin(_consent, _LIVE_CONSENT)
        .outerjoin(_address, _LIVE_ADDRESS)
        .outerjoin(_key, _LIVE_KEY)
        .outerjoin(_mandate, _LIVE_MANDATE)
        .outerjoin(
            _delegate_key,
            and_(
                _delegate_key.c.mailbox_id == _mandate.c.delegate_id,
                _delegate_key.c.retired_at.is_(None),
            ),
        )
        .outerjoin(
            _notice,
            and_(
                _notice.c.client_id == _client.c.id,
                _notice.c.idempotency_key == bindparam("idempotency_key"),
            ),
        )
    )
    .where(_client.c.id == bindparam("client"), _client.c.agency_id == bindparam("agency"))
)

_STILL = (
    select(
        _enrolment.c.id.label("enrolment_id"),
        _key.c.id.label("key_id"),
        _address.c.id.label("address_id"),
    )
    .select_from(
        _enrolment.join(_mailbox, _mailbox.c.id == _enrolment.c.mailbox_id)
        .join(_consent, _LIVE_CONSENT)
        .join(_address, and_(_LIVE_ADDRESS, _address.c.failed_at.is_(None)))
        .join(_key, _LIVE_KEY)
    )
    .where(
        _enrolment.c.id.in_(bindparam("enrolments", expanding=True)),
        _LIVE_ENROLMENT,
        _mailbox.c.state == "active",
    )
    # PostgreSQL: who revokes or retires meanwhile waits for our commit, or we see it.
    .with_for_update(read=True, of=(_mailbox, _consent, _address, _key))
)


def asked(sender: Sender, enrolment_id: str, idempotency_key: str) -> dict[str, str]:
    """Return the parameters of ``LOOK``."""
    return {
        "client": sender.client_id,
        "agency": sender.agency_id,
        "enrolment": enrolment_id,
        "idempotency_key": idempotency_key,
    }


def look(
    connection: Connection, sender: Sender, enrolment_id: str, idempotency_key: str
) -> Sequence[Any]:
    """Return the rows of ``LOOK`` as of a transaction."""
    return connection.execute(LOOK.statement, asked(sender, enrolment_id, idempotency_key)).all()


def earlier(rows: Sequence[Any]) -> Any:
    """Return the row of the notice that this client made with this idempotency key, if any."""
    return rows[0] if rows and rows[0].notice_id is not None else None


def destination(rows: Sequence[Any]) -> Destination:
    """Return where the notice may go; Refusal with the first reason why it may not."""
    if not rows or rows[0].disabled_at is not None:
        raise Refusal(RefusalCode.UNKNOWN_CLIENT, "the client is not registered, or disabled")
    first = rows[0]
    if first.enrolment_id is None:
        raise Refusal(RefusalCode.ENROLMENT_UNKNOWN, "the agency has no such enrolment")
    if first.enrolment_state != "active" or first.mailbox_state != "active":
        raise Refusal(RefusalCode.MAILBOX_INACTIVE, "the mailbox is not active")
    if first.consent_id is None:
        raise Refusal(RefusalCode.CONSENT_MISSING, "no consent to electronic delivery in force")
    addresses = {row.address_id: row for row in rows if row.address_id is not None}
    if not addresses:
        raise Refusal(RefusalCode.ADDRESS_MISSING, "no confirmed e-mail address")
    usable = [key for key, row in addresses.items() if row.address_failed_at is None]
    if not usable:
        raise Refusal(RefusalCode.ADDRESS_FAILED, "mail to the address is permanently refused")
    keys = sorted({row.key_id: row.recipient for row in rows if row.key_id is not None}.items())
    if not keys or len(keys) > MAX_KEYS:
        raise Refusal(RefusalCode.KEY_MISSING, f"{len(keys)} current keys, need 1 to {MAX_KEYS}")
    return Destination(
        enrolment_id=EnrolmentId(first.enrolment_id),
        mailbox_id=MailboxId(first.mailbox_id),
        keys=tuple((KeyId(key), recipient) for key, recipient in keys),
        # Ids grow with time: the address confirmed last.
        address_id=max(usable),
        language=first.language,
        delegates=_delegates(rows),
    )


def still(connection: Connection, destinations: Sequence[Destination]) -> list[bool]:
    """Tell for each destination whether it holds unchanged in this transaction."""
    wanted = sorted({destination.enrolment_id for destination in destinations})
    # Lists of few lengths make few texts, which the database prepares once.
    wanted += wanted[-1:] * ((1 << (len(wanted) - 1).bit_length()) - len(wanted))
    live: dict[str, tuple[set[str], set[str]]] = {}
    for row in connection.execute(_STILL, {"enrolments": wanted}):
        keys, addresses = live.setdefault(row.enrolment_id, (set(), set()))
        keys.add(row.key_id)
        addresses.add(row.address_id)
    nothing: tuple[set[str], set[str]] = (set(), set())
    ended = _ended(connection, destinations)
    return [
        live.get(destination.enrolment_id, nothing)[0] == {key for key, _ in destination.keys}
        and destination.address_id in live.get(destination.enrolment_id, nothing)[1]
        and ended.isdisjoint(delegate.mandate for delegate in destination.delegates)
        for destination in destinations
    ]


def _delegates(rows: Sequence[Any]) -> tuple[DelegateKey, ...]:
    # Ids grow with time: of several keys of one delegate the newest counts.
    newest = sorted(
        (row for row in rows if row.delegate_key_id is not None),
        key=lambda row: row.delegate_key_id,
    )
    found = {row.mandate_id: row for row in newest}
    return tuple(
        DelegateKey(
            mandate=mandate,
            key=KeyId(row.delegate_key_id),
            recipient=bytes(row.delegate_recipient),
            role=row.role,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for mandate, row in sorted(found.items())
    )


def _ended(connection: Connection, destinations: Sequence[Destination]) -> set[str]:
    """The mandates of ``destinations`` that have ended since the look.

    Whoever ends one locks the mailbox first, and so do we, in the statement before this one: an
    end is either seen here, or comes after our commit and deletes what we stored.
    """
    mandates = {delegate.mandate for each in destinations for delegate in each.delegates}
    if not mandates:
        return set()
    gone = select(_mandate.c.id).where(
        _mandate.c.id.in_(sorted(mandates)), _mandate.c.ended_at.is_not(None)
    )
    return set(connection.scalars(gone))
