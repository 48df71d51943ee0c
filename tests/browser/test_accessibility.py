"""Every page of the portal as people with other eyes, hands and languages meet it (WCAG 2.2 AA).

The router is walked, so that a new page is not forgotten. One citizen and one browser serve all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from siegelpost.portal.app import ROUTES
from tests.support.arrivals import arrive
from tests.support.browsers import DESKTOP, OF_COLOURS, PHONE, Watched, person
from tests.support.keyboards import walk_by_tab
from tests.support.portal_house import PortalHouse, pdf
from tests.support.sealing import ALICE

pytestmark = pytest.mark.browser

#: What a script asks for, or a file; everything else that is got is a page.
NO_PAGES = {
    *("/session", "/account/overview", "/account/keys", "/account/rewrap", "/inbox/notices"),
    *("/notices/{id}/facts", "/notices/{id}/receipt", "/notices/{id}/receipt.pdf"),
    *("/notices/{id}/deadline.ics", "/login/oidc/back", "/assets"),
    *("/notices/{id}/reply/facts", "/notices/{id}/replies", "/replies/{reply}"),
}
#: Pages of people who help somebody need two people: the walks of trusted people look at them.
PAGES = sorted(
    {path for method, path, _ in ROUTES if method == "GET" and "{mandate}" not in path} - NO_PAGES
)
SIGNED_OUT = ["/?signed-out", "/login?timed-out", "/nowhere"]
SIGNED_OUT += [path for path in PAGES if not path.startswith(("/account", "/inbox", "/notices"))]
#: 1280 px at a zoom of 200 %.
ZOOMED = {"width": 640, "height": 400}
#: What pages say without script. Chromium under test leaves `noscript` alone (a unit test looks for
#: it), but shows the box beside it.
NEEDED = "Dann ist JavaScript ausgeschaltet"
_NO_MOTION = "document.getAnimations().filter((a) => a.effect.getTiming().duration > 1).length"


@dataclass(frozen=True, kw_only=True)
class Alice:
    """Somebody with a mailbox, logged in and unlocked."""

    #: her browser
    watched: Watched
    #: a notice that she has
    notice_id: str


@pytest.fixture(scope="module")
def alice(browser: Browser, house: PortalHouse) -> Iterator[Alice]:
    """The one citizen of these tests."""
    letter = house.enrol("Alice Auge")
    with person(browser, house.address, reduced_motion="reduce") as watched:
        arrive(watched, house, letter, "auge@beispiel.example")
        notice_id = house.send(
            letter, "Bewilligung von Bürgergeld", pdf("Bescheid", "563 Euro"), due=None
        )
        house.send(letter, "Bitte um Unterlagen", pdf("Aufforderung", "Kontoauszüge"), due=None)
        # So that the form for replies is looked at, not the word that there is none.
        house.take_replies(ALICE.recipient.raw)
        page = watched.go("/account/consent")
        page.locator("summary", has_text="Über dieses Postfach schreiben").click()
        page.get_by_role("button", name="Ich bin einverstanden").click()
        expect(page.get_by_text("Ihr Einverständnis gilt ab jetzt")).to_be_visible()
        yield Alice(watched=watched, notice_id=notice_id)
        house.take_replies(None)


@pytest.fixture(scope="module")
def stranger(browser: Browser, house: PortalHouse) -> Iterator[Watched]:
    """Somebody who is not logged in."""
    with person(browser, house.address, reduced_motion="reduce") as watched:
        watched.allow("404")
        yield watched


#: Name, size, colours, forced colours. Arabic stands for what runs leftwards, and needs fewer.
WAYS = {
    "de": (
        ("light", DESKTOP, "light", "none"),
        ("phone-forced", PHONE, "light", "active"),
        ("zoomed", ZOOMED, "light", "none"),
        ("phone-dark", PHONE, "dark", "none"),
    ),
    "ar": (("phone-light", PHONE, "light", "none"), ("dark", DESKTOP, "dark", "none")),
}


def look_in_every_way(watched: Watched, name: str, language: str) -> None:
    """Axe in light, dark and forced colours, narrow and zoomed; nothing is cut off or moves."""
    page = watched.page
    for way, size, scheme, forced in WAYS[language]:
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light",
            forced_colors="active" if forced == "active" else "none",
        )
        if way == "phone-dark":  # after the same phone in other colours
            watched.run_axe(f"{name} {way}", OF_COLOURS)
        else:
            watched.run_axe(f"{name} {way}")
        watched.check_width(f"{name} {way}")
        watched.picture(f"{name}-{way}", animations="disabled")
    if language != "de":
        page.emulate_media(color_scheme="light", forced_colors="none")
        return
    # Text alone at 200 %, as browsers' settings make it; through the object model, which the
    # policy allows.
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    watched.check_width(f"{name} with large text")
    watched.picture(f"{name}-large-text")
    page.evaluate("document.documentElement.style.fontSize = ''")
    if page.evaluate(_NO_MOTION):
        watched.wrongs.append(f"{name} moves though the reader wants no motion")
    page.emulate_media(color_scheme="light", forced_colors="none")


def named(path: str, language: str) -> str:
    return (
        "a11y" + re.sub(r"[^a-z]+", "-", path.replace("{id}", "one")).rstrip("-") + "-" + language
    )


def opened(watched: Watched, path: str, language: str) -> None:
    watched.go(path + ("&" if "?" in path else "?") + f"lang={language}")
    page = watched.page
    assert page.locator("html").get_attribute("lang") == language
    # Pages with scripts show themselves when they are ready.
    expect(page.locator("h1:visible").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def nothing_wrong(watched: Watched) -> None:
    """Fail with what went wrong on this page; the next one starts afresh."""
    try:
        watched.assert_nothing_wrong()
    finally:
        watched.wrongs.clear()


@pytest.mark.parametrize("language", ["de", "ar"])
@pytest.mark.parametrize("path", SIGNED_OUT)
def test_pages_of_strangers_are_accessible_in_every_way(
    stranger: Watched, path: str, language: str
) -> None:
    opened(stranger, path, language)
    look_in_every_way(stranger, named(path, language), language)
    walk_by_tab(stranger, named(path, language))
    nothing_wrong(stranger)


@pytest.mark.parametrize("language", ["de", "ar"])
@pytest.mark.parametrize("path", sorted(set(PAGES) - set(SIGNED_OUT)))
def test_pages_of_citizens_are_accessible_in_every_way(
    alice: Alice, path: str, language: str
) -> None:
    watched = alice.watched
    opened(watched, path.replace("{id}", alice.notice_id), language)
    look_in_every_way(watched, named(path, language), language)
    walk_by_tab(watched, named(path, language))
    nothing_wrong(watched)


def test_several_wrong_fields_are_listed_each_with_a_way_to_its_field(stranger: Watched) -> None:
    opened(stranger, "/login", "de")
    page = stranger.page
    page.get_by_role("button", name="Anmelden", exact=True).click()
    summary = page.locator("#login-form [data-alert]")
    expect(summary.get_by_role("link")).to_have_count(2)
    expect(page.locator("#login-name")).to_be_focused()
    expect(page.locator("#passphrase-error")).to_be_visible()
    stranger.inspect("a11y-wrong-fields")
    summary.get_by_role("link", name="Bitte geben Sie Ihr Passwort ein.").press("Enter")
    expect(page.locator("#passphrase")).to_be_focused()
    page.locator("#passphrase").fill("etwas")
    page.locator("#passphrase").press("Enter")
    expect(page.locator("#login-name-error")).to_be_visible()
    expect(summary).to_be_hidden()
    nothing_wrong(stranger)


def test_whoever_hears_the_page_is_told_that_titles_and_notices_are_unsealed(alice: Alice) -> None:
    watched = alice.watched
    opened(watched, "/inbox", "de")
    page = watched.page
    expect(page.get_by_role("status").filter(has_text="entsiegelt")).not_to_have_count(0)
    opened(watched, f"/notices/{alice.notice_id}", "de")
    call = page.locator('[data-slot="who-helps"]').get_by_role("link", name="+49 2345 67890")
    expect(call).to_have_attribute("href", "tel:+49234567890")
    page.get_by_role("button", name="Schreiben öffnen").press("Enter")
    told = page.get_by_role("status").filter(has_text="Das Schreiben ist geöffnet und geprüft.")
    expect(told).to_have_count(1)
    # The last thing that opening does; until then the page grows, and the focus is not yet here.
    expect(page.locator("#documents-title")).to_be_focused()
    look_in_every_way(watched, "a11y-notice-open", "de")
    walk_by_tab(watched, "a11y-notice-open")
    nothing_wrong(watched)


def need_script(plain: Watched, *paths: str) -> None:
    """Each page says so after some seconds, which pass for all of them at once."""
    pages = [plain.context.new_page() for _ in paths]
    for page, path in zip(pages, paths, strict=True):
        page.goto(f"{plain.address}{path}?lang=de")
    for page in pages:
        expect(page.get_by_text(NEEDED)).to_be_visible()
        page.close()


def test_without_script_pages_work_or_say_what_they_need(
    browser: Browser, house: PortalHouse, alice: Alice
) -> None:
    state = alice.watched.context.storage_state()
    with person(browser, house.address, java_script_enabled=False, storage_state=state) as plain:
        page = plain.page
        notice = f"/notices/{alice.notice_id}"
        need_script(plain, "/inbox", notice, "/account", "/account/key")
        plain.go("/account/consent")
        page.locator("summary", has_text="Deutsch").click()
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", name="Consents")).to_be_visible()
        page.get_by_text("Get letters on paper again").click()
        page.get_by_role("button", name="Yes, revoke").click()
        page.locator("summary", has_text="English").click()
        page.get_by_role("link", name="Deutsch").click()
        expect(page.get_by_text("Neue Schreiben kommen mit der Post.")).to_be_visible()
        page.locator("summary", has_text="Schreiben wieder elektronisch bekommen").click()
        page.get_by_role("button", name="Ich bin einverstanden").first.click()
        expect(page.get_by_text("Ihr Einverständnis gilt ab jetzt")).to_be_visible()
        page.get_by_role("link", name="E-Mail und Sprache").click()
        page.get_by_label("Sprache der E-Mails").select_option("uk")
        page.get_by_role("button", name="Speichern").click()
        expect(page.get_by_text("Gespeichert")).to_be_visible()
    with person(browser, house.address, java_script_enabled=False) as plain:
        page = plain.page
        need_script(plain, "/login", "/activate", "/recover")
        plain.go("/")
        page.get_by_role("link", name="Barriere melden").click()
        expect(page.get_by_role("heading", name="Barriere melden")).to_be_visible()
        page.locator("summary", has_text="Deutsch").click()
        page.get_by_role("link", name="العربية").click()
        assert page.locator("html").get_attribute("dir") == "rtl"
        plain.go("/lost")
        expect(page.locator("h1")).to_be_visible()
