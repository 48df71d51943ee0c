"""The second factor, the app and the end of a session, as a person meets them."""

from __future__ import annotations

import base64
import re

from playwright.sync_api import Browser, Route, expect

from siegelpost.citizens.totp import code_at, step_of
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse
from tests.support.walks import activate, give_password, log_in

NAME = "karoline@example.org"


def test_code_by_mail_then_by_app_and_a_warning_before_the_end(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Karoline Beispiel")
    with person(browser, house.address) as watched:
        watched.allow(r"status of 40[13]")
        activate(watched, house, letter, NAME, inspect=False)
        page = watched.page
        late: list[Route] = []

        def leave(route: Route) -> None:
            """What was asked before is refused while the last page is on its way."""
            for one in late:
                one.fulfill(status=401, body="{}")
            page.unroute("**/session")
            page.wait_for_timeout(200)
            route.continue_()

        page.route("**/session", lambda route: late.append(route))
        page.route(re.compile("signed-out"), leave)
        watched.go("/inbox")
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_text("Sie sind abgemeldet.")).to_be_visible()
        assert late
        watched.inspect("start-signed-out")

        watched.go("/login?next=/account")
        give_password(page, NAME)
        expect(page.get_by_label("Code", exact=True)).to_be_focused()
        watched.inspect("login-code")
        page.locator("#login-code").fill("00000000")
        page.get_by_role("button", name="Weiter", exact=True).click()
        expect(page.get_by_text("Der Code stimmt nicht")).to_be_visible()
        page.locator("#login-code").fill(house.login_code())
        page.get_by_role("button", name="Weiter", exact=True).click()
        expect(page).to_have_url(re.compile("/account$"))

        page.get_by_role("button", name="Code-App einrichten").click()
        page.locator("#proof-passphrase").fill("Laterne Zebra Kupfer Wolke")
        page.get_by_role("button", name="Weiter", exact=True).click()
        expect(page.get_by_role("img", name="QR-Code")).to_be_visible()
        watched.inspect("account-app")
        shown = page.locator('[data-slot="app-secret"]').inner_text().replace(" ", "")
        code = code_at(base64.b32decode(shown), step_of(house.context.now()))
        page.get_by_label("6 Ziffern aus der App").fill(code)
        page.get_by_role("button", name="Code-App benutzen").click()
        expect(page.get_by_text("Ihre Code-App ist eingerichtet.")).to_be_visible()
        watched.inspect("account-app-saved")

        page.evaluate("document.getElementById('session-end').showModal()")
        watched.inspect("session-end")
        page.get_by_role("button", name="Angemeldet bleiben").click()
        expect(page.locator("#session-end")).to_be_hidden()


def test_wrong_password_asks_for_no_code(browser: Browser, house: PortalHouse) -> None:
    with person(browser, house.address) as watched:
        watched.allow(r"status of 403")
        log_in(watched.go("/login"), "niemand@example.org", "falsch geraten heute")
        expect(watched.page.locator("#code-form")).to_be_hidden()
