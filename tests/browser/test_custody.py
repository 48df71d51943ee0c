"""Passwords are forgotten and changed, codes are lost: what a person then does, and what dies."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.arrivals import arrive, enter
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import PASSWORT, activate, log_in, note_code

pytestmark = pytest.mark.browser

NEW = "Apfel Dampfer Gardine Moor"


def choose(page: Page, password: str) -> None:
    """Fill in a new password twice."""
    page.locator("#new-passphrase").fill(password)
    page.locator("#repeat-passphrase").fill(password)


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Abmelden", exact=True).first.click()
    expect(page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()


def recover(page: Page, name: str, code: str) -> None:
    """From the login page to the end of the first step."""
    page.get_by_role("link", name="Passwort vergessen?").click()
    page.get_by_role("textbox", name="Anmeldename").fill(name)
    page.locator("#emergency-code").fill(code)
    page.get_by_role("button", name="Weiter").click()


def test_forgotten_password_is_replaced_by_the_emergency_code_which_dies_with_it(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Frieda Beispiel")
    name = "frieda@example.org"
    with person(browser, house.address) as frieda:
        code = activate(frieda, house, letter, name, inspect=False)
    house.send(letter, "Mahnung", pdf("Mahnung", "Bitte zahlen"), due=None)
    with person(browser, house.address) as frieda:
        frieda.allow(r"status of 403")
        page = frieda.go("/login")
        page.get_by_role("link", name="Passwort vergessen?").click()
        expect(page.get_by_role("heading", name="Passwort vergessen")).to_be_visible()
        frieda.inspect("recover-1-code")
        page.get_by_role("textbox", name="Anmeldename").fill(name)
        page.locator("#emergency-code").fill(code[:-1])
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_text("Dieser Code ist nicht vollständig")).to_be_visible()
        page.locator("#emergency-code").fill("0000-0000-0000-0000-0000-0000-0000")
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_text("Anmeldename und Notfall-Code passen nicht")).to_be_visible()
        frieda.inspect("recover-1-refused")
        page.locator("#emergency-code").fill(code.lower().replace("-", " "))
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_role("heading", name="Ihr neues Passwort")).to_be_focused()
        frieda.inspect("recover-2-password")
        choose(page, NEW)
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_role("heading", name="Ihr neuer Notfall-Code")).to_be_focused()
        frieda.inspect("recover-3-code")
        new_code = note_code(page)
        assert new_code != code
        page.get_by_role("button", name="Neues Passwort speichern").click()
        expect(page.get_by_role("heading", name="Ihr neues Passwort gilt")).to_be_focused()
        frieda.inspect("recover-4-done")
        page.get_by_role("link", name="Zu meinen Schreiben").click()
        expect(page.get_by_role("link", name="Mahnung")).to_be_visible()
        log_out(page)
        log_in(frieda.go("/login"), name, PASSWORT)
        expect(page.get_by_text("passen nicht zusammen")).to_be_visible()
        recover(page, name, code)
        expect(page.get_by_text("Anmeldename und Notfall-Code passen nicht")).to_be_visible()
        log_in(frieda.go("/login"), name, NEW)
        expect(page.get_by_role("link", name="Mahnung")).to_be_visible()
        log_out(page)
        recover(frieda.go("/login"), name, new_code)
        expect(page.get_by_role("heading", name="Ihr neues Passwort")).to_be_focused()


def test_password_and_code_are_changed_and_every_other_device_is_logged_out(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Gesine Beispiel")
    name = "gesine@example.org"
    with person(browser, house.address) as gesine, person(browser, house.address) as phone:
        gesine.allow(r"status of 403")
        phone.allow(r"status of 401")
        code = arrive(gesine, house, letter, name)
        enter(phone, house, name)
        phone.go("/inbox")
        expect(phone.page.get_by_text("Ihr Postfach ist leer")).to_be_visible()

        page = gesine.go("/inbox")
        log_out(page)
        log_in(gesine.go("/login?next=/account"), name)
        expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
        expect(page.locator("#sessions li")).to_have_count(2)
        expect(page.get_by_text("Chrome, Linux (dieses Gerät)")).to_be_visible()
        expect(page.get_by_text("Anmeldung mit: Passwort")).to_have_count(2)
        gesine.inspect("account")

        page.get_by_role("button", name="Passwort ändern").click()
        expect(page.get_by_role("heading", name="Sind Sie es?")).to_be_focused()
        gesine.inspect("account-proof")
        page.locator("#proof-passphrase").fill("falsch geraten heute")
        page.get_by_role("button", name="Weiter").click()
        expect(page.get_by_text("Das Passwort ist nicht richtig.")).to_be_visible()
        page.locator("#proof-passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        expect(page.locator("#new-passphrase")).to_be_focused()
        gesine.inspect("account-password")
        choose(page, "passwort1234")
        page.get_by_role("button", name="Neues Passwort speichern").click()
        wrong = page.locator("#new-passphrase-error")
        expect(wrong).to_be_visible()
        # The hint is said while typing, and what was wrong before is not said beside it.
        choose(page, NEW)
        expect(wrong).to_be_hidden()
        page.get_by_role("button", name="Neues Passwort speichern").click()
        expect(page.get_by_text("Ihr neues Passwort gilt.")).to_be_visible()
        expect(page.get_by_text("Geändert: Passwort")).to_be_visible()
        expect(page.locator("#sessions li")).to_have_count(1)
        phone.go("/inbox")
        expect(phone.page).to_have_url(f"{house.address}/login?next=/inbox")

        # The proof still holds: no second question.
        page.get_by_role("button", name="Neuen Notfall-Code machen").click()
        new_code = note_code(page)
        gesine.inspect("account-code")
        page.get_by_role("button", name="Neuen Code benutzen").click()
        expect(page.get_by_text("Ihr neuer Notfall-Code gilt.")).to_be_visible()
        gesine.inspect("account-saved")
        assert new_code != code

        log_in(phone.page, name, NEW)
        expect(phone.page.get_by_text("Ihr Postfach ist leer")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="Abmelden: Chrome, Linux").click()
        expect(page.get_by_text("Dieses Gerät ist abgemeldet.")).to_be_visible()
        phone.go("/inbox")
        expect(phone.page).to_have_url(f"{house.address}/login?next=/inbox")
        log_out(page)
        recover(gesine.go("/login"), name, code)
        expect(page.get_by_text("Anmeldename und Notfall-Code passen nicht")).to_be_visible()


def test_account_speaks_english(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Hedwig Beispiel")
    with person(browser, house.address) as hedwig:
        arrive(hedwig, house, letter, "hedwig@example.org")
        page = hedwig.go("/account?lang=en")
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        expect(page.get_by_text("Your key was registered")).to_be_visible()
        hedwig.inspect("account-en")
        hedwig.go("/recover")
        hedwig.inspect("recover-en")
