"""The watch over the browser tests itself: what breaks the policy must fail a test."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.support.browsers import person
from tests.support.portal_house import PortalHouse

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("deed", "noticed"),
    [
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("document.body.innerHTML = '<p>x</p>'", "TrustedHTML"),
        ("eval('1')", "Content Security Policy"),
        ("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))", "WebAssembly"),
        ("console.error('broken')", "broken"),
    ],
)
def test_a_violation_on_a_page_is_noticed(
    browser: Browser, house: PortalHouse, deed: str, noticed: str
) -> None:
    with person(browser, house.address) as watched:
        page = watched.go("/login")
        # From a timer: what the test itself evaluates is exempt from the policy.
        refusal = page.evaluate(
            f"""() => new Promise((resolve) => setTimeout(() => {{
              try {{ {deed}; resolve(""); }} catch (error) {{ resolve(String(error)); }}
            }}))"""
        )
        for _ in range(100):  # the browser tells of it in its own time
            if noticed in "\n".join([*watched.wrongs, refusal]):
                break
            page.wait_for_timeout(100)
        assert noticed in "\n".join([*watched.wrongs, refusal])
        watched.allow(".*")
