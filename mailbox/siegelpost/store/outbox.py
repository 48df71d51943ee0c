"""The outbox: mails that wait, and the leases under which workers take them.

DESIGN sections 4.5, 8 and 10: an alert's row commits together with its notice; a worker claims it
under a lease, and records how it ended with `siegelpost.store.alert_outcomes`.
Deciding what an outcome is belongs to `siegelpost.alerts`, as does writing events.

After a commit that queued mail, wake the worker of this process: `store.alerts_queued.set()`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy import insert as sql_insert
from sqlalchemy import update as sql_update

from siegelpost.evidence.ids import (
    ID_RANDOM,
    AgencyId,
    AlertId,
    MailboxId,
    NoticeId,
    new_id,
)
from siegelpost.store import tables


class AlertKind(StrEnum):
    """What a mail in the outbox is for."""

    NOTICE = "notice"
    REMINDER = "reminder"
    DEADLINE_REMINDER = "deadline-reminder"
    ADDRESS_CODE = "address-code"
    LOGIN_CODE = "login-code"
    ADDRESS_CHANGE_CODE = "address-change-code"
    ADDRESS_CHANGED = "address-changed"
    INVITATION_ACCEPTED = "invitation-accepted"
    MANDATE_CHANGED = "mandate-changed"
    ACCESS_CHANGED = "access-changed"


#: Mails about the mailbox itself, most with a code: about no notice, and never encrypted.
CODE_KINDS = frozenset(
    {
        AlertKind.ADDRESS_CODE,
        AlertKind.LOGIN_CODE,
        AlertKind.ADDRESS_CHANGE_CODE,
        AlertKind.ADDRESS_CHANGED,
        AlertKind.INVITATION_ACCEPTED,
        AlertKind.MANDATE_CHANGED,
        AlertKind.ACCESS_CHANGED,
    }
)


class AlertState(StrEnum):
    """Where an alert stands; `siegelpost.alerts.lifecycle` holds the transitions."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given-up"


class Lane(StrEnum):
    """Which worker takes an alert."""

    #: nothing but composing and submitting
    PLAIN = "plain"
    #: signed or encrypted with OpenPGP, which costs processes: a lane of its own
    OPENPGP = "openpgp"


#: How long submission of a kind is tried before it is given up.
GIVE_UP_AFTER: Mapping[AlertKind, timedelta] = {
    AlertKind.NOTICE: timedelta(hours=48),
    AlertKind.REMINDER: timedelta(hours=48),
    AlertKind.DEADLINE_REMINDER: timedelta(hours=48),
    # The codes themselves live no longer.
    AlertKind.ADDRESS_CODE: timedelta(minutes=30),
    AlertKind.LOGIN_CODE: timedelta(minutes=30),
    AlertKind.ADDRESS_CHANGE_CODE: timedelta(minutes=30),
    AlertKind.ADDRESS_CHANGED: timedelta(hours=48),
    AlertKind.INVITATION_ACCEPTED: timedelta(hours=48),
    AlertKind.MANDATE_CHANGED: timedelta(hours=48),
    AlertKind.ACCESS_CHANGED: timedelta(hours=48),
}


@dataclass(frozen=True, kw_only=True)
class ClaimedAlert:
    """An alert under lease, with everything that its mail needs."""

    #: the alert
    id: AlertId
    #: what the mail is for
    kind: AlertKind
    #: state before this claim; SUBMITTING means that another worker vanished in the middle
    found: AlertState
    #: number of this attempt, from 1; together with `holder` the proof of the lease
    attempt: int
    #: who claimed it
    holder: str
    #: when others may claim it
    lease_until: datetime
    #: when it was queued
    created_at: datetime
    #: after this no further attempt begins
    give_up_at: datetime
    #: agency in whose name the mail goes out, if any
    agency: AgencyId | None
    #: its name as citizens know it
    agency_name: str | None
    #: for questions
    agency_phone: str | None
    #: its mail address for From
    agency_sender: str | None
    #: the notice it is about, if any
    notice: NoticeId | None
    #: when that notice became retrievable
    provided_at: datetime | None
    #: whose mailbox, if any yet
    mailbox: MailboxId | None
    #: name to greet with, if the citizen allowed it
    salutation: str | None
    #: language of the mail besides German
    language: str
    #: row of the address
    address_id: str
    #: the address as it is now
    email: str
    #: since when the address is known to be undeliverable
    address_failed_at: datetime | None
    #: row of the citizen's confirmed OpenPGP key, if there is one
    openpgp_key_id: str | None = None


