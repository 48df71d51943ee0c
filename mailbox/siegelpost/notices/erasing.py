"""Erasing notices whose time is over: what was sealed, who was told, and what evidence says.

DESIGN section 7: bodies and salts go, commitments stay, so that the log stays whole and nothing
that others hold stops verifying. Nobody can tell any more what an emptied event said.
An agency erases what nobody needs as evidence any more (`evidence_needed_until`); that it did, and
of which notices, is an event of its own.
Not here: mailboxes, enrolments and addresses; copies in backups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, Table, case, func, select

from siegelpost.deadlines import Place, evidence_needed_until
from siegelpost.deadlines.calendar import day
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.readers import NOTICE
from siegelpost.notices.reply_keys import AgencyUnknown
from siegelpost.store import tables
from siegelpost.store.events import Entropy, EventDraft, append_events

_agency = tables.core(tables.Agency)
_alert = tables.core(tables.Alert)
_attempt = tables.core(tables.AlertAttempt)
_blob = tables.core(tables.Blob)
_bounce = tables.core(tables.Bounce)
_deadline = tables.core(tables.Deadline)
_event = tables.core(tables.Event)
_export = tables.core(tables.StaffExport)
_object = tables.core(tables.BlobObject)
_reply = tables.core(tables.Reply)
_task = tables.core(tables.Task)

#: What belongs to a notice and to nothing else, in an order that foreign keys allow.
OF_NOTICES: tuple[Table, ...] = (
    _task,
    _deadline,
    tables.core(tables.DeadlineWatch),
    tables.core(tables.ArchivedNotice),
    tables.core(tables.DelegatedHeader),
    tables.core(tables.DelegateLook),
    tables.core(tables.StaffLook),
    _export,
    _reply,
    _alert,
)

#: Events of mailboxes that name a notice.
_ABOUT_NOTICES = tuple(
    kind.value
    for kind in (
        EventType.DELEGATE_LOOKED,
        EventType.FILE_VIEWED,
        EventType.EXPORT_REQUESTED,
        EventType.EXPORT_DECIDED,
        EventType.EXPORTED,
    )
)
#: Notices that one transaction erases: their ids fit into one event.
BATCH = 100

#: Why a notice stays, in words.
TASK_OPEN = "with an open task"
ALERT_UNDER_WAY = "with a mail under way"
REPLY_WAITS = "with a reply that the agency has not fetched"
EXPORTED_LATELY = "exported, or asked for, within a year"
PROVIDED_AGAIN = "provided again by a notice that stays"
PROVIDES_AGAIN = "providing again a notice that stays"
NEEDED = "needed as evidence"
NOT_LOGGED = "waiting for the log"


@dataclass(frozen=True, kw_only=True)
class Due:
    """Which notices of an agency may be erased."""

    #: newest first
    notices: Sequence[NoticeId]
    #: how many old ones stay, by why
    kept: Mapping[str, int]


def due(
    connection: Connection,
    agency: str,
    *,
    before: date,
    today: date,
    among: Sequence[NoticeId] | None = None,
) -> Due:
    """What happened last before the day `before`, and is needed no more today; AgencyUnknown.

    Looks at all that the agency has, or only at those that `among` names.
    """
    place = connection.scalar(select(_agency.c.place).where(_agency.c.id == agency))
    if place is None:
        raise AgencyUnknown(f"no agency {agency}")
    wanted: ColumnElement[bool] = NOTICE.c.agency_id == agency
    provided_again: ColumnElement[bool] = NOTICE.c.reprovides.is_not(None)
    if among is not None:
        wanted &= NOTICE.c.id.in_(among)
        provided_again &= NOTICE.c.reprovides.in_(among)
    year_ago = datetime.combine(today - timedelta(days=365), time(), UTC)
    busy = {
        TASK_OPEN: _ids(connection, _task, _task.c.closed_at.is_(None), among),
        ALERT_UNDER_WAY: _ids(connection, _alert, _alert.c.finished_at.is_(None), among),
        REPLY_WAITS: _ids(connection, _reply, _reply.c.fetched_at.is_(None), among),
        # A court may still ask about it.
        EXPORTED_LATELY: _ids(connection, _export, _export.c.requested_at > year_ago, among),
    }
    provided_by = {
        row.reprovides: row.id
        for row in connection.execute(
            select(NOTICE.c.id, NOTICE.c.reprovides).where(
                NOTICE.c.agency_id == agency, provided_again
            )
        )
    }
    unlogged = func.sum(case((_event.c.leaf_index.is_(None), 1), else_=0)).label("unlogged")
    rows = connection.execute(
        select(
            NOTICE.c.id,
            func.max(_event.c.at).label("last"),
            unlogged,
            select(func.max(_deadline.c.deemed))
            .where(_deadline.c.notice_id == NOTICE.c.id)
            .scalar_subquery()
            .label("deemed"),
        )
        .join(_event, _event.c.notice_id == NOTICE.c.id)
        .where(wanted)
        .group_by(NOTICE.c.id)
        .order_by(NOTICE.c.id.desc())
    )
    found: dict[NoticeId, None] = {}
    looked_at: set[NoticeId] = set()
    kept: Counter[str] = Counter()
    for row in rows:
        looked_at.add(NoticeId(row.id))
        last = max(filter(None, (day(row.last), row.deemed)))
        if last >= before:
            continue
        why = next((why for why, ids in busy.items() if row.id in ids), None)
        if why is None and row.unlogged:
            why = NOT_LOGGED
        if why is None and evidence_needed_until(last, Place(place)).keep_until >= today:
            why = NEEDED
        # Newer ones come first, so it is known whether that one goes, too.
        newer = provided_by.get(row.id)
        if why is None and newer is not None and newer not in found:
            why = PROVIDED_AGAIN
        if why is None:
            found[NoticeId(row.id)] = None
        else:
            kept[why] += 1
    # That somebody got it again is evidence about the older one. Oldest first, as one may keep
    # the next; of those that `among` does not name, this was seen before.
    for older, newer in sorted(provided_by.items()):
        if newer in found and older in looked_at and older not in found:
            del found[newer]
            kept[PROVIDES_AGAIN] += 1
    return Due(notices=tuple(found), kept=kept)


def objects_of(connection: Connection, notices: Sequence[NoticeId]) -> dict[NoticeId, str]:
    """Which objects beside the database hold packages of `notices`: who erases removes them.

    After the commit, never before. The sweep is for single orphans and refuses so many.
    """
    rows = connection.execute(
        select(NOTICE.c.id, _object.c.name)
        .join(_object, _object.c.id == NOTICE.c.package_id)
        .where(NOTICE.c.id.in_(notices))
    )
    return {NoticeId(row.id): row.name for row in rows}


def erase(
    connection: Connection,
    agency: str,
    wanted: Sequence[NoticeId],
    *,
    before: date,
    now: datetime,
    entropy: Entropy,
) -> Sequence[NoticeId]:
    """Erase those of `wanted` that are due still, and record that; which ones. AgencyUnknown.

    `wanted` are at most BATCH of what `due` found, in its order. It looks at no others, so that
    all of an agency with very many take no longer for each than those of one with few.
    """
    # Whoever is writing to one of them came before, and then it stays, or finds none afterwards.
    locked = connection.execute(
        select(NOTICE.c.id, NOTICE.c.mailbox_id)
        .where(NOTICE.c.id.in_(wanted))
        .order_by(NOTICE.c.id)
        .with_for_update()
    ).all()
    owners = {NoticeId(row.id): row.mailbox_id for row in locked}
    notices = due(connection, agency, before=before, today=day(now), among=tuple(owners)).notices
    if not notices:
        return ()
    alerts = select(_alert.c.id).where(_alert.c.notice_id.in_(notices)).scalar_subquery()
    of_notices = NOTICE.c.id.in_(notices)
    for column in (
        select(NOTICE.c.package_id).where(of_notices),
        select(NOTICE.c.cover_id).where(of_notices),
        select(_reply.c.blob_id).where(_reply.c.notice_id.in_(notices)),
        select(_bounce.c.blob_id).where(_bounce.c.alert_id.in_(alerts)),
    ):
        for table in (_blob, _object):
            connection.execute(table.delete().where(table.c.id.in_(column.scalar_subquery())))
    for table in (_attempt, _bounce):
        connection.execute(table.delete().where(table.c.alert_id.in_(alerts)))
    for table in OF_NOTICES:
        connection.execute(table.delete().where(table.c.notice_id.in_(notices)))
    # Newest first, since older ones may be named by newer.
    for notice in notices:
        connection.execute(NOTICE.delete().where(NOTICE.c.id == notice))
        # Nor does anything say any more whose it was.
        connection.execute(
            _event.update()
            .where(_event.c.subject == f"notice:{notice}")
            .values(body=None, salt=None, mailbox_id=None)
        )
        connection.execute(
            _event.update()
            .where(
                _event.c.subject == f"mailbox:{owners[notice]}",
                _event.c.type.in_(_ABOUT_NOTICES),
                _event.c.body.contains(f'"{notice}"'),
            )
            .values(body=None, salt=None)
        )
    append_events(
        connection,
        [
            EventDraft(
                type=EventType.ERASED,
                at=now,
                agency=AgencyId(agency),
                actor="operator",
                facts={"notices": list(notices), "last_event_before": before.isoformat()},
            )
        ],
        entropy=entropy,
    )
    return notices


def _ids(
    connection: Connection,
    table: Table,
    which: ColumnElement[bool],
    among: Sequence[NoticeId] | None,
) -> set[str]:
    query = select(table.c.notice_id).where(which).distinct()
    if among is not None:
        query = query.where(table.c.notice_id.in_(among))
    return set(connection.scalars(query))
