"""Replies while things go wrong: each arrives once, and nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from siegelpost.sealing.keys import Identity
from siegelpost.store import tables
from siegelpost.store.tables import core
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse
from tests.support.reply_pages import (
    AGENCY,
    be_slow,
    expect_kept,
    file,
    lose_answers,
    photo,
    ready,
    received,
)
from tests.support.sealing import seed
from tests.support.walks import log_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def offered(house: PortalHouse) -> Iterator[None]:
    """The agency takes replies while these tests run."""
    house.take_replies(AGENCY.recipient.raw)
    yield
    house.take_replies(None)


def test_double_click_sends_once_and_a_text_that_is_not_sent_is_kept(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Dora Doppelklick")
    with person(browser, house.address) as dora:
        notice = ready(dora, house, letter, "Bitte um Unterlagen", "dora@example.org")
        page = dora.page
        questions: list[str] = []

        def leave(dialog: Dialog) -> None:
            questions.append(dialog.type)
            dialog.accept()

        page.on("dialog", leave)
        message = page.get_by_label("Ihre Nachricht")
        message.press_sequentially("Angefangen")
        expect_kept(page)
        page.get_by_role("link", name="Zurück zum Schreiben").first.click()
        expect(page.get_by_role("heading", name="Bitte um Unterlagen")).to_be_visible()
        assert questions == ["beforeunload"]
        page.get_by_role("link", name="Antwort schreiben").click()
        expect(message).to_have_value("Angefangen")
        # What rests in the browser is sealed.
        assert "Angefangen" not in page.evaluate("JSON.stringify({...sessionStorage})")
        button = page.get_by_role("button", name="Antwort senden")
        button.dblclick()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Angefangen"]
        # Sent is sent: nobody is asked, and nothing is left behind.
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        expect(message).to_be_visible()
        expect(message).to_have_value("")
        assert questions == ["beforeunload"]
        assert _left_behind(page) == []
        # A session that runs out leaves what was begun; who logs out does not.
        message.press_sequentially("Noch etwas")
        expect_kept(page)
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_text("Sie sind abgemeldet.")).to_be_visible()
        assert _left_behind(page) == []


def _left_behind(page: Page) -> list[str]:
    names = "Object.keys(sessionStorage).filter((k) => /draft|reply/.test(k))"
    return [str(name) for name in page.evaluate(names)]


def test_reply_whose_answer_was_lost_is_sent_again_and_arrives_once(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Vera Verloren")
    with person(browser, house.address) as vera:
        vera.allow("ERR_CONNECTION_RESET|ERR_FAILED")
        notice = ready(vera, house, letter, "Bitte um Unterlagen", "vera@example.org")
        page = vera.page
        message = page.get_by_label("Ihre Nachricht")
        send = page.get_by_role("button", name="Antwort senden")
        done = page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        lose_answers(page)
        message.fill("Eins")
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        expect(message).to_have_value("Eins")
        vera.inspect("reply-8-offline")
        page.unroute("**/replies")
        send.click()
        expect(done).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Eins"]

        # Somebody goes on writing in between: the first version is told, the rest is kept.
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        lose_answers(page)
        message.fill("Zwei")
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        message.fill("Zwei und mehr")
        expect_kept(page)
        page.wait_for_timeout(1_500)  # the longer text is being kept
        send.click()
        expect(page.get_by_text("Das war Ihre erste Fassung")).to_be_visible()
        vera.inspect("reply-9-first-version")
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        expect(message).to_have_value("Zwei und mehr")
        assert [reply.text for reply in received(house, notice)] == ["Eins", "Zwei"]

        # The page is loaded anew instead: it finds out by itself.
        lose_answers(page)
        page.on("dialog", lambda dialog: dialog.accept())
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        page.reload()
        expect(done).to_be_focused()
        texts = [reply.text for reply in received(house, notice)]
        assert texts == ["Eins", "Zwei", "Zwei und mehr"]


def end_logins(house: PortalHouse) -> None:
    """As if half an hour had passed."""
    over = core(tables.Session).delete()
    house.run(house.context.store.write(lambda connection: connection.execute(over)))


def test_login_that_ends_after_a_lost_answer_does_not_send_twice(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Lena Lost")
    email = "lena.lost@example.org"
    with person(browser, house.address) as lena:
        lena.allow("ERR_CONNECTION_RESET|ERR_FAILED|status of 401")
        notice = ready(lena, house, letter, "Bitte um Unterlagen", email)
        page = lena.page
        page.on("dialog", lambda dialog: dialog.accept())
        lose_answers(page)
        page.get_by_label("Ihre Nachricht").fill("Nur einmal")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        end_logins(house)
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("textbox", name="Anmeldename")).to_be_visible()
        log_in(page, email)
        done = page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        expect(done).to_be_focused()
        expect(page.get_by_text("Das war Ihre erste Fassung")).to_be_hidden()
        assert [reply.text for reply in received(house, notice)] == ["Nur einmal"]


def test_page_loaded_anew_after_a_lost_answer_tells_the_first_version_and_keeps_the_rest(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Neele Neu")
    with person(browser, house.address) as neele:
        neele.allow("ERR_CONNECTION_RESET|ERR_FAILED")
        notice = ready(neele, house, letter, "Bitte um Unterlagen", "neele@example.org")
        page = neele.page
        page.on("dialog", lambda dialog: dialog.accept())
        message = page.get_by_label("Ihre Nachricht")
        lose_answers(page)
        message.fill("Eins")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        message.fill("Eins und mehr")
        page.wait_for_timeout(1_500)  # the longer text is being kept
        expect_kept(page)
        page.reload()
        done = page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        expect(done).to_be_focused()
        expect(page.get_by_text("Das war Ihre erste Fassung")).to_be_visible()
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        expect(message).to_have_value("Eins und mehr")
        assert [reply.text for reply in received(house, notice)] == ["Eins"]


def test_reply_that_is_still_being_written_is_not_written_twice(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Lars Langsam")
    with person(browser, house.address) as lars:
        lars.allow("ERR_CONNECTION_RESET|ERR_FAILED|status of 422")
        notice = ready(lars, house, letter, "Bitte um Unterlagen", "lars@example.org")
        page = lars.page
        page.on("dialog", lambda dialog: dialog.accept())
        message = page.get_by_label("Ihre Nachricht")
        send = page.get_by_role("button", name="Antwort senden")
        done = page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        first_version = page.get_by_text("Das war Ihre erste Fassung")
        be_slow(page)
        message.fill("Eins")
        expect_kept(page)
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.reload()
        expect(message).to_have_value("Eins")
        send.click()
        expect(done).to_be_focused()
        expect(first_version).to_be_hidden()
        assert [reply.text for reply in received(house, notice)] == ["Eins"]

        # Somebody goes on writing meanwhile.
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        be_slow(page)
        message.fill("Zwei")
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        message.fill("Zwei und mehr")
        send.click()
        expect(done).to_be_focused()
        expect(first_version).to_be_visible()
        assert [reply.text for reply in received(house, notice)] == ["Eins", "Zwei"]


def test_agency_that_exchanges_its_key_meanwhile_gets_the_reply_under_the_new_one(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Nora Neuschlüssel")
    with person(browser, house.address) as nora:
        nora.allow("status of 409")
        house.take_replies(Identity(seed("an older key")).recipient.raw)
        try:
            notice = ready(nora, house, letter, "Bitte um Unterlagen", "nora@example.org")
            nora.page.get_by_label("Ihre Nachricht").fill("Guten Tag")
        finally:
            house.take_replies(AGENCY.recipient.raw)
        nora.page.get_by_role("button", name="Antwort senden").click()
        done = nora.page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        expect(done).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Guten Tag"]


def test_login_that_ends_meanwhile_takes_nothing_away_and_phones_offer_their_camera(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Paula Pause")
    email = "paula@example.org"
    with person(browser, house.address, has_touch=True, is_mobile=True) as paula:
        paula.allow("status of 401")
        notice = ready(paula, house, letter, "Bitte um Unterlagen", email)
        page = paula.page
        page.on("dialog", lambda dialog: dialog.accept())
        expect(page.get_by_role("button", name="Foto machen")).to_be_visible()
        with page.expect_file_chooser() as choosing:
            page.get_by_role("button", name="Foto machen").click()
        choosing.value.set_files([file("Foto.png", photo(30, 20), "image/png")])
        expect(page.locator("#file-list")).to_contain_text("Foto.png")
        page.get_by_label("Ihre Nachricht").fill("Das war viel Arbeit")
        paula.inspect("reply-16-camera")
        expect_kept(page)
        end_logins(house)
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("textbox", name="Anmeldename")).to_be_visible()
        log_in(page, email)
        expect(page.get_by_label("Ihre Nachricht")).to_have_value("Das war viel Arbeit")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Das war viel Arbeit"]
