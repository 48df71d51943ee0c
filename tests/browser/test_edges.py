"""What goes wrong for people and against them: typos, lost keys, strangers, tampered post."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.arrivals import arrive, enter
from tests.support.browsers import person
from tests.support.portal_house import Letter, PortalHouse, pdf
from tests.support.walks import PASSWORT, activate, next_step
from tests.support.walks import log_in as log_in_as

pytestmark = pytest.mark.browser

NAME = "dora.edges@example.org"


@dataclass(frozen=True, kw_only=True)
class Dora:
    """An active mailbox with one notice."""

    letter: Letter
    notice: str


def log_in(page: Page, name: str = NAME, password: str = PASSWORT) -> None:
    """Log Dora in, or try to."""
    log_in_as(page, name, password)


@pytest.fixture(scope="module")
def dora(browser: Browser, house: PortalHouse) -> Dora:
    """Dora Beispiel, who activated in an earlier browser."""
    letter = house.enrol("Dora Beispiel")
    with person(browser, house.address) as watched:
        activate(watched, house, letter, NAME, inspect=False)
    notice = house.send(letter, "Änderungsbescheid", pdf("Bescheid", "Neue Miete"), due=None)
    return Dora(letter=letter, notice=notice)


def test_login_with_typos_then_right_then_log_out_wipes_the_key(
    browser: Browser, house: PortalHouse, dora: Dora
) -> None:
    with person(browser, house.address) as watched:
        watched.allow(r"status of 403")
        page = watched.go(f"/notices/{dora.notice}")
        expect(page).to_have_url(f"{house.address}/login?next=/notices/{dora.notice}")
        watched.inspect("login")
        page.get_by_role("button", name="Anmelden", exact=True).click()
        expect(page.locator("#login-name-error")).to_be_visible()
        expect(page.locator("#login-name")).to_be_focused()
        watched.inspect("login-field-missing")
        log_in(page, password="falsch geraten heute")
        expect(page.get_by_text("Anmeldename und Passwort passen nicht zusammen.")).to_be_visible()
        watched.inspect("login-refused")
        log_in(page, name=NAME.upper())
        expect(page.get_by_role("heading", name="Änderungsbescheid")).to_be_visible()
        expect(page).to_have_url(f"{house.address}/notices/{dora.notice}")
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0
        assert _kept_keys(page) == 0
        page.goto(f"{house.address}/inbox")
        expect(page).to_have_url(f"{house.address}/login?next=/inbox")


def test_next_never_leads_to_another_site(browser: Browser, house: PortalHouse, dora: Dora) -> None:
    with person(browser, house.address) as watched:
        evil = "evil.example"
        for wanted in (f"//{evil}/", f"https://{evil}/", f"/\\{evil}/", "javascript:1"):
            # No page is left that still asks for its list while the cookies go.
            watched.page.goto("about:blank")
            watched.context.clear_cookies()
            log_in(watched.go(f"/login?next={wanted}"))
            watched.page.wait_for_url(lambda url: "/login" not in url)
            assert watched.page.url.startswith(house.address + "/")


def test_new_tab_asks_for_the_password_and_opens_nothing_without(
    browser: Browser, house: PortalHouse, dora: Dora
) -> None:
    with person(browser, house.address) as watched:
        enter(watched, house, NAME)
        watched.go("/inbox")
        expect(watched.page.get_by_role("link", name="Änderungsbescheid")).to_be_visible()
        tab = watched.context.new_page()
        tab.goto(f"{house.address}/inbox")
        expect(tab.get_by_role("heading", name="Postfach aufschließen")).to_be_focused()
        expect(tab.get_by_text("Änderungsbescheid")).to_have_count(0)
        watched.page, first = tab, watched.page
        watched.inspect("unlock")
        tab.locator("#unlock-passphrase").fill("falsch geraten heute")
        tab.get_by_role("button", name="Aufschließen").click()
        expect(tab.get_by_text("Das Passwort ist nicht richtig.")).to_be_visible()
        tab.locator("#unlock-passphrase").fill(PASSWORT)
        tab.get_by_role("button", name="Aufschließen").click()
        expect(tab.get_by_role("link", name="Änderungsbescheid")).to_be_visible()
        watched.page = first


def test_stranger_gets_for_others_post_what_he_gets_for_nothing(
    browser: Browser, house: PortalHouse, dora: Dora
) -> None:
    letter = house.enrol("Charlie Fremd")
    with person(browser, house.address) as charlie:
        charlie.allow(r"status of 404")
        arrive(charlie, house, letter, "charlie@example.org")
        bodies = []
        for notice in (dora.notice, "01a00000-0000-7000-8000-000000000000"):
            page = charlie.go(f"/notices/{notice}")
            expect(page.get_by_role("heading", name="Diese Seite gibt es nicht")).to_be_visible()
            bodies.append(page.content().replace(notice, "").replace("?lang=en", ""))
        assert bodies[0] == bodies[1]
        charlie.inspect("error-not-found")


def test_tampered_package_is_not_shown(browser: Browser, house: PortalHouse, dora: Dora) -> None:
    with person(browser, house.address) as watched:
        enter(watched, house, NAME)
        page = watched.go(f"/notices/{dora.notice}")
        expect(page.get_by_role("heading", name="Änderungsbescheid")).to_be_visible()

        def tamper(route: Route) -> None:
            response = route.fetch()
            body = bytearray(response.body())
            body[-20] ^= 1
            route.fulfill(response=response, body=bytes(body))

        page.route("**/retrieve", tamper)
        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.get_by_text("lässt sich mit Ihrem Schlüssel nicht öffnen")).to_be_visible()
        expect(page.locator("#documents")).to_be_hidden()
        expect(page.locator("#acknowledge")).to_be_hidden()


def test_package_that_another_key_signed_is_called_not_genuine(
    browser: Browser, house: PortalHouse, dora: Dora
) -> None:
    with person(browser, house.address) as watched:
        enter(watched, house, NAME)
        page = watched.go(f"/notices/{dora.notice}")
        expect(page.get_by_role("heading", name="Änderungsbescheid")).to_be_visible()

        def swap(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, json={**response.json(), "manifest_keys": [_vkey()]})

        page.route("**/facts", swap)
        page.reload()
        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.get_by_text("Vorsicht: Dieses Schreiben hat die Prüfung")).to_be_visible()
        expect(page.locator("#documents")).to_be_hidden()
        expect(page.locator("#cover")).to_be_hidden()
        watched.inspect("notice-not-genuine")

        # Evidence that speaks of other documents is of no use to anybody but a deceiver.
        def other_documents(route: Route) -> None:
            response = route.fetch()
            facts = response.json()
            facts["documents"][0]["commitment"] = "00" * 32
            route.fulfill(response=response, json=facts)

        page.unroute("**/facts", swap)
        page.route("**/facts", other_documents)
        page.reload()
        expect(page.get_by_text("Vorsicht: Dieses Schreiben hat die Prüfung")).to_be_visible()
        expect(page.locator("#documents")).to_be_hidden()
        expect(page.locator("#acknowledge")).to_be_hidden()


def test_what_the_service_sees_never_opens_anything(
    browser: Browser, house: PortalHouse, dora: Dora
) -> None:
    with person(browser, house.address) as watched:
        sent: list[str] = []
        watched.context.on("request", lambda request: sent.append(str(request.post_data)))
        page = watched.go("/login")
        log_in(page)
        expect(page.get_by_role("link", name="Änderungsbescheid")).to_be_visible()
        everything = "\n".join(sent)
        assert PASSWORT not in everything
        assert "Änderungsbescheid" not in everything
        secret = page.evaluate(
            """async () => {
              const { splitPassphrase } = await import("/static/wrapping.js");
              const { fromBase64, base64 } = await import("/static/bytes.js");
              const account = await (await fetch("/account/keys")).json();
              const copy = account.keys[0].wrapped.find(({ method }) => method === "passphrase");
              const halves = await splitPassphrase(
                "Laterne Zebra Kupfer Wolke", fromBase64(copy.parameters.salt));
              return [base64(halves.loginProof), base64(halves.wrappingKey)];
            }"""
        )
        assert secret[0] in everything  # the search itself works
        assert secret[1] not in everything


def test_wizard_points_at_what_is_wrong(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Emil Muster")
    with person(browser, house.address) as watched:
        watched.allow(r"status of 403")
        page = watched.go("/activate")
        code = page.get_by_role("textbox", name="Freischaltcode")
        code.fill("ABCD")
        next_step(page)
        expect(page.locator("#letter-code-error")).to_contain_text("Der Code hat 28 Buchstaben")
        code.fill(letter.code)
        for label, value in (("Tag", "31"), ("Monat", "2"), ("Jahr", "1984")):
            page.get_by_label(label).fill(value)
        next_step(page)
        expect(page.get_by_text("Diesen Tag gibt es in diesem Monat nicht.")).to_be_visible()
        expect(page.locator("#letter-code-error")).to_be_hidden()
        watched.inspect("activate-1-wrong-date")
        page.get_by_label("Tag").fill("4")
        next_step(page)
        expect(page.get_by_text("Code und Geburtsdatum passen nicht zusammen.")).to_be_visible()
        watched.inspect("activate-1-refused")


def test_page_without_script_says_what_is_needed(browser: Browser, house: PortalHouse) -> None:
    with person(browser, house.address, java_script_enabled=False) as watched:
        page = watched.go("/activate")
        expect(page.get_by_text("Dann ist JavaScript ausgeschaltet")).to_be_visible()
        assert "Diese Seite braucht JavaScript" in page.content()
        expect(page.locator("#app")).to_be_hidden()
        page = watched.go("/")
        expect(page.get_by_role("link", name="Anmelden")).to_be_visible()


def test_first_load_is_small_enough_for_a_cheap_phone(browser: Browser, house: PortalHouse) -> None:
    with person(browser, house.address) as watched:
        page = watched.go("/activate")
        page.wait_for_load_state("networkidle")
        size = page.evaluate(
            """() => [...performance.getEntriesByType("navigation"),
                      ...performance.getEntriesByType("resource")]
                 .reduce((sum, entry) => sum + entry.transferSize, 0)"""
        )
        assert 50_000 < size < 150_000


def test_english_reader_walks_in_english(browser: Browser, house: PortalHouse, dora: Dora) -> None:
    with person(browser, house.address, locale="en-GB") as watched:
        page = watched.go("/")
        expect(page.get_by_role("heading", name="Your mailbox for letters")).to_be_visible()
        watched.inspect("start-en")
        # Dora's mailbox speaks German; what she asks for in this browser goes before.
        page = watched.go("/?lang=en")
        page.get_by_role("link", name="Log in").click()
        page.get_by_role("textbox", name="Login name").fill(NAME)
        page.locator("#passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("heading", name="Now one more code")).to_be_visible()
        page.locator("#login-code").fill(house.login_code())
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(page.get_by_text("You have 1 letter.")).to_be_visible()
        page.get_by_role("link", name="Änderungsbescheid").click()
        expect(page.get_by_text("By when?")).to_be_visible()
        expect(page.locator("h1")).to_have_attribute("lang", "de")
        watched.inspect("notice-en")
        page.locator("header summary").click()
        page.get_by_role("link", name="Deutsch").click()
        expect(page.get_by_text("Bis wann?")).to_be_visible()


def _kept_keys(page: Page) -> Any:
    return page.evaluate(
        """() => new Promise((resolve, reject) => {
          const request = indexedDB.open("siegelpost");
          request.onerror = () => reject(request.error);
          request.onsuccess = () => {
            if (request.result.objectStoreNames.length === 0) return resolve(0);
            const count = request.result.transaction("keys").objectStore("keys").count();
            count.onsuccess = () => resolve(count.result);
          };
        })"""
    )


def _vkey() -> str:
    typed = b"\x01" + bytes(31) + b"\x01"
    name = "anderswo.example/manifest"
    digest = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    return f"{name}+{digest.hex()}+{base64.b64encode(typed).decode()}"