def alert_row(
    *,
    alert_id: AlertId,
    kind: AlertKind,
    address_id: str,
    now: datetime,
    agency_id: str | None = None,
    notice_id: str | None = None,
    mailbox_id: str | None = None,
    language: str | None = None,
    due_at: datetime | None = None,
    give_up_after: timedelta | None = None,
) -> dict[str, Any]:
    """Values of a new row of the alert table, for executemany; due at once unless `due_at`."""
    due = now if due_at is None else due_at
    return {
        "id": alert_id,
        "kind": kind.value,
        "state": AlertState.QUEUED.value,
        "agency_id": agency_id,
        "notice_id": notice_id,
        "mailbox_id": mailbox_id,
        "address_id": address_id,
        "language": language,
        "lane": Lane.PLAIN.value,
        "created_at": now,
        "due_at": due,
        "give_up_at": due + (GIVE_UP_AFTER[kind] if give_up_after is None else give_up_after),
        "lease_holder": None,
        "lease_until": None,
        "attempts": 0,
        "message_id": None,
        "finished_at": None,
        "confirm_by": None,
    }


def queue_alert(
    connection: Connection,
    *,
    kind: AlertKind,
    address_id: str,
    now: datetime,
    entropy: Callable[[int], bytes],
    agency_id: str | None = None,
    notice_id: str | None = None,
    mailbox_id: str | None = None,
    language: str | None = None,
    due_at: datetime | None = None,
    give_up_after: timedelta | None = None,
) -> AlertId:
    """Put one mail into the outbox and return its new id."""
    alert_id = AlertId(new_id(now, entropy(ID_RANDOM)))
    row = alert_row(
        alert_id=alert_id,
        kind=kind,
        address_id=address_id,
        now=now,
        agency_id=agency_id,
        notice_id=notice_id,
        mailbox_id=mailbox_id,
        language=language,
        due_at=due_at,
        give_up_after=give_up_after,
    )
    connection.execute(sql_insert(_alert), [row])
    return alert_id


def claim_alerts(
    connection: Connection,
    *,
    holder: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    lanes: Sequence[Lane] = tuple(Lane),
    elsewhere: Callable[[ClaimedAlert], bool] | None = None,
) -> list[ClaimedAlert]:
    """Take up to `limit` due alerts for `holder` until `now + lease`, the longest due first.

    PostgreSQL skips rows that another claim has locked; SQLite has one writer at a time.
    Either way the row's `due_at` moves to the end of the lease, so nobody else finds it before.
    Those of which `elsewhere` says so are put into the OpenPGP lane instead, untouched otherwise;
    all are queued as plain, so that dispatch need not know.
    """
    until = now + lease
    rows: list[Any] = []
    for lane in lanes:
        due = {"now": now, "lane": lane.value, "limit": limit - len(rows)}
        for _ in range(_SORTING_ROUNDS if due["limit"] else 0):
            found = connection.execute(_CLAIMABLE, due).all()
            moving = {
                row.id
                for row in found
                if elsewhere is not None and elsewhere(_claimed(row, holder, until))
            }
            rows += [row for row in found if row.id not in moving]
            if not moving:
                break
            connection.execute(_MOVE, {"ids": sorted(moving)})
            if rows:
                break
    if not rows:
        return []
    connection.execute(
        _TAKE,
        [
            {"alert": row.id, "attempt": row.attempts + 1, "holder": holder, "until": until}
            for row in rows
        ],
    )
    return [_claimed(row, holder, until) for row in rows]


def holders(connection: Connection) -> set[str]:
    """Return who holds leases of open alerts."""
    held = (_alert.c.finished_at.is_(None), _alert.c.lease_holder.is_not(None))
    return set(connection.execute(select(_alert.c.lease_holder).where(*held).distinct()).scalars())


