"""Erasing: of a notice whose time is over nothing stays but its places in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from siegelpost.deadlines.calendar import day
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.agency_replies import fetch_reply
from siegelpost.notices.eligibility import Sender
from siegelpost.notices.erasing import (
    ALERT_UNDER_WAY,
    EXPORTED_LATELY,
    NEEDED,
    OF_NOTICES,
    PROVIDED_AGAIN,
    PROVIDES_AGAIN,
    REPLY_WAITS,
    TASK_OPEN,
    Due,
    erase,
)
from siegelpost.notices.reply_keys import AgencyUnknown
from siegelpost.service.demo.browser import PortalRefused
from siegelpost.staff.members import invite
from siegelpost.staff.roles import Role
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.errors import Conflict
from siegelpost.store.events import (
    EventDraft,
    RecordedEvent,
    append_events,
    events_of,
    insert_events,
    record,
)
from tests.support.console import office
from tests.support.erasing import (
    LINE,
    alert_sent,
    erase_all,
    erased_events,
    everything,
    findings,
    log_of,
    look,
)
from tests.support.portal import AGENCY, CLIENT, OTHER_AGENCY, PASSPHRASE, Town
from tests.support.reply_street import ALICE, Street

_alert, _event = tables.core(tables.Alert), tables.core(tables.Event)
_notice, _task = tables.core(tables.Notice), tables.core(tables.Task)
_export = tables.core(tables.StaffExport)


def test_no_table_that_names_notices_is_forgotten() -> None:
    naming = {
        table.name
        for table in tables.metadata.sorted_tables
        if any(key.column.table is _notice for key in table.foreign_keys)
    }
    assert naming - {"notice"} == {table.name for table in OF_NOTICES}


async def test_nothing_of_an_old_notice_stays_but_its_places_in_the_log(
    street: Street, clock: VirtualClock
) -> None:
    town, old = street.town, street.notice
    await alert_sent(town, old)
    bob = await street.by_bob()
    by_alice, by_bob = await street.sender.make(), await bob.make()
    await street.sender.send(by_alice)
    await bob.send(by_bob)
    # What the agency has not fetched is not taken away from it.
    tomorrow = day(town.context.now()) + timedelta(days=1)
    assert await look(town, tomorrow) == Due(notices=(), kept={REPLY_WAITS: 1})
    for made in (by_alice, by_bob):
        await fetch_reply(town.context, Sender(client_id=CLIENT, agency_id=AGENCY), made.said.reply)
    await bob.who.send("POST", f"{bob.base}/retrieve")
    await street.alice.send("POST", f"/notices/{old}/retrieve")
    at_desk = office(town.context)
    clerk = await at_desk.desk(Role.CLERK)
    assert (await clerk.get(f"/console/notices/{old}")).status_code == 200
    await at_desk.close()
    await town.sequence()
    leaves = await log_of(town)

    clock.advance(timedelta(days=3 * 366))
    street.alice = again = town.citizen()
    await again.log_in(ALICE, PASSPHRASE)
    young = await town.dispatch(street.letter, "key-2")
    await alert_sent(town, young)
    text = await everything(town)
    assert LINE in text["event"]
    assert LINE in text["alert_attempt"]
    before = day(town.context.now()) - timedelta(days=30)
    assert (await look(town, before)).notices == (old,)
    assert await erase_all(town, before) == [old]

    text = await everything(town)
    named = {name for name, rows in text.items() if str(old) in rows}
    # The places in the log, and that it was erased.
    assert named == {"event"}
    assert {name for name, rows in text.items() if by_bob.said.reply in rows} == set()
    rows = await town.context.store.read(
        lambda c: c.execute(select(_event).where(_event.c.subject == f"notice:{old}")).all()
    )
    assert {(row.body, row.salt, row.mailbox_id) for row in rows} == {(None, None, None)}
    looks = await town.context.store.read(
        lambda c: c.execute(
            select(_event.c.type, _event.c.body).where(
                _event.c.type.in_(("delegate-looked", "file-viewed"))
            )
        ).all()
    )
    assert {(row.type, row.body) for row in looks} == {
        ("delegate-looked", None),
        ("file-viewed", None),
    }
    (last,) = await erased_events(town)
    assert last["facts"]["notices"] == [old]
    assert last["facts"]["last_event_before"] == before.isoformat()
    assert (last["agency"], last["mailbox"], last["actor"]) == (AGENCY, None, "operator")

    # To the citizen it is as if it had never been; the log is what it was, and grew.
    with pytest.raises(PortalRefused, match="not-found"):
        await again.get(f"/notices/{old}/facts")
    (line,) = (await again.get("/inbox/notices"))["notices"]
    assert line["id"] == young
    assert (await log_of(town))[: len(leaves)] == leaves
    verify_receipt(await again.receipt(young), town.trust())
    # Nothing is left to do; `town` lets fsck look at all of it at its end.
    assert await erase_all(town, before) == []


async def test_what_is_needed_stays(street: Street, clock: VirtualClock) -> None:
    town, context = street.town, street.town.context
    begun = day(context.now())
    later = begun + timedelta(days=1)
    # Its mail is not sent yet.
    assert await look(town, later) == Due(notices=(), kept={ALERT_UNDER_WAY: 1})
    await alert_sent(town, street.notice)
    # A year to object without instruction, and another to ask for reinstatement.
    assert await look(town, later) == Due(notices=(), kept={NEEDED: 1})
    clock.advance(timedelta(days=2 * 365 - 3))
    assert await look(town, later) == Due(notices=(), kept={NEEDED: 1})
    clock.advance(timedelta(days=10))
    assert (await look(town, later)).notices == (street.notice,)
    # Something happened on the day itself, and other agencies have no such notice.
    assert await look(town, begun) == Due(notices=(), kept={})
    assert await look(town, later, agency=OTHER_AGENCY) == Due(notices=(), kept={})
    with pytest.raises(AgencyUnknown):
        await look(town, later, agency="nobody")

    def open_task(connection: Connection) -> None:
        connection.execute(
            _task.insert().values(
                id="task-1",
                agency_id=AGENCY,
                kind="reprovide",
                notice_id=street.notice,
                facts={},
                opened_at=context.now(),
                due_at=context.now(),
            )
        )

    invited = await invite(context, AgencyId(AGENCY), name="Erika Muster", roles=(Role.LEGAL,))

    def asked_for(connection: Connection) -> None:
        connection.execute(
            _export.insert().values(
                id="export-1",
                agency_id=AGENCY,
                notice_id=street.notice,
                kind="court-file",
                purpose="court",
                reason="Klage",
                requested_by=invited.id,
                requested_at=context.now() - timedelta(days=300),
                expires_at=context.now() - timedelta(days=293),
            )
        )

    await context.store.write(asked_for)
    assert await look(town, later) == Due(notices=(), kept={EXPORTED_LATELY: 1})
    await context.store.write(lambda c: c.execute(_export.delete()))
    await context.store.write(open_task)
    assert await look(town, later) == Due(notices=(), kept={TASK_OPEN: 1})
    assert await erase_all(town, later) == []
    assert await erased_events(town) == []
    await context.store.write(lambda c: c.execute(_task.delete()))


async def test_old_ones_go_some_at_a_time_and_what_was_provided_again_goes_last(
    street: Street, clock: VirtualClock
) -> None:
    town = street.town
    await alert_sent(town, street.notice)
    newer = []
    for number in (2, 3):
        clock.advance(timedelta(seconds=1))
        newer.append(await town.dispatch(street.letter, f"key-{number}"))
        await alert_sent(town, newer[-1])
    await link(town, newer[0], street.notice)
    begun = day(town.context.now())
    clock.advance(timedelta(days=3 * 366))
    before = begun + timedelta(days=10)
    newest = [newer[1], newer[0], street.notice]
    assert list((await look(town, before)).notices) == newest
    # A notice that stays keeps the one that it provides again.
    await set_alert(town, newer[0], finished_at=None)
    kept = {ALERT_UNDER_WAY: 1, PROVIDED_AGAIN: 1}
    assert await look(town, before) == Due(notices=(newer[1],), kept=kept)
    await set_alert(town, newer[0], finished_at=town.context.now())
    # And the one by which it was provided again.
    await set_alert(town, street.notice, finished_at=None)
    kept = {ALERT_UNDER_WAY: 1, PROVIDES_AGAIN: 1}
    assert await look(town, before) == Due(notices=(newer[1],), kept=kept)
    await set_alert(town, street.notice, finished_at=town.context.now())
    assert await erase_all(town, before, limit=1) == newest
    assert [event["facts"]["notices"] for event in await erased_events(town)] == [
        [notice] for notice in newest
    ]


async def test_one_that_was_provided_again_by_an_erased_one_is_sound(
    street: Street, clock: VirtualClock
) -> None:
    town = street.town
    await alert_sent(town, street.notice)
    clock.advance(timedelta(seconds=1))
    newer = await town.dispatch(street.letter, "key-2")
    await alert_sent(town, newer)
    await link(town, newer, street.notice)
    before = day(town.context.now()) + timedelta(days=1)
    clock.advance(timedelta(days=3 * 366))
    now, entropy = town.context.now(), town.context.entropy
    # As where something happens to the older one before its turn comes.
    erased = await town.context.store.write(
        lambda c: erase(c, AGENCY, [newer], before=before, now=now, entropy=entropy)
    )
    assert list(erased) == [newer]
    await town.sequence()
    assert await findings(town) == []


async def link(town: Town, new: NoticeId, old: NoticeId) -> None:
    """As reproviding does."""
    context = town.context

    def work(connection: Connection) -> None:
        connection.execute(_notice.update().where(_notice.c.id == new).values(reprovides=old))
        draft = EventDraft(
            type=EventType.REPROVIDED,
            at=context.now(),
            agency=AgencyId(AGENCY),
            notice=old,
            actor="service",
            facts={"notice": new},
        )
        append_events(connection, [draft], entropy=context.entropy)

    await context.store.write(work)
    await town.sequence()


async def set_alert(town: Town, notice: NoticeId, **values: Any) -> None:
    await town.context.store.write(
        lambda c: c.execute(_alert.update().where(_alert.c.notice_id == notice).values(values))
    )


async def test_what_came_while_a_notice_was_being_erased_is_found(
    street: Street, clock: VirtualClock
) -> None:
    town = street.town
    await alert_sent(town, street.notice)
    before = day(town.context.now()) + timedelta(days=1)
    clock.advance(timedelta(days=3 * 366))
    assert await erase_all(town, before) == [street.notice]
    draft = EventDraft(
        type=EventType.CLOSED,
        at=town.context.now(),
        agency=AgencyId(AGENCY),
        notice=street.notice,
        actor="service",
        facts={},
    )
    entropy = town.context.entropy
    with pytest.raises(Conflict, match="erased"):
        await town.context.store.write(lambda c: append_events(c, [draft], entropy=entropy))

    def past_the_check(connection: Connection) -> RecordedEvent:
        *_, last = events_of(connection, f"notice:{street.notice}")
        late = record(
            draft, number=last.number + 1, previous=bytes(last.commitment), entropy=entropy
        )
        insert_events(connection, [late])
        return late

    late = await town.context.store.write(past_the_check)
    await town.sequence()
    (found,) = await findings(town)
    assert f"event {late.event.id} says something of it, and it is not there" in found
    await town.context.store.write(
        lambda c: c.execute(
            _event.update().where(_event.c.id == late.event.id).values(body=None, salt=None)
        )
    )


@pytest.mark.unsound_store("notice")
async def test_a_notice_that_vanished_without_being_erased_is_found(street: Street) -> None:
    town = street.town
    await alert_sent(town, street.notice)

    def vanish(connection: Connection) -> None:
        attempts, bounces = tables.core(tables.AlertAttempt), tables.core(tables.Bounce)
        for table in (attempts, bounces, *OF_NOTICES, _notice, tables.core(tables.Blob)):
            connection.execute(table.delete())

    await town.context.store.write(vanish)
    found = await findings(town)
    assert len(found) == 3
    assert all("says something of it, and it is not there" in each for each in found)


async def test_evidence_erased_without_its_notice_is_found(street: Street) -> None:
    town = street.town
    kept = await town.context.store.read(
        lambda c: c.execute(
            select(_event.c.id, _event.c.body, _event.c.salt)
            .where(_event.c.subject == f"notice:{street.notice}")
            .order_by(_event.c.number)
        ).first()
    )
    assert kept is not None

    async def put(body: str | None, salt: bytes | None) -> None:
        await town.context.store.write(
            lambda c: c.execute(
                _event.update().where(_event.c.id == kept.id).values(body=body, salt=salt)
            )
        )

    await put(None, None)
    (found,) = await findings(town)
    assert "its evidence was erased, and the notice was not" in found
    await put(kept.body, kept.salt)
    assert await findings(town) == []
