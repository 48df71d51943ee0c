"""Replies, as citizens and the people who help them send them: on a phone, once, and readable."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Page, Route, expect
from sqlalchemy import Connection, Select, select

from siegelpost.evidence.ids import AgencyId
from siegelpost.evidence.reply import PREFIX, parse_reply
from siegelpost.evidence.verify import verify_receipt
from siegelpost.notices.agency_replies import fetch_reply
from siegelpost.notices.eligibility import Sender
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.replies import Reply, open_reply
from siegelpost.store import tables
from siegelpost.store.tables import core
from tests.support.arrivals import arrive
from tests.support.browsers import Watched, person
from tests.support.portal_house import Letter, PortalHouse, pdf
from tests.support.sealing import seed
from tests.support.walks import PASSWORT, log_in, next_step

pytestmark = pytest.mark.browser

#: What the agency keeps; the service never sees it.
AGENCY = Identity(seed("the agency's key for replies"))
TEXT = "Guten Tag,\nhier sind die Kontoauszüge von September."
_reply = core(tables.Reply)


@pytest.fixture(scope="module", autouse=True)
def offered(house: PortalHouse) -> Iterator[None]:
    """The agency takes replies while these tests run."""
    house.take_replies(AGENCY.recipient.raw)
    yield
    house.take_replies(None)


def photo(width: int, height: int) -> bytes:
    """A noisy picture as PNG: the browser makes photos of it."""
    rows = b"".join(
        b"\0" + bytes((x * y * 7 + x) % 256 for x in range(width * 3)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def file(name: str, content: bytes, media_type: str = "application/pdf") -> FilePayload:
    """As somebody chooses it."""
    return {"name": name, "mimeType": media_type, "buffer": content}


def agree(page: Page) -> None:
    """From the reply's page over the consent's and back."""
    page.get_by_role("link", name="Zur Einwilligung").click()
    expect(page.get_by_text("Auch das ist freiwillig.")).to_be_visible()
    page.get_by_role("button", name="Ich bin einverstanden").click()
    expect(page.get_by_text("Ihr Einverständnis gilt ab jetzt")).to_be_visible()
    page.get_by_role("link", name="Weiter zur Antwort").click()
    expect(page.get_by_role("heading", name="Der Behörde antworten")).to_be_visible()
    expect(page.get_by_label("Ihre Nachricht")).to_be_visible()


def ready(watched: Watched, house: PortalHouse, letter: Letter, title: str, email: str) -> str:
    """A citizen with one notice, at the form; returns the notice's id."""
    arrive(watched, house, letter, email)
    notice = house.send(letter, title, pdf("Bescheid", "Bitte antworten Sie."), due=None)
    watched.go(f"/notices/{notice}/reply")
    agree(watched.page)
    return notice


def received(house: PortalHouse, notice: str) -> list[Reply]:
    """What the agency finds when it opens what came in, checked as it does."""
    blob = core(tables.Blob)
    sent = select(_reply).where(_reply.c.notice_id == notice).order_by(_reply.c.received_at)
    found = []
    for row in house.context.store.read_now(lambda c: c.execute(sent).all()):
        parts = select(blob.c.data).where(blob.c.id == row.blob_id).order_by(blob.c.part)
        sealed = b"".join(house.context.store.read_now(partial(_all, parts)))
        said = parse_reply(PREFIX + row.statement.encode())
        found.append(open_reply(sealed, [AGENCY], said))
    return found


def _all(query: Select[Any], connection: Connection) -> list[bytes]:
    return [bytes(row.data) for row in connection.execute(query)]


