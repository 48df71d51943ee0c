"""Trusted people, as both sides meet them: two browsers, one code, and what each of them sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import PASSWORT, next_step, note_code

pytestmark = pytest.mark.browser


def invite(page: Page, helper: str, *, counts: bool = False) -> str:
    """Open an invitation on the page; return the code."""
    page.get_by_role("button", name="Vertrauensperson einladen").click()
    page.get_by_label("Wen laden Sie ein?").fill(helper)
    page.get_by_label("Wie soll die Person Sie sehen?").fill("Klara Beispiel")
    if counts:
        page.get_by_label("gilt es als von mir abgerufen").check()
    page.get_by_role("button", name="Code erstellen").click()
    expect(page.locator("#invitation-code li").last).to_be_visible()
    return "-".join(page.locator("#invitation-code li").all_inner_texts())


def offer(page: Page, code: str) -> None:
    """Type the code."""
    page.get_by_label("Code der Einladung").fill(code.lower())
    next_step(page)
    expect(page.get_by_role("heading", name="Einladung von Klara Beispiel")).to_be_focused()


def test_helper_makes_an_account_and_reads_what_was_given(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Klara Beispiel")
    with (
        person(browser, house.address) as klara,
        person(browser, house.address) as bob,
    ):
        arrive(klara, house, letter, "klara@example.org")
        house.send(letter, "Bewilligung", pdf("Bewilligung", "Sie bekommen Geld"), due=None)
        page = klara.go("/account")
        page.get_by_role("link", name="Vertrauenspersonen").click()
        expect(page.get_by_role("heading", name="Jemanden einladen")).to_be_visible()
        klara.inspect("delegates-1-empty")
        page.get_by_role("button", name="Vertrauensperson einladen").click()
        klara.inspect("delegates-2-form")
        page.reload()
        code = invite(page, "Bob Muster")
        klara.inspect("delegates-3-code")
        page.get_by_role("link", name="Fertig").click()
        page.get_by_role("button", name="Code noch einmal zeigen").click()
        expect(page.locator("#invitation-code li").last).to_be_visible()
        assert "-".join(page.locator("#invitation-code li").all_inner_texts()) == code

        theirs = bob.go("/invitation")
        bob.inspect("invitation-1-code")
        theirs.get_by_label("Code der Einladung").fill("ABCD")
        next_step(theirs)
        expect(theirs.get_by_text("Das ist kein vollständiger Code")).to_be_visible()
        offer(theirs, code)
        bob.inspect("invitation-2-offer")
        theirs.get_by_role("button", name="Neues Konto anlegen").click()
        theirs.get_by_role("textbox", name="E-Mail-Adresse").fill("bob@example.org")
        theirs.get_by_role("button", name="Code schicken").click()
        expect(theirs.get_by_label("Code aus der E-Mail")).to_be_visible()
        theirs.get_by_label("Code aus der E-Mail").fill(house.address_code())
        next_step(theirs)
        theirs.get_by_label("Neues Passwort").fill(PASSWORT)
        theirs.get_by_label("Passwort wiederholen").fill(PASSWORT)
        next_step(theirs)
        note_code(theirs)
        theirs.get_by_role("button", name="Konto anlegen").click()
        expect(theirs.get_by_role("heading", name="Ihr Konto ist fertig")).to_be_visible()
        bob.inspect("invitation-3-done")

        page = klara.go("/account/delegates")
        expect(page.get_by_text("bob@example.org")).to_be_visible()
        klara.inspect("delegates-4-asking")
        page.get_by_role("button", name="Ja, freigeben").click()
        expect(page.get_by_role("heading", name="Die Freigabe ist erteilt")).to_be_visible()
        klara.inspect("delegates-5-given")
        # A later one is sealed to both at once.
        house.send(letter, "Mahnung", pdf("Mahnung", "Bitte zahlen"), due=None)

        theirs = bob.go("/inbox")
        bob.inspect("helping-1-switch")
        theirs.get_by_role("link", name="Post von Klara Beispiel").click()
        expect(theirs.get_by_role("link", name="Mahnung")).to_be_visible()
        bob.inspect("helping-2-list")
        theirs.get_by_role("link", name="Bewilligung").click()
        expect(theirs.get_by_role("heading", name="Bewilligung")).to_be_visible()
        bob.inspect("helping-3-notice")
        theirs.get_by_role("button", name="Schreiben öffnen").click()
        expect(theirs.get_by_role("heading", name="Dokumente")).to_be_focused()
        expect(theirs.get_by_text("echt und unverändert")).to_be_visible()
        bob.inspect("helping-4-open")

        page = klara.go("/inbox")
        expect(page.get_by_text("2 sind neu")).to_be_visible()
        page.get_by_role("link", name="Bewilligung").click()
        page.get_by_text("Wer dieses Schreiben geöffnet hat").click()
        expect(page.get_by_text("Bob Muster hat das Schreiben geöffnet")).to_be_visible()
        expect(page.get_by_text("Das zählt nicht als Ihr Abruf.")).to_be_visible()
        klara.inspect("delegates-6-access-log")

        page = klara.go("/account/delegates")
        page.get_by_text("Freigabe beenden", exact=True).click()
        page.get_by_role("button", name="Ja, beenden").click()
        expect(page.get_by_role("heading", name="Die Freigabe ist beendet")).to_be_visible()
        klara.inspect("delegates-7-ended")
        bob.allow(r"status of 404")
        theirs = bob.go("/inbox")
        expect(theirs.get_by_role("link", name="Post von Klara Beispiel")).to_have_count(0)


def test_helper_with_a_mailbox_accepts_and_code_of_somebody_else_is_noticed(
    browser: Browser, house: PortalHouse
) -> None:
    letter, other = house.enrol("Klara Muster"), house.enrol("Leonie Beispiel")
    with (
        person(browser, house.address) as klara,
        person(browser, house.address) as lena,
    ):
        arrive(klara, house, letter, "klara2@example.org")
        arrive(lena, house, other, "leonie@example.org")
        house.send(letter, "Bewilligung", pdf("Bewilligung", "Sie bekommen Geld"), due=None)
        code = invite(klara.go("/account/delegates"), "Leonie", counts=True)
        page = lena.go("/invitation")
        offer(page, code)
        lena.inspect("invitation-4-own-mailbox")
        # What the service says about the key is not what the code vouches for.
        tampered = {"on": True}

        def swap(route: object) -> None:
            request = route.request  # type: ignore[attr-defined]  # Playwright's Route
            data = request.post_data_json
            if tampered["on"]:
                data["key_mac"] = "A" * 43 + "="
            route.continue_(post_data=data)  # type: ignore[attr-defined]  # likewise

        lena.page.route("**/invitation/accept", swap)
        page.get_by_role("button", name="Mit meinem Postfach annehmen").click()
        expect(page.get_by_role("heading", name="Sie haben die Einladung")).to_be_visible()
        lena.page.unroute("**/invitation/accept")
        page = klara.go("/account/delegates")
        page.get_by_role("button", name="Ja, freigeben").click()
        expect(page.get_by_text("kommt nicht von der Person")).to_be_visible()
        klara.inspect("delegates-8-not-vouched")
        page.get_by_role("button", name="Nein, ablehnen").click()
        code = invite(klara.go("/account/delegates"), "Leonie", counts=True)
        page = lena.go("/invitation")
        offer(page, code)
        page.get_by_role("button", name="Mit meinem Postfach annehmen").click()
        expect(page.get_by_role("heading", name="Sie haben die Einladung")).to_be_visible()
        page = klara.go("/account/delegates")
        page.get_by_role("button", name="Ja, freigeben").click()
        expect(page.get_by_role("heading", name="Die Freigabe ist erteilt")).to_be_visible()
        page = lena.go("/inbox")
        page.get_by_role("link", name="Post von Klara Beispiel").click()
        page.get_by_role("link", name="Bewilligung").click()
        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.get_by_role("heading", name="Dokumente")).to_be_focused()
        page = klara.go("/inbox")
        page.get_by_role("link", name="Bewilligung").click()
        page.get_by_text("Wer dieses Schreiben geöffnet hat").click()
        expect(page.get_by_text("Leonie hat das Schreiben für Sie geöffnet")).to_be_visible()
