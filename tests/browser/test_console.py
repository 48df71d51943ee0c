"""The console in Chromium against a whole running service, by keyboard alone, with passkeys."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import Watched, person
from tests.support.keyboards import press, reach, write
from tests.support.pdfs import make_pdf
from tests.support.service import Service, service_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own."""
    with service_in(tmp_path_factory.mktemp("console")) as service:
        yield service


def invited(service: Service, name: str, *roles: str, agency: str | None = None) -> str:
    """The code that `siegelpost staff add` prints."""
    command = [sys.executable, "-m", "siegelpost.service", "staff", "add"]
    command += ["--settings", str(service.installation.settings), "--name", name]
    command += ["--agency", agency or service.installation.agency_id]
    for role in roles:
        command += ["--role", role]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


@contextmanager
def colleague(browser: Browser, service: Service, name: str, *roles: str) -> Iterator[Watched]:
    """Somebody of staff with a passkey, logged in."""
    code = invited(service, name, *roles)
    with person(browser, service.url, accept_downloads=True) as watched:
        session = watched.context.new_cdp_session(watched.page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page = watched.go("/console/invitation")
        write(page, page.get_by_label("Code der Einladung"), code.lower())
        press(page, page.get_by_role("button", name="Dieses Gerät einrichten"))
        expect(page.get_by_role("heading", name="Ihre Bereiche")).to_be_visible()
        yield watched


def alerted(service: Service, notice: str) -> None:
    """Wait until the mail server has taken the alert."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status: dict[str, Any] = service.agency.notice(notice)
        if status["alert"]["attempts"]:
            return
        time.sleep(0.2)
    raise AssertionError("the alert never left")


def saved(page: Page, button: str) -> bytes:
    """What pressing a button downloads."""
    with page.expect_download() as download:
        press(page, page.get_by_role("button", name=button))
    return Path(download.value.path()).read_bytes()


def test_legal_staff_walks_through_a_file_by_keyboard(browser: Browser, service: Service) -> None:
    alice = service.activate()
    document = make_pdf()
    notice = service.dispatch(alice.id, document)["id"]
    alerted(service, notice)
    service.receipt(notice)
    with (
        colleague(browser, service, "Justine Muster", "legal", "clerk") as justine,
        colleague(browser, service, "Jurek Muster", "legal") as jurek,
    ):
        page = justine.page
        justine.inspect("console-start")
        write(page, page.get_by_label("Aktenzeichen oder Kennung"), "gibt es nicht")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Dazu hat Ihre Behörde nichts")).to_be_visible()
        justine.inspect("console-nothing-found")
        field = page.get_by_label("Aktenzeichen oder Kennung")
        reach(page, field)
        page.keyboard.press("Control+a")
        page.keyboard.type(notice)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Akte zu")).to_be_visible()
        assert alice.email not in page.content()
        expect(page.get_by_text("250 ", exact=False).first).to_be_visible()
        expect(page.get_by_text("Der Mailserver meldet sich").first).to_be_visible()
        press(page, page.get_by_text("Einzelheiten").first)
        justine.inspect("console-notice")

        court_file = saved(page, "Gerichtsakte ohne Adressen")
        receipt = saved(page, "Quittung ohne Adressen")
        assert alice.email.encode() not in court_file + receipt

        press(page, page.locator("#dispute summary"))
        press(page, page.get_by_label("nie angekommen"), "Space")
        press(page, page.get_by_role("button", name="Bestreiten festhalten"))
        expect(page.get_by_text("Das Bestreiten ist festgehalten")).to_be_visible()
        justine.inspect("console-disputed")

        press(page, page.locator("#export summary"))
        write(page, page.get_by_label("Begründung"), "S 12 AS 345/26 ER")
        press(page, page.get_by_role("button", name="Export beantragen"))
        expect(page.get_by_text("Der Antrag ist gestellt")).to_be_visible()
        press(page, page.get_by_role("link", name="Export vom"))
        expect(page.get_by_text("Jetzt muss jemand anderes")).to_be_visible()
        export = page.url.removeprefix(service.url)

        other = jurek.go("/console/")
        expect(other.get_by_text("warten auf Ihre Entscheidung: 1")).to_be_visible()
        press(other, other.get_by_role("link", name="Zu den Exporten"))
        expect(other.get_by_role("heading", name="Exporte mit Adressen")).to_be_visible()
        jurek.inspect("console-exports")
        press(other, other.get_by_role("link", name="Antrag vom"))
        expect(other.get_by_role("heading", name="Ihre Entscheidung")).to_be_visible()
        jurek.inspect("console-export-decision")
        press(other, other.get_by_role("button", name="Freigeben"))
        expect(other.get_by_text("Freigegeben", exact=True)).to_be_visible()

        page = justine.go(export)
        justine.inspect("console-export-ready")
        whole = saved(page, "Datei herunterladen")
        assert json.loads(whole)["notice"] == notice

        press(page, page.get_by_role("link", name="Prüfen", exact=True))
        expect(page.get_by_role("heading", name="Gerichtsakte prüfen")).to_be_visible()
        justine.inspect("console-verify")
        for name, content in (("console-verified", receipt), ("console-verified-file", court_file)):
            page.get_by_label("Quittung oder Gerichtsakte").set_input_files(
                {"name": "datei", "mimeType": "application/octet-stream", "buffer": content}
            )
            page.get_by_label("Dokumente des Schreibens").set_input_files(
                {"name": "bescheid.pdf", "mimeType": "application/pdf", "buffer": document}
            )
            press(page, page.get_by_role("button", name="Prüfen"))
            expect(page.get_by_text("Alle geprüften Schritte sind erfüllt")).to_be_visible()
            expect(page.get_by_text("1 vorgelegt und bestätigt, von 1.")).to_be_visible()
            justine.inspect(name)
        page.get_by_label("Quittung oder Gerichtsakte").set_input_files(
            {"name": "x", "mimeType": "x/y", "buffer": receipt.replace(b"provided", b"retrieved")}
        )
        press(page, page.get_by_role("button", name="Prüfen"))
        expect(page.get_by_text("Diese Datei ist nicht in Ordnung")).to_be_visible()
        justine.inspect("console-refused")

        press(page, page.get_by_role("link", name="Aufgaben", exact=True))
        expect(page.get_by_role("heading", name="Aufgaben")).to_be_visible()
        justine.inspect("console-tasks")
        # In a window of 1280 px a task takes one line.
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Akte öffnen"))
        assert row.first.evaluate("(row) => row.offsetHeight < 60")
        press(page, page.get_by_role("link", name="Zahlen", exact=True))
        expect(page.get_by_role("heading", name="Wie Benachrichtigungen ankommen")).to_be_visible()
        justine.inspect("console-statistics")
        press(page, page.get_by_role("button", name="Abmelden"))
        expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
        justine.inspect("console-login")
        press(page, page.get_by_role("button", name="Mit Fingerabdruck, Gesicht oder PIN"))
        expect(page.get_by_role("heading", name="Ihre Bereiche")).to_be_visible()


def test_administrator_and_auditor_work_by_keyboard(browser: Browser, service: Service) -> None:
    with colleague(browser, service, "Adele Muster", "admin", "auditor") as adele:
        page = adele.page
        adele.inspect("console-start-admin")
        press(page, page.get_by_role("link", name="Konten", exact=True).first)
        write(page, page.get_by_label("Name"), "Neu Muster")
        press(page, page.get_by_label("Sachbearbeitung"), "Space")
        press(page, page.get_by_role("button", name="Einladen", exact=True))
        expect(page.get_by_text("Die Einladung ist fertig")).to_be_visible()
        adele.inspect("console-staff")
        press(page, page.get_by_role("button", name="Sperren: Neu Muster"))
        expect(page.get_by_text("Gesperrt", exact=True)).to_be_visible()
        press(page, page.get_by_role("link", name="Zugriffe", exact=True).first)
        expect(page.get_by_role("heading", name="Zugriffe auf Akten")).to_be_visible()
        adele.inspect("console-access")


def test_all_but_the_login_works_without_javascript(browser: Browser, service: Service) -> None:
    with (
        colleague(browser, service, "Erika Muster", "clerk") as erika,
        person(browser, service.url, java_script_enabled=False) as plain,
    ):
        plain.context.add_cookies(erika.context.cookies())  # type: ignore[arg-type]  # as read
        page = plain.go("/console/")
        page.get_by_label("Aktenzeichen oder Kennung").fill("gibt es nicht")
        page.get_by_role("button", name="Suchen").click()
        expect(page.get_by_text("Dazu hat Ihre Behörde nichts")).to_be_visible()
        page = plain.go("/console/tasks")
        page.get_by_role("button", name="Anzeigen").click()
        expect(page.get_by_role("heading", name="Aufgaben")).to_be_visible()
        page.get_by_role("button", name="Abmelden").click()
        expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
        assert "Die Anmeldung braucht JavaScript" in page.content()


def test_invitation_that_does_not_hold_is_explained(browser: Browser, service: Service) -> None:
    with person(browser, service.url) as charlie:
        charlie.allow("status of 403")
        page = charlie.go("/console/invitation")
        charlie.inspect("console-invitation")
        press(page, page.get_by_role("button", name="Dieses Gerät einrichten"))
        expect(page.get_by_text("Bitte geben Sie den Code Ihrer Einladung ein")).to_be_visible()
        write(page, page.get_by_label("Code der Einladung"), "0000-" * 6 + "0000")
        press(page, page.get_by_role("button", name="Dieses Gerät einrichten"))
        expect(page.get_by_text("Diese Einladung gilt nicht")).to_be_visible()
        charlie.inspect("console-invitation-refused")
