"""One citizen's whole way in a real browser, letter in hand: activate, read, acknowledge, keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from siegelpost.evidence.verify import verify_receipt
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.keys import Identity
from tests.support.browsers import DESKTOP, PHONE, person, whole_chromium
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import activate

pytestmark = pytest.mark.browser


@pytest.fixture
def browser(browser: Browser) -> Iterator[Browser]:
    """The whole one, which shows PDF files."""
    with whole_chromium(browser) as whole:
        yield whole


def test_a_citizen_activates_reads_acknowledges_and_keeps_the_proof(
    browser: Browser, house: PortalHouse, tmp_path: Path
) -> None:
    letter = house.enrol("Alice Beispiel")
    with person(browser, house.address, accept_downloads=True) as alice:
        # The page asks again while a receipt's newest event waits for its checkpoint.
        alice.allow(r"status of 409 .*/receipt\)")
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
        # The four answers and the button that opens take little more than a small phone's screen.
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        button = page.get_by_role("button", name="Schreiben öffnen").bounding_box()
        assert button is not None
        assert button["y"] + button["height"] < 1.4 * PHONE["height"]
        page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})

        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.get_by_text("Dieses Schreiben ist echt und unverändert")).to_be_visible()
        with page.expect_download() as saving:
            page.get_by_role("link", name="Speichern: Bescheid.pdf").click()
        assert saving.value.suggested_filename == "Bescheid.pdf"
        assert Path(saving.value.path()).read_bytes() == bytes(notice.content)
        with alice.context.expect_page() as viewing:
            page.get_by_role("link", name="Ansehen: Bescheid.pdf").click()
        assert viewing.value.url.startswith("blob:")
        assert viewing.value.evaluate("document.contentType") == "application/pdf"
        viewing.value.close()
        alice.inspect("notice-open")

        page.get_by_role("button", name="Erhalt bestätigen").click()
        expect(page.get_by_text("Sie haben den Erhalt bestätigt").first).to_be_visible()
        page.get_by_text("Alle Schritte").click()
        expect(page.locator("#events li")).to_have_count(4)
        with page.expect_download() as receiving:
            page.get_by_role("button", name="Quittung für Prüfprogramme").click()
        receipt = Path(receiving.value.path()).read_bytes()
        page.locator("summary", has_text="Das Schreiben ohne uns öffnen").click()
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
