"""Living with many notices: find, file, open again, learn what became of the mails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from siegelpost.evidence.ids import AgencyId
from siegelpost.notices.explainers import Explainer, set_explainer
from tests.support.arrivals import arrive
from tests.support.browsers import person
from tests.support.portal_house import PortalHouse, pdf

pytestmark = pytest.mark.browser

TITLES = [
    "Änderungsbescheid Miete", "Einladung zum Gespräch", "Bitte um Kontoauszüge", "Heizkosten",
    "Schulbedarf", "Mehrbedarf", "Bewilligung von Bürgergeld",
]  # fmt: skip


def test_citizen_searches_files_and_finds_again(browser: Browser, house: PortalHouse) -> None:
    letter = house.enrol("Friederike Beispiel")
    explainer = Explainer(
        kind="bewilligung",
        language="de",
        title="So lesen Sie Ihren Bescheid",
        url="https://videos.example/bescheid",
    )
    house.run(set_explainer(house.context, AgencyId(house.agency_id), explainer))
    with person(browser, house.address, accept_downloads=True) as frieda:
        arrive(frieda, house, letter, "friederike@example.org")
        page = frieda.page
        soon = (datetime.now(UTC) + timedelta(days=5)).date()
        page.goto(f"{house.address}/inbox")
        expect(page.get_by_text("Ihr Postfach ist leer.")).to_be_visible()
        house.send(letter, TITLES[0], pdf("Bescheid", TITLES[0]), due=None)
        # Nobody reloads: an empty inbox looks again by itself.
        expect(page.get_by_role("link", name=TITLES[0])).to_be_visible()
        expect(page.locator("#live")).to_have_text("Sie haben 1 Schreiben. 1 ist neu.")
        for title in TITLES[1:]:
            due = soon if title == "Heizkosten" else None
            house.send(letter, title, pdf("Bescheid", title), due=due)
        # As when somebody comes back from another tab.
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#summary")).to_contain_text(
            "Sie haben 7 Schreiben. Das neueste steht oben. 7 sind neu."
        )
        expect(page.locator("#summary")).to_contain_text("Bei 1 endet bald eine Frist.")
        expect(page.get_by_text("Noch 5 Tage")).to_be_visible()
        expect(page).to_have_title("(7) Ihre Schreiben – Siegelpost")
        frieda.inspect("inbox-many")

        # Without accents and in any order; the service sees nothing of it.
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.get_by_role("searchbox").fill("miete anderungs")
        expect(page.locator("#notices li")).to_have_count(1)
        expect(page.locator("#live")).to_have_text("1 Schreiben gefunden. 1 ist neu.")
        assert requests == []
        frieda.inspect("inbox-search")
        page.get_by_role("searchbox").fill("")

        page.get_by_role("link", name="Bewilligung von Bürgergeld").click()
        # The number that the cover names is not said twice.
        expect(page.locator('[data-slot="who-helps"]')).to_have_text(
            "Frau Muster, Zimmer 204, Telefon +49 2345 67890"
        )
        link = page.get_by_role("link", name="Erklärung ansehen: So lesen Sie Ihren Bescheid")
        expect(link).to_have_attribute("href", "https://videos.example/bescheid")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(page.get_by_text("aus Ihrem Postfach hinaus zu videos.example")).to_be_visible()
        page.get_by_text("E-Mails an Sie zu diesem Schreiben").click()
        expect(page.get_by_text("an fr…@example.org")).to_be_visible()
        expect(page.get_by_text("Sie wird gerade verschickt.")).to_be_visible()
        page.get_by_text("Wer dieses Schreiben geöffnet hat").click()
        expect(page.get_by_text("Noch niemand hat das Schreiben geöffnet.")).to_be_visible()
        page.get_by_role("button", name="Schreiben öffnen").click()
        expect(page.locator("#documents-title")).to_be_focused()
        expect(page.locator("#access-list")).to_contain_text("durch Sie")

        # What was opened once opens at once, and asks nothing.
        page.reload()
        expect(page.get_by_text("Dieses Schreiben ist echt und unverändert")).to_be_visible()
        expect(page.get_by_role("button", name="Schreiben öffnen")).to_be_hidden()
        page.get_by_text("Das Schreiben ohne uns öffnen").click()
        with page.expect_download() as saving:
            page.get_by_role("button", name="Anleitung speichern").click()
        guide = Path(saving.value.path()).read_text()
        assert "age -d -i schluessel.txt -o schreiben.zip schreiben-" in guide
        assert "{" not in guide

        page.get_by_role("button", name="Ins Archiv legen").click()
        expect(page.get_by_role("button", name="Zurück in den Posteingang")).to_be_focused()
        frieda.inspect("notice-reading")
        page.get_by_role("link", name="Alle Schreiben").click()
        expect(page.get_by_text("Sie haben 6 Schreiben.")).to_be_visible()
        expect(page.get_by_role("link", name="Bewilligung von Bürgergeld")).to_have_count(0)
        page.get_by_role("button", name="Archiv").click()
        expect(page.locator("#summary")).to_have_text("Im Archiv liegt 1 Schreiben.")
        expect(page.get_by_role("link", name="Bewilligung von Bürgergeld")).to_be_visible()
        frieda.inspect("inbox-archive")


def test_kept_titles_rest_sealed_and_logout_forgets_them(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Gerlinde Beispiel")
    with person(browser, house.address) as gerda:
        arrive(gerda, house, letter, "gerlinde@example.org")
        page = gerda.page
        house.send(letter, "Geheime Sache", pdf("Bescheid", "563 Euro"), due=None)
        page.goto(f"{house.address}/inbox")
        expect(page.get_by_role("link", name="Geheime Sache")).to_be_visible()
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        for _ in range(100):  # the cover is being kept
            # Asked for only once it is there: the page makes it, not this test.
            names = page.evaluate(
                "async () => (await indexedDB.databases()).map((one) => one.name)"
            )
            if "siegelpost-covers" in names and page.evaluate(_KEPT):
                break
            page.wait_for_timeout(100)
        page.reload()
        expect(page.get_by_role("link", name="Geheime Sache")).to_be_visible()
        assert [url for url in fetched if "covers=0" in url]
        assert not [url for url in fetched if url.endswith("/inbox/covers")]
        kept = page.evaluate(_KEPT)
        assert len(kept) == 1
        assert "Geheime" not in kept[0]
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_role("heading", name="Ihr Postfach für Schreiben")).to_be_visible()
        assert page.evaluate(_KEPT) == []


#: What the browser's database holds about covers, as text.
_KEPT = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open("siegelpost-covers");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    if (request.result.objectStoreNames.length === 0) return resolve([]);
    const all = request.result.transaction("covers").objectStore("covers").getAll();
    all.onsuccess = () =>
      resolve(all.result.map(({ sealed }) => new TextDecoder("latin1").decode(sealed)));
  };
})"""
