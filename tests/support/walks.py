"""Ways through the pages that several browser tests walk."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browsers import Watched
from tests.support.portal_house import RUNNING, Letter, PortalHouse

#: What everybody in these tests chose.
PASSWORT = "Laterne Zebra Kupfer Wolke"


def activate(
    watched: Watched, house: PortalHouse, letter: Letter, email: str, *, inspect: bool = True
) -> str:
    """Walk through the wizard as the letter tells it, inspecting; return the emergency code."""

    def look(name: str) -> None:
        if inspect:
            watched.inspect(name)

    page = watched.go("/")
    look("start")
    page.get_by_role("link", name="Postfach freischalten").click()
    expect(page.get_by_role("heading", name="Ihr Brief")).to_be_visible()
    look("activate-1-letter")
    page.get_by_role("textbox", name="Freischaltcode").fill(letter.code.lower())
    for label, value in zip(("Tag", "Monat", "Jahr"), letter.born, strict=True):
        page.get_by_label(label).fill(value)
    next_step(page)

    expect(page.get_by_role("heading", name="Ihre E-Mail-Adresse")).to_be_visible()
    look("activate-2-address")
    page.get_by_role("textbox", name="E-Mail-Adresse").fill(email)
    page.get_by_role("button", name="Code schicken").click()
    expect(page.get_by_label("Code aus der E-Mail")).to_be_visible()
    look("activate-2-code")
    page.get_by_label("Code aus der E-Mail").fill(house.address_code())
    next_step(page)

    expect(page.get_by_role("heading", name="Ihr Passwort")).to_be_visible()
    page.get_by_label("Neues Passwort").fill(PASSWORT)
    page.get_by_label("Passwort wiederholen").fill(PASSWORT)
    look("activate-3-password")
    next_step(page)

    expect(page.get_by_role("heading", name="Ihr Einverständnis")).to_be_visible()
    look("activate-4-consent")
    page.get_by_label("Ja, ich möchte").check()
    page.get_by_label("Mein Name darf").check()
    next_step(page)

    expect(page.locator("#recovery-title")).to_be_visible()
    look("activate-5-recovery")
    code = note_code(page)
    page.get_by_role("button", name="Postfach freischalten").click()
    expect(page.get_by_role("heading", name="Ihr Postfach ist fertig")).to_be_visible()
    look("activate-6-done")
    return code


def note_code(page: Page) -> str:
    """Read the emergency code off the page and type the group that is asked for."""
    expect(page.locator("#recovery-code li").last).to_be_visible()
    groups = page.locator("#recovery-code li").all_inner_texts()
    number = int(page.locator('label[for="recovery-group"]').inner_text().split()[-1])
    page.locator("#recovery-group").fill(groups[number - 1].lower())
    return "-".join(groups)


def log_in(page: Page, name: str, password: str = PASSWORT) -> None:
    """Fill in the login form and send it, and then the code that is mailed, if one is."""
    give_password(page, name, password)
    # Three things can come: the question for the code, a refusal, a mistake in a field.
    form = page.locator("#login-form")
    answer = page.locator("#login-code").or_(form.locator("[data-alert]:visible"))
    expect(answer.or_(form.locator(".kern-error:visible")).first).to_be_visible()
    if page.locator("#login-code").is_visible():
        house = RUNNING["/".join(page.url.split("/")[:3])]
        page.locator("#login-code").fill(house.login_code())
        page.get_by_role("button", name="Weiter", exact=True).click()


def give_password(page: Page, name: str, password: str = PASSWORT) -> None:
    """Fill in the login form and send it."""
    page.get_by_role("textbox", name="Anmeldename").fill(name)
    page.locator("#passphrase").fill(password)
    page.get_by_role("button", name="Anmelden", exact=True).click()


def next_step(page: Page) -> None:
    """Press the one button that leads on."""
    page.locator("button:visible", has_text="Weiter").click()
