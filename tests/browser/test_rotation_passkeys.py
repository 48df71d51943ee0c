"""Passkeys over an exchange of keys: taken along by a tap, or opening again after the password."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_passkeys import authenticator, tap
from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import PASSWORT, note_code

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("at_once", [True, False])
def test_device_opens_the_new_key_at_once_or_after_the_password(
    browser: Browser, house: PortalHouse, at_once: bool
) -> None:
    person_name = "Selma" if at_once else "Tilda"
    letter = house.enrol(f"{person_name} Beispiel")
    with person(browser, house.address) as selma:
        authenticator(selma, prf=True)
        arrive(selma, house, letter, f"{person_name.lower()}@example.org")
        house.send(letter, "Bewilligung", pdf("Bescheid", "Geld"), due=None)
        page = selma.go("/account")
        page.get_by_role("button", name="Dieses Gerät einrichten").click()
        expect(page.get_by_text("Ein Tippen genügt künftig")).to_be_visible()
        page.get_by_role("link", name="Schlüssel austauschen").click()
        page.locator("#passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_role("heading", name="Ihre eingerichteten Geräte")).to_be_focused()
        selma.inspect("key-2-passkeys")
        choice = "Mit Fingerabdruck, Gesicht oder PIN" if at_once else "Später"
        page.locator("#passkey-box").get_by_role("button", name=choice).click()
        note_code(page)
        page.get_by_role("button", name="Schlüssel jetzt austauschen").click()
        expect(page.get_by_role("heading", name="Ihr neuer Schlüssel gilt")).to_be_focused()
        if not at_once:
            selma.go("/account")
            expect(page.get_by_text("schließt zurzeit nicht auf")).to_be_visible()
            selma.inspect("account-locked-passkey")
        for first in (True, False):
            page.get_by_role("button", name="Abmelden", exact=True).first.click()
            expect(page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()
            tap(selma, "/login?next=/inbox")
            if first and not at_once:
                expect(page.get_by_role("heading", name="Postfach aufschließen")).to_be_visible()
                page.locator("#unlock-passphrase").fill(PASSWORT)
                page.get_by_role("button", name="Aufschließen").click()
            expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()
            if not first:
                expect(page.locator("#unlock")).to_be_hidden()