def give_back(connection: Connection, gone: Collection[str], *, now: datetime) -> int:
    """Make the alerts of holders that no longer exist due at once; return how many.

    They stay in SUBMITTING, as if their lease had ended: their mail may be out already.
    """
    return connection.execute(
        sql_update(_alert)
        .where(
            _alert.c.state == AlertState.SUBMITTING.value,
            _alert.c.lease_holder.in_(sorted(gone)),
            _alert.c.due_at > now,
        )
        .values(due_at=now, lease_until=now)
    ).rowcount


def next_due_at(connection: Connection) -> datetime | None:
    """Return when the next open alert becomes due, or None if the outbox is empty."""
    due: datetime | None = connection.execute(
        select(func.min(_alert.c.due_at)).where(_alert.c.finished_at.is_(None))
    ).scalar_one()
    return due


_alert = tables.core(tables.Alert)
_address = tables.core(tables.Address)
_agency = tables.core(tables.Agency)
_notice = tables.core(tables.Notice)
_mailbox = tables.core(tables.Mailbox)
_enrolment = tables.core(tables.Enrolment)
_openpgp_key = tables.core(tables.OpenPgpKey)

#: How many handfuls of alerts a claim sorts into the other lane before it lets others write.
_SORTING_ROUNDS = 10

_CLAIMABLE = (
    select(
        _alert.c.id,
        _alert.c.kind,
        _alert.c.state,
        _alert.c.attempts,
        _alert.c.created_at,
        _alert.c.give_up_at,
        _alert.c.agency_id,
        _alert.c.notice_id,
        _alert.c.mailbox_id,
        _alert.c.address_id,
        _agency.c.name.label("agency_name"),
        _agency.c.phone.label("agency_phone"),
        _agency.c.sender.label("agency_sender"),
        _notice.c.provided_at,
        _mailbox.c.salutation_allowed,
        _enrolment.c.salutation,
        func.coalesce(_alert.c.language, _mailbox.c.language, "de").label("language"),
        _address.c.email,
        _address.c.failed_at.label("address_failed_at"),
        _openpgp_key.c.id.label("openpgp_key_id"),
    )
    .select_from(
        _alert.join(_address, _address.c.id == _alert.c.address_id)
        .outerjoin(_agency, _agency.c.id == _alert.c.agency_id)
        .outerjoin(_mailbox, _mailbox.c.id == _alert.c.mailbox_id)
        .outerjoin(_notice, _notice.c.id == _alert.c.notice_id)
        .outerjoin(_enrolment, _enrolment.c.id == _notice.c.enrolment_id)
        .outerjoin(
            _openpgp_key,
            (_openpgp_key.c.mailbox_id == _alert.c.mailbox_id)
            & _openpgp_key.c.confirmed_at.is_not(None)
            & _openpgp_key.c.removed_at.is_(None),
        )
    )
    .where(
        _alert.c.finished_at.is_(None),
        _alert.c.due_at <= bindparam("now"),
        _alert.c.lane == bindparam("lane"),
    )
    .order_by(_alert.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(of=_alert, skip_locked=True)
)

_TAKE = (
    sql_update(_alert)
    .where(_alert.c.id == bindparam("alert"))
    .values(
        state=AlertState.SUBMITTING.value,
        attempts=bindparam("attempt"),
        lease_holder=bindparam("holder"),
        lease_until=bindparam("until"),
        due_at=bindparam("until"),
    )
)


_MOVE = (
    sql_update(_alert)
    .where(_alert.c.id.in_(bindparam("ids", expanding=True)))
    .values(lane=Lane.OPENPGP.value)
)


def _claimed(row: Any, holder: str, until: datetime) -> ClaimedAlert:
    return ClaimedAlert(
        id=AlertId(row.id),
        kind=AlertKind(row.kind),
        found=AlertState(row.state),
        attempt=row.attempts + 1,
        holder=holder,
        lease_until=until,
        created_at=row.created_at,
        give_up_at=row.give_up_at,
        agency=row.agency_id,
        agency_name=row.agency_name,
        agency_phone=row.agency_phone,
        agency_sender=row.agency_sender,
        notice=row.notice_id,
        provided_at=row.provided_at,
        mailbox=row.mailbox_id,
        salutation=row.salutation if row.salutation_allowed else None,
        language=row.language,
        address_id=row.address_id,
        email=row.email,
        address_failed_at=row.address_failed_at,
        openpgp_key_id=row.openpgp_key_id,
    )
