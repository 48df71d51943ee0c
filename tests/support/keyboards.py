"""People who use the keyboard only: Tab until the focus is there, then type or press."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

#: More stops than any page has.
_MOST_STOPS = 150


def reach(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus; AssertionError if it never gets there."""
    target.wait_for(state="visible")
    for _ in range(_MOST_STOPS):
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => element.matches(':focus-visible')")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go to a link or button and press it."""
    reach(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    """Go to a field and type."""
    reach(page, target)
    page.keyboard.type(text)
