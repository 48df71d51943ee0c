"""The key is exchanged: what a person sees, and that every letter stays readable."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from siegelpost.evidence.verify import verify_receipt
from tests.support.arrivals import arrive, enter
from tests.support.browsers import person
from tests.support.portal_house import Letter, PortalHouse, pdf
from tests.support.walks import PASSWORT, log_in, note_code

pytestmark = pytest.mark.browser


def send(house: PortalHouse, letter: Letter, count: int) -> list[str]:
    return [
        house.send(letter, f"Bescheid {n}", pdf(f"Bescheid {n}", "Text"), due=None)
        for n in range(1, count + 1)
    ]


def to_code(page: Page) -> None:
    """From the account to the step with the new code."""
    page.get_by_role("link", name="Schlüssel austauschen").click()
    expect(page.get_by_role("heading", name="Schlüssel austauschen")).to_be_focused()
    page.locator("#passphrase").fill(PASSWORT)
    page.get_by_role("button", name="Weiter").click()


def test_key_is_exchanged_and_every_letter_stays_readable(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Rosa Beispiel")
    name = "rosa@example.org"
    with person(browser, house.address) as rosa, person(browser, house.address) as thief:
        rosa.allow(r"status of 403")
        thief.allow(r"status of 401")
        code = arrive(rosa, house, letter, name)
        notices = send(house, letter, 10)
        enter(thief, house, name)
        thief.go("/inbox")
        expect(thief.page.get_by_role("link", name="Bescheid 10")).to_be_visible()
        page = rosa.go("/account")
        expect(page.get_by_text("Den Schlüssel Ihres Postfachs haben nur Sie.")).to_be_visible()
        page.get_by_role("link", name="Schlüssel austauschen").click()
        expect(page.get_by_role("heading", name="Schlüssel austauschen")).to_be_focused()
        rosa.inspect("key-1-password")
        page.locator("#passphrase").fill("falsch geraten heute")
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_text("Das Passwort ist nicht richtig.")).to_be_visible()
        page.locator("#passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_role("heading", name="Ihr neuer Notfall-Code")).to_be_focused()
        new_code = note_code(page)
        rosa.inspect("key-3-code")
        assert new_code != code
        page.get_by_role("button", name="Schlüssel jetzt austauschen").click()
        expect(page.get_by_role("heading", name="Ihr neuer Schlüssel gilt")).to_be_focused()
        rosa.inspect("key-5-done")
        page.get_by_role("link", name="Zu meinen Schreiben").click()
        page.get_by_role("link", name="Bescheid 1", exact=True).click()
        page.locator("#open-button").click()
        expect(page.locator("#documents-title")).to_be_focused()
        with page.expect_response(re.compile("/acknowledge$")) as answer:
            page.locator("#acknowledge-form button[type=submit]").click()
        assert answer.value.ok
        page = rosa.go("/account")
        expect(page.get_by_text("Ein Schlüssel wurde ausgemustert")).to_be_visible()
        rosa.inspect("account-after-exchange")
        thief.go("/inbox")
        expect(thief.page).to_have_url(f"{house.address}/login?next=/inbox")
        # The new login opens the new key alone, and that is enough for all.
        page.get_by_role("button", name="Abmelden", exact=True).first.click()
        expect(page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()
        log_in(rosa.go("/login?next=/inbox"), name)
        expect(page.get_by_role("link", name="Bescheid 10")).to_be_visible()
        expect(page.get_by_text("unlesbar")).to_have_count(0)
        rosa.go(f"/notices/{notices[0]}")
        expect(page.locator("#notice")).to_be_visible()
        with page.expect_download() as download:
            page.locator("#receipt-form button[type=submit]").click()
        verify_receipt(download.value.path().read_bytes(), trust=house.trust)


def test_whoever_closes_the_browser_on_the_way_goes_on_later(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Renate Beispiel")
    name = "renate.rotation@example.org"
    with person(browser, house.address) as renate:
        renate.allow(r"ERR_FAILED|Failed to load resource")
        arrive(renate, house, letter, name)
        send(house, letter, 12)
        page = renate.go("/account")
        to_code(page)
        note_code(page)
        calls = 0

        def first_only(route: Route) -> None:
            nonlocal calls
            if route.request.method == "POST":
                calls += 1
            if calls > 1:
                route.abort()
            else:
                route.continue_()

        page.route("**/account/rewrap*", first_only)
        page.get_by_role("button", name="Schlüssel jetzt austauschen").click()
        expect(page.get_by_text("Wir erreichen den Dienst gerade nicht.")).to_be_visible()
        expect(page.locator("#rewrap-count")).to_have_text("8 von 12 Schreiben")
        renate.inspect("key-4-interrupted")
    with person(browser, house.address) as renate:
        page = renate.go("/login?next=/inbox")
        log_in(page, name)
        # All is readable meanwhile.
        expect(page.get_by_role("link", name="Bescheid 12")).to_be_visible()
        expect(page.get_by_role("link", name="Bescheid 1", exact=True)).to_be_visible()
        renate.go("/account")
        expect(page.get_by_text("Einige Schreiben haben noch das alte Schloss.")).to_be_visible()
        page.get_by_role("link", name="Neu verschließen").click()
        expect(page.get_by_role("heading", name="Ihr neuer Schlüssel gilt")).to_be_focused()
        renate.go("/account")
        expect(page.get_by_text("Den Schlüssel Ihres Postfachs haben nur Sie.")).to_be_visible()
        expect(page.get_by_text("Einige Schreiben haben noch das alte Schloss.")).to_be_hidden()
