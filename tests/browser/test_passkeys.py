"""Passkeys with a virtual authenticator: one tap with PRF, tap and password without it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from tests.support.arrivals import arrive
from tests.support.browsers import Watched, person
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import PASSWORT, activate, log_in

pytestmark = pytest.mark.browser


def authenticator(watched: Watched, *, prf: bool) -> tuple[CDPSession, str]:
    """A platform authenticator of this page, which verifies its user by itself."""
    session = watched.context.new_cdp_session(watched.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "hasPrf": prf,
        "automaticPresenceSimulation": True,
    }
    added: dict[str, Any] = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, added["authenticatorId"]


def log_out(watched: Watched) -> None:
    watched.page.get_by_role("button", name="Abmelden", exact=True).first.click()
    expect(watched.page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()


def tap(watched: Watched, path: str = "/login") -> None:
    """Log in by passkey."""
    watched.go(path)
    watched.page.get_by_role("button", name="Mit Fingerabdruck, Gesicht oder PIN anmelden").click()


def test_one_tap_logs_in_and_opens_until_the_passkey_is_removed(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Ida Beispiel")
    name = "ida@example.org"
    with person(browser, house.address) as ida:
        ida.allow(r"status of 403")
        session, device = authenticator(ida, prf=True)
        activate(ida, house, letter, name, inspect=False)
        house.send(letter, "Bewilligung", pdf("Bescheid", "Geld"), due=None)
        page = ida.page
        page.get_by_role("link", name="Anmelden mit einem Tippen einrichten").click()
        page.get_by_role("button", name="Dieses Gerät einrichten").click()
        expect(page.get_by_text("Ein Tippen genügt künftig")).to_be_visible()
        expect(page.locator("#passkeys li")).to_have_count(1)
        expect(page.get_by_text("Eingerichtet: Fingerabdruck, Gesicht oder PIN")).to_be_visible()
        ida.inspect("account-passkey")

        sent: list[str] = []
        ida.context.on("request", lambda request: sent.append(str(request.post_data)))
        log_out(ida)
        ida.go("/login")
        ida.inspect("login-passkey")
        tap(ida)
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()
        assert page.locator("#unlock").is_hidden()
        assert not any("login_proof" in body or "prf" in body for body in sent)

        # A new tab has no key: the same tap unlocks.
        page.evaluate("sessionStorage.clear()")
        page.reload()
        expect(page.get_by_role("heading", name="Postfach aufschließen")).to_be_visible()
        ida.inspect("unlock-passkey")
        page.get_by_role("button", name="Mit Fingerabdruck, Gesicht oder PIN").click()
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()

        # Removing needs a proof, which a tap gives as well as the password.
        log_out(ida)
        tap(ida, "/login?next=/account")
        page.get_by_role("button", name="Entfernen: Chrome, Linux").click()
        expect(page.get_by_role("heading", name="Sind Sie es?")).to_be_focused()
        ida.inspect("account-proof-passkey")
        page.get_by_role("button", name="Mit Fingerabdruck, Gesicht oder PIN").click()
        expect(page.get_by_text("Das Gerät ist entfernt.")).to_be_visible()
        expect(page.locator("#passkeys li")).to_have_count(0)
        log_out(ida)
        tap(ida)
        expect(page.get_by_text("Dieses Gerät gilt nicht mehr")).to_be_visible()
        ida.inspect("login-passkey-refused")
        log_in(page, name)
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()
        credentials = session.send("WebAuthn.getCredentials", {"authenticatorId": device})
        assert len(credentials["credentials"]) == 1


def test_device_without_prf_logs_in_and_the_password_unlocks(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Jana Beispiel")
    name = "jana@example.org"
    with person(browser, house.address) as jana:
        arrive(jana, house, letter, name)
        house.send(letter, "Bewilligung", pdf("Bescheid", "Geld"), due=None)
    with person(browser, house.address) as jana:
        authenticator(jana, prf=False)
        page = jana.go("/login?next=/account")
        log_in(page, name)
        page.get_by_role("button", name="Dieses Gerät einrichten").click()
        page.locator("#proof-passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        expect(
            page.get_by_text("Zum Aufschließen brauchen Sie weiter Ihr Passwort")
        ).to_be_visible()
        jana.inspect("account-passkey-without-prf")
        # A second time on one device makes no second passkey.
        page.get_by_role("button", name="Dieses Gerät einrichten").click()
        expect(page.get_by_text("Das hat nicht geklappt. Bitte versuchen")).to_be_visible()
        expect(page.locator("#passkeys li")).to_have_count(1)
        log_out(jana)
        tap(jana)
        expect(page.get_by_role("heading", name="Postfach aufschließen")).to_be_visible()
        expect(page.get_by_role("link", name="Bewilligung")).to_have_count(0)
        page.locator("#unlock-passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Aufschließen").click()
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()


def test_two_devices_open_one_mailbox_and_a_strange_one_none(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Karla Beispiel")
    name = "karla@example.org"
    with (
        person(browser, house.address) as phone,
        person(browser, house.address) as desk,
        person(browser, house.address) as charlie,
    ):
        charlie.allow(r"status of 40")
        arrive(phone, house, letter, name)
        for device in (phone, desk):
            authenticator(device, prf=True)
            page = device.go("/login?next=/account")
            if device is desk:
                log_in(page, name)
                page.get_by_role("button", name="Dieses Gerät einrichten").click()
                page.locator("#proof-passphrase").fill(PASSWORT)
                page.get_by_role("button", name="Weiter").click()
            else:
                page.get_by_role("button", name="Dieses Gerät einrichten").click()
            expect(page.get_by_text("Ein Tippen genügt künftig")).to_be_visible()
        expect(desk.page.locator("#passkeys li")).to_have_count(2)
        for device in (phone, desk):
            log_out(device)
            tap(device)
            expect(device.page.get_by_text("Ihr Postfach ist leer")).to_be_visible()
        authenticator(charlie, prf=True)
        tap(charlie)
        expect(charlie.page.get_by_text("noch nicht eingerichtet")).to_be_visible()
