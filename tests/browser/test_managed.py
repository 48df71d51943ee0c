"""A managed mailbox as its owner meets it, and the way to an own key; and when all is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from siegelpost.citizens.letters import PostalAddress
from siegelpost.citizens.renew import renewal_letter
from tests.support.arrivals import arrive
from tests.support.browsers import Watched, person
from tests.support.portal_house import Letter, PortalHouse, pdf
from tests.support.walks import PASSWORT, log_in, next_step, note_code

pytestmark = pytest.mark.browser


def to_consent(watched: Watched, house: PortalHouse, letter: Letter, email: str) -> Page:
    """The wizard up to the consent."""
    page = watched.go("/activate")
    page.get_by_role("textbox", name="Freischaltcode").fill(letter.code)
    for label, value in zip(("Tag", "Monat", "Jahr"), letter.born, strict=True):
        page.get_by_label(label).fill(value)
    next_step(page)
    page.get_by_role("textbox", name="E-Mail-Adresse").fill(email)
    page.get_by_role("button", name="Code schicken").click()
    expect(page.get_by_label("Code aus der E-Mail")).to_be_visible()
    page.get_by_label("Code aus der E-Mail").fill(house.address_code())
    next_step(page)
    page.get_by_label("Neues Passwort").fill(PASSWORT)
    page.get_by_label("Passwort wiederholen").fill(PASSWORT)
    next_step(page)
    expect(page.get_by_role("heading", name="Ihr Einverständnis")).to_be_visible()
    return page


def new_letter(house: PortalHouse, letter: Letter) -> Letter:
    """The agency's letter for a new key of the mailbox that ``letter`` made."""
    renewed = house.run(
        renewal_letter(
            house.context,
            agency_id=house.agency_id,
            client_id="client",
            enrolment_id=letter.enrolment_id,
            address=PostalAddress(
                name="Beispiel", street="Weg 1", postal_code="01234", city="Musterstadt"
            ),
        )
    )
    return Letter(enrolment_id=letter.enrolment_id, code=renewed.activation_code, born=letter.born)


def test_managed_mailbox_says_so_everywhere_and_can_be_taken_over(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Otto Beispiel", managed=True)
    name = "otto@example.org"
    with person(browser, house.address) as otto:
        page = to_consent(otto, house, letter, name)
        expect(page.get_by_role("heading", name="Wer verwahrt Ihren Schlüssel?")).to_be_visible()
        otto.inspect("managed-1-choice")
        page.get_by_label("Ja, ich möchte Schreiben").check()
        page.get_by_label("Ich möchte, dass der Dienst").check()
        next_step(page)
        expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_focused()
        expect(page.get_by_text("Dies ist ein verwaltetes Postfach: Wir")).to_be_visible()
        otto.inspect("managed-2-done")
        house.send(letter, "Bewilligung", pdf("Bescheid", "Geld"), due=None)
    with person(browser, house.address) as otto:
        page = otto.go("/login?next=/inbox")
        log_in(page, name)
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()
        expect(page.get_by_text("den Schlüssel verwahren wir für Sie")).to_be_visible()
        expect(page.get_by_text("Wir können sie nicht öffnen.")).to_have_count(0)
        page = otto.go("/account")
        expect(page.get_by_text("Dies ist ein verwaltetes Postfach.")).to_be_visible()
        expect(page.get_by_text("Der Dienst hat Ihren Schlüssel").first).to_be_visible()
        otto.inspect("managed-3-account")
        page.get_by_role("link", name="Schlüssel selbst übernehmen").click()
        expect(page.get_by_text("Bisher verwahren wir Ihren Schlüssel.")).to_be_visible()
        otto.inspect("managed-4-take-over")
        page.locator("#passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Weiter").click()
        note_code(page)
        page.get_by_role("button", name="Schlüssel jetzt austauschen").click()
        expect(page.get_by_role("heading", name="Ihr neuer Schlüssel gilt")).to_be_focused()
        page = otto.go("/inbox")
        expect(page.get_by_role("link", name="Bewilligung")).to_be_visible()
        expect(page.get_by_text("Wir können sie nicht öffnen.")).to_be_visible()


def test_what_the_service_kept_opens_after_a_letter_for_an_own_key(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Ruth Beispiel", managed=True)
    name = "ruth@example.org"
    with person(browser, house.address) as ruth:
        page = to_consent(ruth, house, letter, name)
        page.get_by_label("Ja, ich möchte Schreiben").check()
        page.get_by_label("Ich möchte, dass der Dienst").check()
        next_step(page)
        expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_focused()
        house.send(letter, "Früherer Bescheid", pdf("Alt", "Text"), due=None)
    with person(browser, house.address) as ruth:
        page = to_consent(ruth, house, new_letter(house, letter), name)
        page.get_by_label("Ja, ich möchte Schreiben").check()
        next_step(page)
        note_code(page)
        page.get_by_role("button", name="Postfach freischalten").click()
        expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_visible()
        house.send(letter, "Neuer Bescheid", pdf("Neu", "Text"), due=None)
        page = ruth.go("/inbox")
        expect(page.get_by_role("link", name="Neuer Bescheid")).to_be_visible()
        expect(page.get_by_role("link", name="Früherer Bescheid")).to_be_visible()
    with person(browser, house.address) as ruth:
        page = ruth.go("/login?next=/inbox")
        log_in(page, name)
        expect(page.get_by_role("link", name="Neuer Bescheid")).to_be_visible()
        expect(page.get_by_role("link", name="Früherer Bescheid")).to_be_visible()


def test_all_is_lost_and_a_new_letter_gives_a_new_key(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Paula Beispiel")
    name = "paula.lost@example.org"
    with person(browser, house.address) as paula:
        arrive(paula, house, letter, name)
        house.send(letter, "Alter Bescheid", pdf("Alt", "Text"), due=None)
    with person(browser, house.address) as paula:
        page = paula.go("/recover")
        page.get_by_text("Ich habe auch den Notfall-Code nicht mehr").click()
        page.get_by_role("link", name="Was jetzt geschieht").click()
        expect(
            page.get_by_role("heading", name="Passwort und Notfall-Code sind weg")
        ).to_be_visible()
        paula.inspect("lost")
        page = to_consent(paula, house, new_letter(house, letter), name)
        page.get_by_label("Ja, ich möchte Schreiben").check()
        next_step(page)
        note_code(page)
        page.get_by_role("button", name="Postfach freischalten").click()
        expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_visible()
        house.send(letter, "Neuer Bescheid", pdf("Neu", "Text"), due=None)
        page = paula.go("/inbox")
        expect(page.get_by_role("link", name="Neuer Bescheid")).to_be_visible()
        paula.inspect("lost-inbox")
        page = paula.go("/account")
        expect(page.get_by_text("Die Behörde hat einen neuen Brief")).to_be_visible()
