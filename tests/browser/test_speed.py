"""Cheap phones: what a page weighs, and how long covers and documents take (issue 6, point 8).

Times are taken inside the page with its main thread slowed down four times, as Chromium's own
tools do it. The targets hold on a quiet machine, and there SIEGELPOST_QUIET=1 asserts them; on a
busy one a factor keeps the tests from crying wolf. The figures are printed either way (`-rP`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.arrivals import arrive, enter
from tests.support.browsers import Watched, person
from tests.support.large_pdf import large_pdf
from tests.support.portal_house import Letter, PortalHouse, pdf

pytestmark = pytest.mark.browser

#: How much slower than the target a busy machine may be.
SLACK = 1.0 if os.environ.get("SIEGELPOST_QUIET") else 4.0
#: Of the main thread, times.
THROTTLE = 4
TARGET_MS = 2_000
TARGET_BYTES = 150_000
COVERS = 200
NAME = "lena@example.org"
#: Before anything of the page runs: as browsers are that have no ML-KEM of their own.
NO_NATIVE = "delete SubtleCrypto.prototype.decapsulateBits"


@dataclass(frozen=True, kw_only=True)
class Lena:
    """An active mailbox with very much post."""

    letter: Letter


@pytest.fixture(scope="module")
def lena(browser: Browser, house: PortalHouse) -> Lena:
    """Lena Beispiel, who gets a letter every other day."""
    letter = house.enrol("Lena Beispiel")
    with person(browser, house.address) as watched:
        arrive(watched, house, letter, NAME)
    document = pdf("Bescheid", "Neue Miete")
    for number in range(COVERS):
        due = date(2026, 12, 1 + number % 28) if number % 3 == 0 else None
        house.send(letter, f"Schreiben Nummer {number}", document, due=due)
    return Lena(letter=letter)


def slow_down(watched: Watched) -> None:
    """Slow the page's main thread down."""
    session = watched.context.new_cdp_session(watched.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})


def moment(page: Page, name: str) -> float:
    """When the page set a mark, in milliseconds since its navigation; waits for it."""
    # Not wait_for_function: what it polls with is a script that the pages' policy refuses.
    for _ in range(1_200):
        taken: float | None = page.evaluate(
            "(name) => performance.getEntriesByName(name)[0]?.startTime ?? null", name
        )
        if taken is not None:
            return taken
        page.wait_for_timeout(100)
    raise AssertionError(f"no {name}")


def test_inbox_of_two_hundred_covers_is_unsealed_in_two_seconds(
    browser: Browser, house: PortalHouse, lena: Lena
) -> None:
    with person(browser, house.address) as watched:
        enter(watched, house, NAME)
        page = watched.go("/inbox")
        expect(page.get_by_text("Sie haben 200 Schreiben.")).to_be_visible(timeout=60_000)
        moment(page, "siegelpost-unsealed")
        page.evaluate("indexedDB.deleteDatabase('siegelpost-covers')")
        slow_down(watched)
        page.reload()
        cold = moment(page, "siegelpost-unsealed")
        warm = cold
        for _ in range(4):  # what else the machine does may slow one of them
            page.wait_for_timeout(1_000)  # the covers are being kept
            page.reload()
            warm = min(warm, moment(page, "siegelpost-unsealed"))
            if warm < 0.8 * cold:
                break
        expect(page.locator("#notices li")).to_have_count(25)
        expect(page.get_by_role("link", name="Schreiben Nummer 199")).to_be_visible()
        print(f"\n{COVERS} covers, main thread {THROTTLE}x slower: {cold:.0f} ms, kept {warm:.0f}")
        assert cold < TARGET_MS * SLACK
        assert warm < 0.8 * cold


def test_browser_without_own_cryptography_unseals_by_workers_and_stays_usable(
    browser: Browser, house: PortalHouse, lena: Lena
) -> None:
    with person(browser, house.address) as watched:
        watched.context.add_init_script(NO_NATIVE)
        workers: list[str] = []
        watched.page.on("worker", lambda worker: workers.append(worker.url))
        enter(watched, house, NAME)
        page = watched.go("/inbox")
        expect(page.get_by_role("link", name="Schreiben Nummer 199")).to_be_visible(timeout=60_000)
        # Typing while the rest is still sealed: the main thread is free.
        page.get_by_role("searchbox").fill("nummer 17")
        taken = moment(page, "siegelpost-unsealed")
        expect(page.locator("#notices li")).to_have_count(12)
        assert [url for url in workers if "cover-worker" in url]
        print(f"\n{COVERS} covers in script, by workers, not slowed: {taken:.0f} ms")
        assert taken < 10 * TARGET_MS * SLACK


def test_five_megabytes_open_in_two_seconds(
    browser: Browser, house: PortalHouse, lena: Lena
) -> None:
    notice = house.send(lena.letter, "Große Akte", large_pdf("Akte.pdf", 5_000_000), due=None)
    with person(browser, house.address) as watched:
        enter(watched, house, NAME)
        page = watched.go(f"/notices/{notice}")
        expect(page.get_by_role("heading", name="Große Akte")).to_be_visible()
        slow_down(watched)
        page.evaluate(
            """() => document.getElementById("open-button").addEventListener(
                 "click", () => performance.mark("asked"), { capture: true })"""
        )
        page.get_by_role("button", name="Schreiben öffnen").click()
        taken = moment(page, "siegelpost-opened") - moment(page, "asked")
        expect(page.get_by_text("5 MB", exact=True)).to_be_visible()
        print(f"\n5 MB, main thread {THROTTLE}x slower: {taken:.0f} ms")
        assert taken < TARGET_MS * SLACK


@pytest.mark.parametrize("path", ["/", "/activate", "/login", "/inbox"])
def test_first_load_weighs_less_than_150_kilobytes_and_comes_from_us_alone(
    browser: Browser, house: PortalHouse, path: str
) -> None:
    # A request to anybody else is a wrong of `person`.
    with person(browser, house.address) as watched:
        page = watched.go(path)
        page.wait_for_load_state("networkidle")
        sizes: dict[str, Any] = page.evaluate(
            """() => Object.fromEntries(
                 [...performance.getEntriesByType("navigation"),
                  ...performance.getEntriesByType("resource")]
                 .map(({ name, transferSize }) => [new URL(name).pathname, transferSize]))"""
        )
        total = sum(sizes.values())
        heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:4]
        print(f"\n{path}: {total} bytes in {len(sizes)} requests, heaviest {heaviest}")
        assert 30_000 < total < TARGET_BYTES
