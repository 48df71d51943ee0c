"""The deadline in a real browser: plain words with dates, the list, the calendar file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Connection, select

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId, NoticeId
from siegelpost.notices.clockwork import Clockwork
from siegelpost.sealing.manifest import Remedy
from siegelpost.store import tables
from siegelpost.store.events import EventDraft, append_events
from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf

pytestmark = pytest.mark.browser

_alert = tables.core(tables.Alert)


def alert_sent(house: PortalHouse, notice: str) -> None:
    """Put on record that the alert went out, and let the clock's worker look."""
    context = house.context

    def work(connection: Connection) -> None:
        alert = connection.execute(select(_alert.c.id).where(_alert.c.notice_id == notice))
        draft = EventDraft(
            type=EventType.ALERT_SENT,
            at=context.now(),
            agency=AgencyId(house.agency_id),
            notice=NoticeId(notice),
            actor="service",
            facts={"alert": alert.scalar_one(), "kind": "notice"},
        )
        append_events(connection, [draft], entropy=context.entropy)

    async def look() -> bool:
        await context.store.write(work)
        while True:
            await Clockwork(context).run_once()
            rows = await context.store.read(lambda c: c.execute(_results).all())
            if notice in {row.notice_id for row in rows}:
                return True

    assert house.run(look())


_results = select(tables.core(tables.Deadline))


def test_citizen_reads_until_when_and_takes_the_day_into_the_calendar(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Ylva Beispiel")
    with person(browser, house.address, accept_downloads=True) as ylva:
        arrive(ylva, house, letter, "ylva@example.org")
        page = ylva.page
        notice = house.send(letter, "Bewilligung", pdf("Bescheid", "563 Euro"), due=None)
        alert_sent(house, notice)
        page.goto(f"{house.address}/inbox")
        expect(page.get_by_text("Widerspruch möglich bis")).to_be_visible()
        page.get_by_role("link", name="Bewilligung").click()

        section = page.locator("#deadline")
        expect(section.get_by_text("als bekannt gegeben. Das gilt auch")).to_be_visible()
        expect(section.get_by_text("24 Uhr, Widerspruch einlegen")).to_be_visible()
        expect(section.get_by_text("rechtlich unverbindliche Auskunft")).to_be_visible()
        expect(page.locator("#deadline-unsure")).to_be_hidden()
        assert "{" not in section.inner_text()
        ylva.inspect("notice-deadline")
        with page.expect_download() as saving:
            section.get_by_role("link", name="Kalender").click()
        text = Path(saving.value.path()).read_text()
        assert saving.value.suggested_filename == "frist.ics"
        assert "BEGIN:VEVENT" in text


def test_request_with_a_day_and_no_objection_says_that_the_day_counts(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Yasmin Beispiel")
    with person(browser, house.address) as yasmin:
        arrive(yasmin, house, letter, "yasmin@example.org")
        page = yasmin.page
        due = date(2031, 3, 10)
        document = pdf("Bitte um Unterlagen", "Kontoauszug")
        remedy = Remedy.NONE_POSSIBLE
        notice = house.send(letter, "Bitte um Unterlagen", document, due=due, remedy=remedy)
        alert_sent(house, notice)
        yasmin.go(f"/notices/{notice}")
        day = "Montag, 10. März 2031"
        expect(page.locator('[data-slot="due"]')).to_have_text(day)
        section = page.locator("#deadline")
        expect(section).to_contain_text(f"Die Behörde nennt Ihnen einen Tag: {day}.")
        expect(section).to_contain_text("Eine Frist für einen Widerspruch läuft nach Angabe der")
        expect(section.get_by_text("unverbindliche Auskunft")).to_be_visible()
        expect(page.locator("#deadline-unsure")).to_be_hidden()
        yasmin.inspect("notice-due-alone")
