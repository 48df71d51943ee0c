"""Replies, as citizens and the people who help them send them, and what the agency gets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from siegelpost.evidence.ids import AgencyId
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.agency_replies import fetch_reply
from siegelpost.notices.eligibility import Sender
from siegelpost.sealing.keys import Identity
from tests.support.arrivals import arrive
from tests.support.browsers import Watched, person
from tests.support.portal_house import PortalHouse, pdf
from tests.support.reply_pages import AGENCY, agree, file, photo, ready, received
from tests.support.sealing import seed
from tests.support.walks import PASSWORT, next_step

pytestmark = pytest.mark.browser

STRANGER = Identity(seed("whoever would like to read along"))
TEXT = "Guten Tag,\nhier sind die Kontoauszüge von September."


@pytest.fixture(scope="module", autouse=True)
def offered(house: PortalHouse) -> Iterator[None]:
    """The agency takes replies while these tests run."""
    house.take_replies(AGENCY.recipient.raw)
    yield
    house.take_replies(None)


def test_key_that_the_service_adds_to_those_of_the_readers_is_sealed_to_by_nobody(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Resi Beispiel")
    with person(browser, house.address) as resi:
        ready(resi, house, letter, "Bitte um Auszüge", "resi@example.org")
        page = resi.page

        def add(route: Route) -> None:
            answer = route.fetch()
            facts = answer.json()
            facts["recipients"].append({"key": "k", "recipient": STRANGER.recipient.encode()})
            route.fulfill(response=answer, json=facts)

        sent: list[str] = []
        page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
        page.route("**/reply/facts", add)
        page.reload()
        page.get_by_label("Ihre Nachricht").fill(TEXT)
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_text("passt nicht mehr", exact=False)).to_be_visible()
        assert any("/reply/facts" in each for each in sent)
        assert not [each for each in sent if each.startswith("POST") and "/replies" in each]


def test_citizen_replies_with_text_photo_and_pdf_and_the_receipt_proves_it(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Renate Beispiel")
    with person(browser, house.address, accept_downloads=True) as renate:
        arrive(renate, house, letter, "renate@example.org")
        notice = house.send(letter, "Bitte um Kontoauszüge", pdf("Bitte", "Auszüge"), due=None)
        loaded: list[str] = []
        renate.page.on("request", lambda request: loaded.append(request.url))
        page = renate.go(f"/notices/{notice}")
        expect(page.get_by_role("link", name="Antwort schreiben")).to_be_visible()
        assert not [url for url in loaded if "/static/reply-" in url]
        page.get_by_role("link", name="Antwort schreiben").click()
        expect(page.get_by_text("Sie haben noch nicht zugestimmt")).to_be_visible()
        renate.inspect("reply-1-no-consent")
        page.get_by_role("link", name="Zur Einwilligung").click()
        renate.inspect("reply-2-consent")
        page.go_back()
        agree(page)
        expect(page.get_by_text("Bitte um Kontoauszüge")).to_be_visible()
        renate.inspect("reply-3-empty")

        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_text("Bitte schreiben Sie etwas")).to_be_visible()
        expect(page.get_by_label("Ihre Nachricht")).to_be_focused()
        renate.inspect("reply-4-missing")
        page.get_by_label("Ihre Nachricht").fill(TEXT)
        document = pdf("Kontoauszug September", "1.234,56 Euro")
        page.locator("#files-input").set_input_files(
            [
                file("IMG_2026.PNG", photo(3000, 400), "image/png"),
                file("Kontoauszug: September.pdf", bytes(document.content)),
                file("Brief.docx", b"PK\3\4 docx", "application/zip"),
                file("leer.pdf", b""),
            ]
        )
        expect(page.locator("#file-list li")).to_have_count(2)
        wrong = page.locator("#add-files-error")
        expect(wrong).to_contain_text("Brief.docx geht hier nicht")
        expect(wrong).to_contain_text("leer.pdf ist leer")
        expect(page.get_by_role("button", name="Dateien hinzufügen")).to_be_focused()
        expect(page.get_by_text("IMG_2026.jpg")).to_be_visible()
        assert re.search(r"\d\xa0kB, verkleinert", page.locator("#file-list").text_content() or "")
        # The photo as it will be sent; a PDF has no picture.
        shown = page.get_by_role("img", name="Vorschau: IMG_2026.jpg")
        expect(shown).to_be_visible()
        drawn = (
            "async (image) => { await image.decode().catch(() => 0); return image.naturalWidth; }"
        )
        assert shown.evaluate(drawn) == 2560
        expect(page.locator("#file-list img")).to_have_count(1)
        renate.inspect("reply-5-files")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        # In one line on every phone: day, and time of day.
        said = page.locator("#done").text_content() or ""
        assert re.search(r"Eingegangen am \d+\.\xa0\w+\xa0\d{4} um\xa0\d\d:\d\d\xa0Uhr", said)
        renate.inspect("reply-6-done")

        (reply,) = received(house, notice)
        assert reply.text == TEXT
        photo_, scan = reply.files
        assert (photo_.name, photo_.media_type) == ("IMG_2026.jpg", "image/jpeg")
        assert bytes(photo_.content).startswith(b"\xff\xd8\xff")
        assert (scan.name, scan.media_type) == ("Kontoauszug_ September.pdf", "application/pdf")
        assert bytes(scan.content) == bytes(document.content)

        with page.expect_download() as saving:
            page.get_by_role("button", name="Quittung als PDF").click()
        assert Path(saving.value.path()).read_bytes().startswith(b"%PDF-")
        page.get_by_role("link", name="Zurück zum Schreiben").last.click()
        expect(page.get_by_role("heading", name="Ihre Antworten")).to_be_visible()
        expect(page.locator("#state")).to_contain_text("Beantwortet am ")
        expect(page.get_by_text("Die Behörde hat sie noch nicht abgeholt.")).to_be_visible()
        # Only now the page needs it; named by digest like all that it loads.
        assert [url for url in loaded if "/static/reply-list.js?v=" in url]
        page.get_by_role("button", name="Antwort ansehen").click()
        expect(page.get_by_text("hier sind die Kontoauszüge von September.")).to_be_visible()
        expect(page.get_by_text("Kontoauszug_ September.pdf")).to_be_visible()
        expect(page.get_by_text("dass die Antwort eingegangen ist und wann")).to_be_visible()
        renate.inspect("reply-7-own-view")
        page.get_by_text("Alle Schritte").click()
        expect(page.get_by_text("Sie haben der Behörde geantwortet")).to_be_visible()
        with page.expect_download() as saving:
            page.get_by_role("button", name="Quittung für Prüfprogramme").click()
        receipt = Path(saving.value.path()).read_bytes()
        types = [json.loads(event["body"])["type"] for event in json.loads(receipt)["events"]]
        assert types[-1] == "replied"
        verify_receipt(receipt, house.trust)

        system = Sender(client_id="client-1", agency_id=AgencyId(house.agency_id))
        house.run(fetch_reply(house.context, system, reply.manifest.reply_id))
        page.reload()
        expect(page.get_by_text("Von der Behörde abgeholt am")).to_be_visible()
        page.get_by_text("Alle Schritte").click()
        fetched = page.get_by_text("Die Behörde hat eine Antwort von Ihnen abgeholt")
        expect(fetched).to_be_visible()
        renate.go("/inbox")
        expect(page.locator("#notices li")).to_contain_text("Beantwortet am ")
        renate.inspect("reply-8-inbox")


def test_what_cannot_be_sent_is_said_before_it_is_sent(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Greta Großmann")
    with person(browser, house.address) as greta:
        notice = ready(greta, house, letter, "Bitte um Unterlagen", "greta@example.org")
        page = greta.page
        large = b"%PDF-1.7\n" + bytes(11 * 2**20)
        wrong = page.locator("#add-files-error")
        choose = page.locator("#files-input")
        for name in ("eins.pdf", "zwei.pdf"):
            choose.set_input_files([file(name, large)])
            expect(page.locator("#live")).not_to_have_text("Die Dateien werden vorbereitet.")
        expect(wrong).to_contain_text(
            "zwei.pdf passt nicht mehr dazu. Zusammen gehen höchstens 20 MB."
        )
        expect(page.locator("#file-list li")).to_have_count(1)
        page.get_by_role("button", name="Entfernen: eins.pdf").click()
        expect(page.get_by_role("button", name="Dateien hinzufügen")).to_be_focused()
        small = [file("Seite.pdf", b"%PDF-1.7 " + b"x" * n) for n in range(11)]
        choose.set_input_files(small)
        expect(page.locator("#file-list li")).to_have_count(10)
        expect(wrong).to_contain_text("Es gehen höchstens 10 Dateien.")
        greta.inspect("reply-10-too-many")
        page.get_by_label("Ihre Nachricht").fill("ä" * 10_001)
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.locator("#message-error")).to_contain_text("10001 von höchstens 10000 Zeichen")
        page.get_by_label("Ihre Nachricht").fill("")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        (reply,) = received(house, notice)
        assert reply.text == "Siehe die angehängten Dateien."
        assert [file.name for file in reply.files[:3]] == [
            "Seite.pdf",
            "Seite (2).pdf",
            "Seite (3).pdf",
        ]
        assert len(reply.files) == 10


def test_locked_mailbox_is_unlocked_first_and_no_offer_shows_no_way(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Lotte Locked")
    with person(browser, house.address) as lotte:
        ready(lotte, house, letter, "Bitte um Unterlagen", "lotte@example.org")
        page = lotte.page
        page.evaluate("sessionStorage.clear()")
        page.reload()
        expect(page.get_by_role("heading", name="Postfach aufschließen")).to_be_focused()
        expect(page.get_by_label("Ihre Nachricht")).to_be_hidden()
        page.locator("#unlock-passphrase").fill(PASSWORT)
        page.get_by_role("button", name="Aufschließen", exact=True).click()
        expect(page.get_by_label("Ihre Nachricht")).to_be_visible()
        house.take_replies(None)
        try:
            page.reload()
            expect(
                page.get_by_text("nimmt zu diesem Schreiben hier keine Antworten an")
            ).to_be_visible()
            lotte.inspect("reply-11-not-offered")
            page.get_by_role("link", name="Zurück zum Schreiben").click()
            expect(page.get_by_role("heading", name="Aufbewahren")).to_be_visible()
            expect(page.locator("#replies")).to_be_hidden()
        finally:
            house.take_replies(AGENCY.recipient.raw)
        page.reload()
        expect(page.get_by_role("link", name="Antwort schreiben")).to_be_visible()


def give(klara: Watched, bob: Watched, helper: str, role: str) -> None:
    """A mandate with this role, over the pages of both."""
    page = klara.go("/account/delegates")
    page.get_by_role("button", name="Vertrauensperson einladen").click()
    page.get_by_label("Wen laden Sie ein?").fill(helper)
    page.get_by_label("Wie soll die Person Sie sehen?").fill("Klara Beispiel")
    page.get_by_label(role, exact=True).check()
    page.get_by_role("button", name="Code erstellen").click()
    expect(page.locator("#invitation-code li").last).to_be_visible()
    code = "-".join(page.locator("#invitation-code li").all_inner_texts())
    theirs = bob.go("/invitation")
    theirs.get_by_label("Code der Einladung").fill(code)
    next_step(theirs)
    expect(theirs.get_by_role("heading", name="Einladung von Klara Beispiel")).to_be_focused()
    theirs.get_by_role("button", name="Mit meinem Postfach annehmen").click()
    expect(theirs.get_by_role("heading", name="Sie haben die Einladung")).to_be_visible()
    page = klara.go("/account/delegates")
    page.get_by_role("button", name="Ja, freigeben").click()
    expect(page.get_by_role("heading", name="Die Freigabe ist erteilt")).to_be_visible()


def test_delegate_who_may_replies_in_the_citizen_s_name_and_one_who_reads_cannot(
    browser: Browser, house: PortalHouse
) -> None:
    letter, other = house.enrol("Klara Beispiel"), house.enrol("Bob Muster")
    with person(browser, house.address) as klara, person(browser, house.address) as bob:
        bob.allow("status of 404")
        arrive(bob, house, other, "bob.reply@example.org")
        notice = ready(klara, house, letter, "Bitte um Kontoauszüge", "klara.reply@example.org")
        give(klara, bob, "Bob Muster", "Schreiben lesen")
        page = bob.go("/inbox")
        page.get_by_role("link", name="Post von Klara Beispiel").click()
        page.get_by_role("link", name="Bitte um Kontoauszüge").click()
        expect(page.get_by_role("heading", name="Bitte um Kontoauszüge")).to_be_visible()
        expect(page.locator("#replies")).to_be_hidden()
        read_only = page.url
        answer = page.goto(f"{read_only}/reply")
        assert answer is not None
        assert answer.status == 404

        klara.go("/account/delegates")
        klara.page.get_by_text("Freigabe beenden", exact=True).click()
        klara.page.get_by_role("button", name="Ja, beenden").click()
        give(klara, bob, "Bob Muster", "Schreiben lesen und der Behörde antworten")
        expect(
            klara.page.get_by_text("Schreiben lesen und der Behörde antworten").first
        ).to_be_visible()
        klara.inspect("reply-12-mandate")
        page = bob.go("/inbox")
        page.get_by_role("link", name="Post von Klara Beispiel").click()
        page.get_by_role("link", name="Bitte um Kontoauszüge").click()
        page.get_by_role("link", name="Antwort schreiben").click()
        expect(page.get_by_text("Sie antworten für Klara Beispiel.")).to_be_visible()
        bob.inspect("reply-13-for-somebody")
        page.get_by_label("Ihre Nachricht").fill("Für Klara Beispiel: hier ist alles. Bob Muster")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        expect(
            page.get_by_text("sieht Ihre Antwort auch und kann eine Quittung speichern")
        ).to_be_visible()
        bob.inspect("reply-14-done-for-somebody")
        page.get_by_role("link", name="Zurück zum Schreiben").last.click()
        page.get_by_role("button", name="Antwort ansehen").click()
        expect(page.get_by_text("Für Klara Beispiel: hier ist alles.")).to_be_visible()
        bob.inspect("reply-15-own-view-of-helper")
        (reply,) = received(house, notice)
        assert reply.text == "Für Klara Beispiel: hier ist alles. Bob Muster"
        assert reply.manifest.mandate is not None

        page = klara.go(f"/notices/{notice}")
        expect(page.get_by_text("Antwort von Bob Muster für Sie")).to_be_visible()
        page.get_by_role("button", name="Antwort ansehen").click()
        expect(page.get_by_text("Für Klara Beispiel: hier ist alles.")).to_be_visible()
        page.get_by_text("Wer dieses Schreiben geöffnet hat").click()
        expect(page.get_by_text("Bob Muster hat der Behörde für Sie geantwortet")).to_be_visible()
