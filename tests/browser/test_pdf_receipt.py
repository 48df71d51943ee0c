"""The receipt as PDF: one button beside the JSON, and a file that verifies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from siegelpost.evidence.pdf_verify import verify_pdf
from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf

pytestmark = pytest.mark.browser


def test_a_citizen_saves_the_receipt_as_pdf(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Alice Papier")
    with person(browser, house.address, accept_downloads=True) as alice:
        arrive(alice, house, letter, "alice-pdf@example.org")
        page = alice.page
        notice = house.send(letter, "Bewilligung", pdf("Bescheid", "563 Euro"), due=None)
        page.goto(f"{house.address}/notices/{notice}")
        button = page.get_by_role("button", name="Quittung als PDF")
        expect(button).to_be_visible()
        button.scroll_into_view_if_needed()
        alice.inspect("notice-receipt")
        with page.expect_download(timeout=60_000) as saving:
            button.click()
        assert saving.value.suggested_filename == f"Quittung-{notice}.pdf"
        saved = Path(saving.value.path()).read_bytes()
        expect(page.get_by_text("Die Quittung ist gespeichert.")).to_be_attached()
        alice.assert_nothing_wrong()
    verified = verify_pdf(saved, house.trust, now=datetime.now(UTC))
    assert verified.receipt.receipt.notice == notice
