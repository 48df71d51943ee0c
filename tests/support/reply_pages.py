"""Replies in a browser: how somebody gets to the form, and what the agency finds."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from typing import Any

from playwright.sync_api import FilePayload, Page, Request, Route, expect
from sqlalchemy import Connection, Select, select

from siegelpost.evidence.reply import PREFIX, parse_reply
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.replies import Reply, open_reply
from siegelpost.store import tables
from siegelpost.store.tables import core
from tests.support.arrivals import arrive
from tests.support.browsers import Watched
from tests.support.portal_house import Letter, PortalHouse, pdf
from tests.support.sealing import seed

#: What the agency keeps; the service never sees it.
AGENCY = Identity(seed("the agency's key for replies"))
_reply, _blob = core(tables.Reply), core(tables.Blob)


def photo(width: int, height: int) -> bytes:
    """A noisy picture as PNG: the browser makes photos of it."""
    rows = b"".join(
        b"\0" + bytes((x * y * 7 + x) % 256 for x in range(width * 3)) for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows, 0)
    return png(("IHDR", head), ("IDAT", packed), ("IEND", b""))


def png(*chunks: tuple[str, bytes]) -> bytes:
    """Of chunks by name."""
    made = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        kind = name.encode("ascii")
        made += struct.pack(">I", len(data)) + kind + data
        made += struct.pack(">I", zlib.crc32(kind + data))
    return made


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
    sent = select(_reply).where(_reply.c.notice_id == notice).order_by(_reply.c.received_at)
    found = []
    for row in house.context.store.read_now(lambda c: c.execute(sent).all()):
        parts = select(_blob.c.data).where(_blob.c.id == row.blob_id).order_by(_blob.c.part)
        sealed = b"".join(house.context.store.read_now(partial(_all, parts)))
        said = parse_reply(PREFIX + row.statement.encode())
        found.append(open_reply(sealed, [AGENCY], said))
    return found


def _all(query: Select[Any], connection: Connection) -> list[bytes]:
    return [bytes(row.data) for row in connection.execute(query)]


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


def be_slow(page: Page) -> None:
    """The browser gives the first reply up; the service has it in full, but writes it only then.

    When the next one comes, that is: after it looked whether the first had arrived.
    """
    page.unroute("**/replies")
    begun: list[Request] = []

    def handle(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
        elif not begun:
            begun.append(route.request)
            route.abort("connectionreset")
        else:
            first = begun[0]
            route.fetch(headers=first.all_headers(), post_data=first.post_data_buffer)
            route.continue_()

    page.route("**/replies", handle)
