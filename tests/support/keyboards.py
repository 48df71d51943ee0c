"""People who use the keyboard only: Tab until the focus is there, then type or press."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.support.browsers import STILL, Watched

#: More stops than any page has.
_MOST_STOPS = 150

#: Numbers whatever ought to take the focus; returns how many. Of radio buttons one is a stop.
_MARK = """() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")];
  const stops = all.filter((one) => one.checkVisibility({ visibilityProperty: true })
    && !one.disabled && one.type !== "hidden" && one.type !== "radio" && one.tabIndex >= 0);
  stops.forEach((one, number) => { one.dataset.stop = number; });
  return stops.length;
}"""
#: Where the focus is, and whether that shows: an outline, a shadow, or a border that is not there
#: without it. Of a box, some part must be on the screen with nothing over it (WCAG 2.2, 2.4.11).
_STOP = """async () => {
  await (STILL)();
  const one = document.activeElement;
  if (!one || one === document.body || one.dataset.stop === undefined) return null;
  const style = getComputedStyle(one);
  const ringed = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1.5)
    || s.boxShadow !== "none";
  const box = one.getClientRects()[0] ?? one.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const top = document.elementFromPoint(x, y);
  return {
    number: Number(one.dataset.stop),
    html: one.outerHTML.slice(0, 120),
    where: `at ${Math.round(x)}, ${Math.round(y)} of ${innerWidth} x ${innerHeight}, `
      + `scrolled by ${Math.round(scrollY)}, under ${top && top.outerHTML.slice(0, 200)}`,
    shown: one.matches(":focus-visible") && (ringed(style)
      || ringed(getComputedStyle(one, "::before")) || ringed(getComputedStyle(one, "::after"))),
    uncovered: top !== null && (one.contains(top) || top.contains(one)
      || [...(one.labels ?? [])].some((label) => label.contains(top))),
  };
}""".replace("STILL", STILL)
_LEFT = """(reached) => [...document.querySelectorAll("[data-stop]")]
  .filter((one) => !reached.includes(Number(one.dataset.stop)))
  .map((one) => one.outerHTML.slice(0, 120))"""


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


def walk_by_tab(watched: Watched, name: str) -> None:
    """Press Tab through the whole page: everything is reached, seen, and seen to have the focus."""
    page = watched.page
    page.evaluate(STILL)  # what is focused is scrolled to where it is now, and moves no more
    page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
    wanted: int = page.evaluate(_MARK)
    reached: set[int] = set()
    # A page whose script has put the focus into a field is walked from there, and around once.
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None:
            continue
        if stop["number"] in reached:
            break
        reached.add(stop["number"])
        if not stop["shown"]:
            watched.wrongs.append(f"{name}: no visible focus on {stop['html']}")
        if not stop["uncovered"]:
            watched.wrongs.append(
                f"{name}: focus is off the screen or covered on {stop['html']} {stop['where']}"
            )
    if len(reached) < wanted:
        left = page.evaluate(_LEFT, sorted(reached))
        watched.wrongs.append(f"{name}: the keyboard does not reach {left}")
