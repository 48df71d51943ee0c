"""One citizen's whole way in a real browser, letter in hand: activate, read, acknowledge, keep."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.keys import Identity
from tests.support.browsers import Watched, person
from tests.support.portal_house import Letter, PortalHouse, pdf

pytestmark = pytest.mark.browser

PASSWORT = "Laterne Zebra Kupfer Wolke"


def activate(watched: Watched, house: PortalHouse, letter: Letter, email: str) -> None:
    """Walk through the wizard as the letter tells it, inspecting every step."""
    page = watched.go("/")
    watched.inspect("start")
    page.get_by_role("link", name="Postfach freischalten").click()
    expect(page.get_by_role("heading", name="Ihr Brief")).to_be_visible()
    watched.inspect("activate-1-letter")
    page.get_by_role("textbox", name="Freischaltcode").fill(letter.code.lower())
    for label, value in zip(("Tag", "Monat", "Jahr"), letter.born, strict=True):
        page.get_by_label(label).fill(value)
    next_step(page)

    expect(page.get_by_role("heading", name="Ihre E-Mail-Adresse")).to_be_visible()
    watched.inspect("activate-2-address")
    page.get_by_role("textbox", name="E-Mail-Adresse").fill(email)
    page.get_by_role("button", name="Code schicken").click()
    expect(page.get_by_label("Code aus der E-Mail")).to_be_visible()
    watched.inspect("activate-2-code")
    page.get_by_label("Code aus der E-Mail").fill(house.address_code())
    next_step(page)

    expect(page.get_by_role("heading", name="Ihr Passwort")).to_be_visible()
    page.get_by_label("Neues Passwort").fill(PASSWORT)
    page.get_by_label("Passwort wiederholen").fill(PASSWORT)
    watched.inspect("activate-3-password")
    next_step(page)

    expect(page.get_by_role("heading", name="Ihr Einverständnis")).to_be_visible()
    watched.inspect("activate-4-consent")
    page.get_by_label("Ja, ich möchte").check()
    page.get_by_label("Mein Name darf").check()
    next_step(page)

    expect(page.locator("#recovery-title")).to_be_visible()
    watched.inspect("activate-5-recovery")
    asked = page.locator("#recovery-group")
    number = int(page.locator('label[for="recovery-group"]').inner_text().split()[-1])
    asked.fill(page.locator("#recovery-code li").nth(number - 1).inner_text().lower())
    page.get_by_role("button", name="Postfach freischalten").click()
    expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_visible()
    watched.inspect("activate-6-done")


def next_step(page: Page) -> None:
    """Press the one button that leads on."""
    page.locator("button:visible", has_text="Weiter").click()


def test_a_citizen_activates_reads_acknowledges_and_keeps_the_proof(
    browser: Browser, house: PortalHouse, tmp_path: Path
) -> None:
    letter = house.enrol("Alice Beispiel")
    with person(browser, house.address, accept_downloads=True) as alice:
        activate(alice, house, letter, "alice@example.org")
        page = alice.page
        page.get_by_role("link", name="Zu meinen Schreiben").click()
        expect(page.get_by_text("Ihr Postfach ist leer")).to_be_visible()
        alice.inspect("inbox-empty")

        notice = pdf("Bescheid", "Wir bewilligen Ihnen 563 Euro im Monat.")
        annex = pdf("Berechnungsbogen", "Bedarf und Einkommen")
        house.send(letter, "Bitte um Unterlagen", pdf("Aufforderung", "Kontoauszüge"), due=None)
        notice_id = house.send(
            letter, "Bewilligung von Bürgergeld", notice, annex, due=date(2026, 12, 28)
        )
        page.reload()
        link = page.get_by_role("link", name="Bewilligung von Bürgergeld")
        expect(link).to_be_visible()
        expect(page.get_by_text("Zu erledigen bis Montag, 28. Dezember 2026")).to_be_visible()
        alice.inspect("inbox")

        link.click()
        title = page.get_by_role("heading", name="Bewilligung von Bürgergeld")
        expect(title).to_be_visible()
        expect(page.get_by_text("Prüfen Sie die Beträge.")).to_be_visible()
        alice.inspect("notice-sealed")

        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.get_by_text("Dieses Schreiben ist echt und unverändert")).to_be_visible()
        with page.expect_download() as saving:
            page.get_by_role("link", name="Speichern: Bescheid.pdf").click()
        assert saving.value.suggested_filename == "Bescheid.pdf"
        assert Path(saving.value.path()).read_bytes() == bytes(notice.content)
        with alice.context.expect_page() as viewing:
            page.get_by_role("link", name="Ansehen: Bescheid.pdf").click()
        assert viewing.value.url.startswith("blob:")
        expect(viewing.value.locator("embed[type='application/pdf']")).to_be_attached()
        viewing.value.close()
        alice.inspect("notice-open")

        page.get_by_role("button", name="Erhalt bestätigen").click()
        expect(page.get_by_text("Sie haben den Erhalt bestätigt").first).to_be_visible()
        page.get_by_text("Was mit diesem Schreiben geschehen ist").click()
        expect(page.locator("#events li")).to_have_count(4)
        with page.expect_download() as receiving:
            page.get_by_role("button", name="Quittung speichern").click()
        receipt = Path(receiving.value.path()).read_bytes()
        page.locator("summary", has_text="Versiegelte Datei speichern").click()
        with page.expect_download() as taking:
            page.get_by_role("button", name="Versiegelte Datei speichern").click()
        sealed = Path(taking.value.path()).read_bytes()
        page.once("dialog", lambda dialog: dialog.accept())
        with page.expect_download() as keys:
            page.get_by_role("button", name="Schlüssel speichern").click()
        identity = Identity.parse(Path(keys.value.path()).read_text().strip())
        alice.inspect("notice-acknowledged")

    verify_receipt(receipt, house.trust)
    types = [json.loads(event["body"])["type"] for event in json.loads(receipt)["events"]]
    assert types[-2:] == ["retrieved", "acknowledged"], notice_id
    assert open_bytes(sealed, [identity]).startswith(b"PK\x03\x04")
