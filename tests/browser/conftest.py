"""One browser and one house for all browser tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsers import chromium, person
from tests.support.portal_house import PortalHouse, portal_house


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalHouse]:
    """A running portal with an agency."""
    with portal_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def page(browser: Browser, house: PortalHouse) -> Iterator[Page]:
    """Something of the portal under its policy, but no page: those load only what they name."""
    with person(browser, house.address) as somebody:
        somebody.allow("favicon")  # only pages name their icon
        yield somebody.go("/static/vendor/LICENSES.txt")
