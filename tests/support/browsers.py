"""A real Chromium for tests: started once, every page watched, screenshots, axe.

Whatever the console calls an error, and every violation of the content security policy, fails the
test that made it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PageError

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM = os.environ.get("SIEGELPOST_CHROMIUM", "/usr/bin/chromium")
#: The same engine without the windows around it: a third less work, and no viewer for PDF.
SHELL = "/usr/bin/chromium-headless-shell"

_AXE = ROOT / "tests" / "browser" / "vendor" / "axe.min.js"
#: Options of axe: what pages are checked for.
_RULES = """
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  rules: { "target-size": { enabled: true } },
"""
#: What can be wrong in one scheme of colours and right in the other, all else being the same.
OF_COLOURS = 'runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] },'
#: Waits until the page stands still, at most some seconds. Sizes and colours follow a change by
#: transitions, however short they are: until these have run, the page has its old layout. One that
#: ends can start others in what inherits from it. In a page that draws no frames none ever ends.
STILL = """async () => {
  const limit = performance.now() + 5000;
  while (performance.now() < limit) {
    const moving = document.getAnimations()
      .filter((one) => one.playState === "running" && one.effect.getComputedTiming().endTime < 1e5);
    if (moving.length === 0) return;
    const ended = Promise.allSettled(moving.map((one) => one.finished));
    await Promise.race([ended, new Promise((go) => setTimeout(go, 200))]);
  }
}"""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Size(TypedDict):
    """Of a window, in CSS pixels."""

    width: int
    height: int


PHONE = Size(width=320, height=640)
DESKTOP = Size(width=1280, height=800)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser, as light as there is one; skips the test where none is installed."""
    light = CHROMIUM if "SIEGELPOST_CHROMIUM" in os.environ or not Path(SHELL).exists() else SHELL
    if not Path(light).exists():
        pytest.skip(f"no Chromium at {light}")
    # Argon2id on a busy machine takes longer than Playwright's five seconds.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=light, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def whole_chromium(browser: Browser) -> Iterator[Browser]:
    """The browser that people have, with all that is around the engine, beside the light one."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    whole = browser.browser_type.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
    yield whole
    whole.close()


class Watched:
    """One person's browser profile with one page, and everything that went wrong in it."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        #: console errors, violations and requests to others, in words
        self.wrongs: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        context.on("page", self._watch)
        context.on("request", lambda request: self._same_origin(request.url))
        self.page = context.new_page()

    def allow(self, pattern: str) -> None:
        """Expect console errors that match, such as a refused login's 403."""
        self._allowed.append(re.compile(pattern))

    def go(self, path: str) -> Page:
        """Open a page of the portal."""
        self.page.goto(self.address + path)
        return self.page

    def picture(self, name: str, **options: Any) -> None:
        """Keep the page as a person sees it, whole, where SIEGELPOST_SCREENSHOTS asks for it.

        Chromium on a busy machine now and then has no picture ready; it has the next moment.
        """
        if not os.environ.get("SIEGELPOST_SCREENSHOTS"):
            return
        file = SCREENSHOTS / f"{name}.png"
        for last in (False, False, True):
            try:
                self.page.screenshot(path=file, full_page=True, **options)
                return
            except PageError as error:
                if last or "Unable to capture screenshot" not in str(error):
                    raise
                self.page.wait_for_timeout(500)

    def check_width(self, name: str) -> None:
        """A page that is wider than its window is a wrong."""
        overflow = self.page.evaluate(
            """async () => {
              const limit = new Promise((go) => setTimeout(go, 10000));
              await Promise.race([document.fonts.ready, limit]);
              // A form that was just sent: the next page has begun and holds nothing yet.
              while (!document.documentElement) await new Promise((go) => setTimeout(go, 10));
              await (STILL)();
              return document.documentElement.scrollWidth - innerWidth;
            }""".replace("STILL", STILL)
        )
        if overflow > 0:
            self.wrongs.append(f"{name} is {overflow} px too wide")

    def check_sizes(self, name: str) -> None:
        """The page fits on a phone and on a desk."""
        for size in (PHONE, DESKTOP):
            self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            self.picture(f"{name}-{size['width']}", animations="disabled")
            self.check_width(f"{name} at {size['width']} px")

    def check_accessibility(self, name: str) -> None:
        """Run axe on the page as it stands, in light and dark; findings are wrongs."""
        self.run_axe(f"{name} (light)")
        self.page.emulate_media(color_scheme="dark")
        self.run_axe(f"{name} (dark)", OF_COLOURS)
        self.page.emulate_media(color_scheme="light")

    def run_axe(self, name: str, rules: str = _RULES) -> None:
        """Run axe on the page as it stands; findings are wrongs."""
        if not self.page.evaluate("'axe' in window"):  # half a megabyte, once for each page
            self.page.evaluate(f"() => {{ {_AXE.read_text(encoding='utf-8')} }}")
        findings: list[dict[str, Any]] = self.page.evaluate(
            f"""async () => {{
              await ({STILL})();
              const found = await window.axe.run(document, {{
                resultTypes: ["violations"], {rules}
              }});
              return found.violations.map(({{ id, help, nodes }}) => (
                {{ id, help, nodes: nodes.map(({{ html }}) => html.slice(0, 200)) }}));
            }}"""
        )
        self.wrongs += [f"{name}: axe {finding}" for finding in findings]

    def inspect(self, name: str) -> None:
        """Both of the above: what every page of every walk must pass."""
        self.check_sizes(name)
        self.check_accessibility(name)

    def assert_nothing_wrong(self) -> None:
        """Fail with all that went wrong so far."""
        wrongs = [
            wrong
            for wrong in self.wrongs
            if not any(pattern.search(wrong) for pattern in self._allowed)
        ]
        assert not wrongs, "\n".join(wrongs)

    def _watch(self, page: Page) -> None:
        page.on(
            "console",
            lambda message: (
                self.wrongs.append(f"console: {message.text} ({message.location.get('url')})")
                if message.type == "error"
                else None
            ),
        )
        page.on("pageerror", lambda error: self.wrongs.append(f"script error: {error}"))

    def _same_origin(self, url: str) -> None:
        # The last two are the browser's own viewer of PDFs.
        own = (self.address + "/", "blob:", "data:", "chrome-extension://", "chrome://")
        if not url.startswith(own):
            self.wrongs.append(f"request to another origin: {url}")


@contextmanager
def person(browser: Browser, address: str, **options: Any) -> Iterator[Watched]:
    """A fresh browser profile of one person, checked at the end."""
    options.setdefault("locale", "de-DE")
    context = browser.new_context(
        viewport={"width": DESKTOP["width"], "height": DESKTOP["height"]}, **options
    )
    context.set_default_timeout(30_000)
    watched = Watched(context, address)
    try:
        yield watched
    except BaseException:
        # The test's own failure comes first, but what the browser said explains it.
        print("\n".join(watched.wrongs))
        raise
    else:
        watched.assert_nothing_wrong()
    finally:
        context.close()
