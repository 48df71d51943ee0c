"""The short way into a mailbox, for browser tests of something else: no wizard, no login form.

The Python citizen makes the same requests, with a passphrase whose key is remembered; the browser
gets the session's cookies and, through the portal's own script, the keys. What the wizard and the
login form do is tested by those who walk through them (`walks`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx2

from siegelpost.service.demo.citizen import Citizen
from tests.support.browsers import Watched
from tests.support.page_scripts import as_text, run
from tests.support.portal_house import Letter, PortalHouse
from tests.support.remembered import entropy
from tests.support.walks import PASSWORT

T = TypeVar("T")

#: Of the portal's origin, and loads nothing by itself, not even an icon.
_NO_PAGE = "/no-page"
_EMPTY = "<!doctype html><title>-</title><link rel=icon href='data:,'>"
_KEEP = """
  const { keep } = await load("keystore");
  const seeds = given.keys.map(([key, seed]) => ({ key, seed: b(seed), retired: false }));
  await keep(given.mailbox, seeds);
"""


def arrive(watched: Watched, house: PortalHouse, letter: Letter, email: str) -> str:
    """Activate the mailbox of `letter`, and be logged in and unlocked; the emergency code."""

    async def read_code() -> str:
        return house.address_code()

    day, month, year = letter.born
    return _as_citizen(
        watched,
        house,
        lambda citizen: citizen.activate(
            code=letter.code,
            birth_date=f"{year}-{month:0>2}-{day:0>2}",
            email=email,
            read_code=read_code,
            passphrase=PASSWORT,
        ),
    )


def enter(watched: Watched, house: PortalHouse, login_name: str) -> None:
    """Be logged in and unlocked where the password opens the one key there is."""
    _as_citizen(watched, house, lambda citizen: citizen.log_in(login_name, PASSWORT))


def _as_citizen(watched: Watched, house: PortalHouse, way: Callable[[Citizen], Awaitable[T]]) -> T:
    address = house.address + _NO_PAGE
    watched.page.route(address, lambda route: route.fulfill(body=_EMPTY, content_type="text/html"))
    page = watched.go(_NO_PAGE)
    page.unroute(address)
    agent = {"User-Agent": str(page.evaluate("navigator.userAgent"))}

    async def login_code(_login_name: str) -> str:
        return house.login_code()

    async def walked() -> tuple[T, Citizen]:
        async with httpx2.AsyncClient(base_url=house.address, headers=agent, timeout=60) as http:
            citizen = Citizen(client=http, read_login_code=login_code, entropy=entropy)
            return await way(citizen), citizen

    result, citizen = house.run(walked())
    watched.context.add_cookies(
        [
            {
                "name": name,
                "value": value,
                "domain": "localhost",
                "path": "/",
                "secure": True,
                "httpOnly": True,
                "sameSite": "Strict",
            }
            for name, value in citizen.cookies.items()
        ]
    )
    keys = [(key, as_text(seed)) for key, seed in citizen.seeds.items()]
    run(page, _KEEP, mailbox=citizen.mailbox, keys=keys)
    return result
