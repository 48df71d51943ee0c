"""Old notices, and erasing them, in tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from siegelpost.deadlines.calendar import day
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.erasing import Due, due, erase
from siegelpost.store import tables
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.fsck import check_store
from siegelpost.store.log import log_origin
from tests.support.portal import AGENCY, Town

_alert, _event = tables.core(tables.Alert), tables.core(tables.Event)
_notice = tables.core(tables.Notice)
#: What a reply line of a mail server may hold.
LINE = "250 2.1.5 <alice@beispiel.example> ok"


async def alert_sent(town: Town, notice: NoticeId) -> None:
    """As the alert worker and the bounce server would have left it."""
    now = town.context.now()

    def work(connection: Connection) -> None:
        alert = connection.scalar(select(_alert.c.id).where(_alert.c.notice_id == notice))
        mailbox = connection.scalar(select(_notice.c.mailbox_id).where(_notice.c.id == notice))
        draft = EventDraft(
            type=EventType.ALERT_SENT,
            at=now,
            agency=AgencyId(AGENCY),
            notice=notice,
            mailbox=mailbox,
            actor="service",
            facts={"alert": alert, "kind": "notice", "reply": [LINE]},
        )
        append_events(connection, [draft], entropy=town.context.entropy)
        done = {"state": "accepted", "finished_at": now}
        connection.execute(_alert.update().where(_alert.c.id == alert).values(done))
        connection.execute(
            tables.core(tables.AlertAttempt).insert(),
            {
                "alert_id": alert,
                "number": 1,
                "started_at": now,
                "ended_at": now,
                "outcome": "accepted",
                "evidence": {"lines": [LINE]},
            },
        )
        connection.execute(
            tables.core(tables.Blob).insert(), {"id": f"b-{alert}", "part": 0, "data": b"sealed"}
        )
        connection.execute(
            tables.core(tables.Bounce).insert(),
            {
                "id": f"bounce-{alert}",
                "alert_id": alert,
                "kind": "other",
                "effect": "none",
                "digest": bytes(32),
                "size": 6,
                "blob_id": f"b-{alert}",
                "received_at": now,
            },
        )

    await town.context.store.write(work)
    await town.sequence()


async def look(town: Town, before: date, *, agency: str = AGENCY) -> Due:
    today = day(town.context.now())
    return await town.context.store.read(lambda c: due(c, agency, before=before, today=today))


async def erase_all(town: Town, before: date, *, limit: int = 100) -> list[NoticeId]:
    context, done = town.context, list[NoticeId]()
    found = (await look(town, before)).notices
    for begin in range(0, len(found), limit):
        some = found[begin : begin + limit]

        def work(connection: Connection, some: Sequence[NoticeId] = some) -> Sequence[NoticeId]:
            now, entropy = context.now(), context.entropy
            return erase(connection, AGENCY, some, before=before, now=now, entropy=entropy)

        done += await context.store.write(work)
    await town.sequence()
    return done


async def everything(town: Town) -> dict[str, str]:
    """Each table's rows as one text."""

    def work(connection: Connection) -> dict[str, str]:
        found = {}
        for table in tables.metadata.sorted_tables:
            rows = [dict(row) for row in connection.execute(table.select()).mappings()]
            found[table.name] = "\n".join(map(str, rows))
        return found

    return await town.context.store.read(work)


async def findings(town: Town) -> list[str]:
    context = town.context
    verifiers = [context.keyring.signer(KeyPurpose.LOG).verifier]
    return [
        str(finding)
        for finding in check_store(
            context.store.database, origin=log_origin(context.origin), verifiers=verifiers
        )
    ]


async def log_of(town: Town) -> list[bytes]:
    rows = await town.context.store.read(
        lambda c: c.execute(
            select(_event.c.commitment)
            .where(_event.c.leaf_index.is_not(None))
            .order_by(_event.c.leaf_index)
        ).all()
    )
    return [bytes(row.commitment) for row in rows]


async def erased_events(town: Town) -> list[dict[str, Any]]:
    rows = await town.context.store.read(
        lambda c: c.execute(
            select(_event.c.body).where(_event.c.type == "erased").order_by(_event.c.number)
        ).all()
    )
    return [json.loads(row.body) for row in rows]
