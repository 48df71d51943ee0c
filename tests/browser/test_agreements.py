"""Consents and the address, as a person meets them: on a phone, at a desk, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from siegelpost.notices.errors import Refusal
from siegelpost.store.tables import Session, core
from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.openpgp import person as gpg_home
from tests.support.portal_house import PortalHouse, pdf
from tests.support.walks import PASSWORT

pytestmark = pytest.mark.browser


def test_consent_is_seen_revoked_in_one_step_and_given_again(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Erika Beispiel")
    with person(browser, house.address) as erika:
        arrive(erika, house, letter, "erika@example.org")
        page = erika.go("/account")
        erika.inspect("account-nav")
        page.get_by_role("link", name="Einwilligungen").click()
        expect(page.get_by_role("heading", name="Einwilligungen")).to_be_visible()
        current = page.locator("nav a[aria-current=page]")
        expect(current).to_have_text("Einwilligungen")
        erika.inspect("consent-1")
        page.get_by_text("Wieder Post auf Papier bekommen").click()
        expect(page.get_by_text("seine Fristen laufen weiter")).to_be_visible()
        erika.inspect("consent-2-asked")
        page.get_by_role("button", name="Ja, widerrufen").click()
        expect(page.get_by_role("heading", name="Ihr Widerruf gilt ab jetzt")).to_be_visible()
        erika.inspect("consent-2-revoked")
        with pytest.raises(Refusal):
            house.send(letter, "Mahnung", pdf("Mahnung", "Bitte zahlen"), due=None)
        page.get_by_text("Schreiben wieder elektronisch bekommen").click()
        erika.inspect("consent-3-text")
        page.get_by_role("button", name="Ich bin einverstanden").first.click()
        expect(page.get_by_role("heading", name="Ihr Einverständnis gilt")).to_be_visible()
        house.send(letter, "Mahnung", pdf("Mahnung", "Bitte zahlen"), due=None)
        page.get_by_text("Was Sie wann vereinbart haben").click()
        expect(page.get_by_text("widerrufen am")).to_be_visible()
        erika.inspect("consent-4-history")
        page.goto(house.address + "/account/consent?lang=en")
        expect(page.get_by_role("heading", name="Consents", exact=True)).to_be_visible()
        erika.inspect("consent-5-english")


def test_address_is_changed_after_a_proof_and_a_code(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Gerda Beispiel")
    name = "gerda@example.org"
    with person(browser, house.address) as gerda:
        gerda.allow(r"status of 403")
        arrive(gerda, house, letter, name)
        house.run(forget_proofs(house))
        page = gerda.go("/account/address")
        gerda.inspect("address-1")
        page.get_by_role("button", name="Adresse ändern").click()
        expect(page.get_by_role("heading", name="Sind Sie es?")).to_be_focused()
        page.get_by_label("Ihr jetziges Passwort").fill(PASSWORT)
        gerda.inspect("address-2-proof")
        page.get_by_role("button", name="Weiter").click()
        page.get_by_label("Neue E-Mail-Adresse").fill("gerda.neu@example.org")
        gerda.inspect("address-3-new")
        page.get_by_role("button", name="Code schicken").click()
        expect(page.get_by_text("Wir haben Ihnen einen Code geschickt")).to_be_visible()
        gerda.inspect("address-4-code")
        page.get_by_label("Code aus der E-Mail").fill("00000000")
        page.get_by_role("button", name="Adresse bestätigen").click()
        expect(page.locator("#problem")).to_be_visible()
        gerda.inspect("address-5-wrong")
        page.get_by_label("Code aus der E-Mail").fill(house.address_change_code())
        page.get_by_role("button", name="Adresse bestätigen").click()
        expect(page.get_by_text("Die neue Adresse gilt ab jetzt")).to_be_visible()
        expect(page.get_by_text("gerda.neu@example.org").first).to_be_visible()
        page.get_by_label("Sprache der E-Mails").select_option("tr")
        page.get_by_role("button", name="Speichern").click()
        # The pages speak the language of the mails from now on.
        expect(page.get_by_role("heading", name="Kaydedildi")).to_be_visible()
        gerda.inspect("address-6-done")


def test_consents_and_settings_work_without_javascript(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Hanna Beispiel")
    with person(browser, house.address) as hanna:
        arrive(hanna, house, letter, "hanna@example.org")
        kept = hanna.context.storage_state()
    with person(browser, house.address, java_script_enabled=False, storage_state=kept) as hanna:
        page = hanna.go("/account/consent")
        page.get_by_text("Wieder Post auf Papier bekommen").click()
        page.get_by_role("button", name="Ja, widerrufen").click()
        expect(page.get_by_role("heading", name="Ihr Widerruf gilt ab jetzt")).to_be_visible()
        page.get_by_role("link", name="E-Mail und Sprache").click()
        page.get_by_label("E-Mails dürfen mich mit Namen").uncheck()
        page.get_by_role("button", name="Speichern").click()
        expect(page.get_by_role("heading", name="Gespeichert")).to_be_visible()
        expect(page.get_by_label("E-Mails dürfen mich mit Namen")).not_to_be_checked()


def test_own_key_is_given_compared_and_removed(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Ilse Beispiel")
    name = "ilse@example.org"
    with person(browser, house.address) as ilse, gpg_home() as program:
        ilse.allow(r"status of 4\d\d")
        fingerprint = program.make(f"Ilse Beispiel <{name}>")
        arrive(ilse, house, letter, name)
        house.run(forget_proofs(house))
        page = ilse.go("/account")
        page.get_by_role("link", name="Verschlüsselte E-Mails").click()
        ilse.inspect("openpgp-1")
        page.get_by_role("button", name="Schlüssel ändern").click()
        expect(page.get_by_role("heading", name="Sind Sie es?")).to_be_focused()
        page.get_by_label("Ihr jetziges Passwort").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        page.get_by_role("button", name="Bei meinem Anbieter suchen").click()
        expect(page.locator("#problem")).to_contain_text("keinen Schlüssel für Ihre Adresse")
        ilse.inspect("openpgp-2-not-found")
        page.get_by_label("Datei mit Ihrem öffentlichen Schlüssel").set_input_files(
            {"name": "ilse.asc", "mimeType": "text/plain", "buffer": program.export(fingerprint)}
        )
        expect(page.get_by_label("Öffentlicher Schlüssel als Text")).to_have_value(
            re.compile("BEGIN PGP PUBLIC KEY BLOCK")
        )
        page.get_by_role("button", name="Schlüssel einfügen").click()
        expect(page.get_by_role("heading", name="Der Schlüssel ist da.")).to_be_visible()
        ilse.inspect("openpgp-3-waits")
        page.get_by_label("Fingerabdruck aus Ihrem Programm").fill(fingerprint.lower())
        page.get_by_role("button", name="Diesen Schlüssel benutzen").click()
        expect(page.get_by_role("heading", name="Ab jetzt verschlüsseln wir")).to_be_visible()
        ilse.inspect("openpgp-4-in-force")
        page.get_by_role("button", name="Schlüssel entfernen").click()
        expect(page.get_by_role("heading", name="wieder unverschlüsselt")).to_be_visible()
        page.goto(house.address + "/account/openpgp?lang=en")
        expect(page.get_by_role("heading", name="Encrypted e-mails", exact=True)).to_be_visible()
        ilse.inspect("openpgp-5-english")


async def forget_proofs(house: PortalHouse) -> None:
    """Every session's proof is too old."""
    await house.context.store.write(
        lambda connection: connection.execute(update(core(Session)).values(proved_at=None))
    )