def test_citizen_replies_with_text_photo_and_pdf_and_the_receipt_proves_it(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Renate Beispiel")
    with person(browser, house.address, accept_downloads=True) as renate:
        arrive(renate, house, letter, "renate@example.org")
        notice = house.send(letter, "Bitte um Kontoauszüge", pdf("Bitte", "Auszüge"), due=None)
        page = renate.go(f"/notices/{notice}")
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
        expect(page.locator("#file-list")).to_contain_text("kB, verkleinert")
        renate.inspect("reply-5-files")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        expect(page.locator("#done")).to_contain_text("Eingegangen am")
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
        expect(page.get_by_text("Die Behörde hat sie noch nicht abgeholt.")).to_be_visible()
        page.get_by_role("button", name="Antwort ansehen").click()
        expect(page.get_by_text("hier sind die Kontoauszüge von September.")).to_be_visible()
        expect(page.get_by_text("Kontoauszug_ September.pdf")).to_be_visible()
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


def test_double_click_sends_once_and_a_text_that_is_not_sent_is_kept(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Dora Doppelklick")
    with person(browser, house.address) as dora:
        notice = ready(dora, house, letter, "Bitte um Unterlagen", "dora@example.org")
        page = dora.page
        questions: list[str] = []

        def leave(dialog: Dialog) -> None:
            questions.append(dialog.type)
            dialog.accept()

        page.on("dialog", leave)
        message = page.get_by_label("Ihre Nachricht")
        message.press_sequentially("Angefangen")
        expect_kept(page)
        page.get_by_role("link", name="Zurück zum Schreiben").first.click()
        expect(page.get_by_role("heading", name="Bitte um Unterlagen")).to_be_visible()
        assert questions == ["beforeunload"]
        page.get_by_role("link", name="Antwort schreiben").click()
        expect(message).to_have_value("Angefangen")
        # What rests in the browser is sealed.
        assert "Angefangen" not in page.evaluate("JSON.stringify({...sessionStorage})")
        button = page.get_by_role("button", name="Antwort senden")
        button.dblclick()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Angefangen"]
        # Sent is sent: nobody is asked, and nothing is left behind.
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        expect(message).to_be_visible()
        expect(message).to_have_value("")
        assert questions == ["beforeunload"]
        assert not page.evaluate("Object.keys(sessionStorage).filter((k) => /draft|reply/.test(k))")


def expect_kept(page: Page) -> None:
    """Wait until what was typed is kept for this tab."""
    for _ in range(100):
        if page.evaluate("Object.keys(sessionStorage).some((key) => key.includes('draft'))"):
            return
        page.wait_for_timeout(100)
    raise AssertionError("no draft was kept")


def lose_answers(page: Page) -> None:
    """The service takes what comes; the browser never learns of it."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/replies", lambda r: lose(r) if r.request.method == "POST" else r.continue_())


def test_reply_whose_answer_was_lost_is_sent_again_and_arrives_once(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Vera Verloren")
    with person(browser, house.address) as vera:
        vera.allow("ERR_CONNECTION_RESET|ERR_FAILED")
        notice = ready(vera, house, letter, "Bitte um Unterlagen", "vera@example.org")
        page = vera.page
        message = page.get_by_label("Ihre Nachricht")
        send = page.get_by_role("button", name="Antwort senden")
        done = page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        lose_answers(page)
        message.fill("Eins")
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        expect(message).to_have_value("Eins")
        vera.inspect("reply-8-offline")
        page.unroute("**/replies")
        send.click()
        expect(done).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Eins"]

        # Somebody goes on writing in between: the first version is told, the rest is kept.
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        lose_answers(page)
        message.fill("Zwei")
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        message.fill("Zwei und mehr")
        expect_kept(page)
        page.wait_for_timeout(1_500)  # the longer text is being kept
        send.click()
        expect(page.get_by_text("Das war Ihre erste Fassung")).to_be_visible()
        vera.inspect("reply-9-first-version")
        page.get_by_role("link", name="Noch eine Antwort schreiben").click()
        expect(message).to_have_value("Zwei und mehr")
        assert [reply.text for reply in received(house, notice)] == ["Eins", "Zwei"]

        # The page is loaded anew instead: it finds out by itself.
        lose_answers(page)
        page.on("dialog", lambda dialog: dialog.accept())
        send.click()
        expect(page.get_by_text("wird nicht doppelt gesendet")).to_be_visible()
        page.unroute("**/replies")
        page.reload()
        expect(done).to_be_focused()
        texts = [reply.text for reply in received(house, notice)]
        assert texts == ["Eins", "Zwei", "Zwei und mehr"]


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


def test_agency_that_exchanges_its_key_meanwhile_gets_the_reply_under_the_new_one(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Nora Neuschlüssel")
    with person(browser, house.address) as nora:
        nora.allow("status of 409")
        house.take_replies(Identity(seed("an older key")).recipient.raw)
        try:
            notice = ready(nora, house, letter, "Bitte um Unterlagen", "nora@example.org")
            nora.page.get_by_label("Ihre Nachricht").fill("Guten Tag")
        finally:
            house.take_replies(AGENCY.recipient.raw)
        nora.page.get_by_role("button", name="Antwort senden").click()
        done = nora.page.get_by_role("heading", name="Ihre Antwort ist eingegangen")
        expect(done).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Guten Tag"]


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


def test_login_that_ends_meanwhile_takes_nothing_away_and_phones_offer_their_camera(
    browser: Browser, house: PortalHouse
) -> None:
    letter = house.enrol("Paula Pause")
    email = "paula@example.org"
    with person(browser, house.address, has_touch=True, is_mobile=True) as paula:
        paula.allow("status of 401")
        notice = ready(paula, house, letter, "Bitte um Unterlagen", email)
        page = paula.page
        page.on("dialog", lambda dialog: dialog.accept())
        expect(page.get_by_role("button", name="Foto machen")).to_be_visible()
        with page.expect_file_chooser() as choosing:
            page.get_by_role("button", name="Foto machen").click()
        choosing.value.set_files([file("Foto.png", photo(30, 20), "image/png")])
        expect(page.locator("#file-list")).to_contain_text("Foto.png")
        page.get_by_label("Ihre Nachricht").fill("Das war viel Arbeit")
        paula.inspect("reply-16-camera")
        expect_kept(page)
        over = core(tables.Session).delete()
        house.run(house.context.store.write(lambda connection: connection.execute(over)))
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("textbox", name="Anmeldename")).to_be_visible()
        log_in(page, email)
        expect(page.get_by_label("Ihre Nachricht")).to_have_value("Das war viel Arbeit")
        page.get_by_role("button", name="Antwort senden").click()
        expect(page.get_by_role("heading", name="Ihre Antwort ist eingegangen")).to_be_focused()
        assert [reply.text for reply in received(house, notice)] == ["Das war viel Arbeit"]


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
        klara.page.get_by_role("button", name="Freigabe beenden").click()
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
