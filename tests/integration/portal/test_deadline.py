"""What the citizen is told about the deadline: on the page, in the list, for the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.clockwork import Clockwork
from siegelpost.service.demo.citizen import PortalRefused
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.events import EventDraft, append_events
from tests.support.portal import AGENCY, PASSPHRASE, Town

_alert = tables.core(tables.Alert)
EMAIL = "alice@beispiel.example"


async def happen(town: Town, kind: EventType, notice: NoticeId, **facts: Any) -> None:
    """Put what became of the notice's alert on record, and let the clock's worker look."""
    context = town.context

    def work(connection: Connection) -> None:
        alert = connection.execute(select(_alert.c.id).where(_alert.c.notice_id == notice))
        draft = EventDraft(
            type=kind,
            at=context.now(),
            agency=AgencyId(AGENCY),
            notice=notice,
            actor="service",
            facts={"alert": alert.scalars().first(), "kind": "notice", **facts},
        )
        append_events(connection, [draft], entropy=context.entropy)
        if kind is EventType.ALERT_SENT:  # as the alert worker would have left it
            connection.execute(
                _alert.update()
                .where(_alert.c.notice_id == notice)
                .values(state="accepted", finished_at=context.now())
            )

    await context.store.write(work)
    await look(town)


async def look(town: Town) -> None:
    """Sequence, and let the clock's worker do what there is."""
    await town.sequence()
    while await Clockwork(town.context).run_once():
        pass


def pass_days(town: Town, days: int) -> None:
    clock = town.context.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(timedelta(days=days))


async def test_page_tells_what_it_means_and_until_when(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active(EMAIL, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    path = f"/notices/{notice}/facts"
    assert (await alice.get(path))["deadline"]["meaning"] == "not-served"
    with pytest.raises(PortalRefused, match="step-refused"):
        await alice.send("GET", f"/notices/{notice}/deadline.ics")

    await happen(town, EventType.ALERT_SENT, notice)
    deadline = (await alice.get(path))["deadline"]
    assert (deadline["meaning"], deadline["unsure"]) == ("expected", False)
    deemed, end = deadline["deemed"], deadline["end"]
    (line,) = (await alice.get("/inbox/notices"))["notices"]
    assert line["objection_until"] == end

    answer = await alice.send("GET", f"/notices/{notice}/deadline.ics?lang=en")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "frist.ics" in answer.headers["content-disposition"]
    assert f"DTSTART;VALUE=DATE:{end.replace('-', '')}" in answer.text
    assert "SUMMARY:A deadline ends" in answer.text

    pass_days(town, 5)
    await alice.log_in(EMAIL, PASSPHRASE)
    deadline = (await alice.get(path))["deadline"]
    assert (deadline["meaning"], deadline["deemed"]) == ("running", deemed)

    pass_days(town, 40)
    await alice.log_in(EMAIL, PASSPHRASE)
    assert (await alice.get(path))["deadline"]["meaning"] == "over"
    (line,) = (await alice.get("/inbox/notices"))["notices"]
    assert line["objection_until"] is None
    with pytest.raises(PortalRefused, match="step-refused"):
        await alice.send("GET", f"/notices/{notice}/deadline.ics")


async def test_denied_receipt_stops_the_period(town: Town) -> None:
    enrolled = await town.letter()
    alice = await town.active(EMAIL, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await happen(town, EventType.ALERT_SENT, notice)
    await happen(town, EventType.ALERT_DISPUTED, notice, claim="not-received")
    deadline = (await alice.get(f"/notices/{notice}/facts"))["deadline"]
    assert (deadline["meaning"], deadline["end"]) == ("not-served", None)
    (line,) = (await alice.get("/inbox/notices"))["notices"]
    assert line["objection_until"] is None


async def test_charlie_gets_no_calendar_of_alices_notice(town: Town) -> None:
    enrolled = await town.letter()
    await town.active(EMAIL, enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await happen(town, EventType.ALERT_SENT, notice)
    charlie = await town.active("charlie@fremd.example")
    for notice_id in (notice, "01900000-0000-7000-8000-000000000000"):
        with pytest.raises(PortalRefused) as refused:
            await charlie.send("GET", f"/notices/{notice_id}/deadline.ics")
        assert refused.value.status == 404
