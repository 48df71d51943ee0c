"""Login with an account elsewhere: the door opens, the letters stay closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.oidc_providers import running_provider
from tests.support.portal_house import PortalHouse, pdf, portal_house
from tests.support.walks import PASSWORT

NAME = "olga@example.org"


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalHouse]:
    """A house with a provider beside it."""
    with (
        running_provider() as provider,
        portal_house(tmp_path_factory.mktemp("hall"), provider) as house,
    ):
        yield house


def at_the_provider(page: Page) -> None:
    """Say at the other site who one is."""
    page.get_by_role("textbox", name="Konto").fill("olga-1")
    page.get_by_role("button", name="Anmelden").click()


def test_account_elsewhere_opens_the_door_and_the_password_the_letters(
    browser: Browser, hall: PortalHouse
) -> None:
    letter = hall.enrol("Olga Beispiel")
    with person(browser, hall.address) as watched:
        watched.allow(r"status of 403")
        watched.allow(r"http://127.0.0.1:\d+/favicon.ico")
        watched.allow(r"request to another origin: http://127.0.0.1:")
        arrive(watched, hall, letter, NAME)
        hall.send(letter, "Bewilligung", pdf("Bescheid", "Text"), due=date(2026, 12, 24))
        page = watched.go("/account")
        page.locator("#oidc-add").click()
        at_the_provider(page)
        expect(page).to_have_url(re.compile("/account#oidc-title$"))
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_text("Sie sind abgemeldet.")).to_be_visible()

        watched.go("/login")
        page.get_by_role("button", name="Mit Musterkonto anmelden").click()
        at_the_provider(page)
        expect(page.get_by_role("heading", name="Postfach aufschließen")).to_be_visible()
        expect(page.get_by_text("Auch wer Ihr anderes Konto übernimmt")).to_be_visible()
        expect(page.get_by_text("Bewilligung")).to_be_hidden()
        watched.inspect("unlock-elsewhere")

        page.locator("#unlock-passphrase").fill("Laterne Zebra Kupfer Regen")
        page.get_by_role("button", name="Aufschließen", exact=True).click()
        expect(page.get_by_text("Das Passwort ist nicht richtig")).to_be_visible()
        page.locator("#unlock-passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Aufschließen", exact=True).click()
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()

        page.goto(f"{hall.address}/account")
        page.locator("#oidc-remove").click()
        expect(page.locator("#saved")).to_be_visible()
