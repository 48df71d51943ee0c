"""Replies that were sent, opened again by the scripts: as strictly as an agency opens them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from siegelpost.evidence import canonical
from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.ids import new_id
from siegelpost.evidence.reply import PREFIX, parse_reply
from siegelpost.sealing.age import seal_bytes
from siegelpost.sealing.errors import SealingError
from siegelpost.sealing.keys import Identity, acknowledgement_key
from siegelpost.sealing.replies import Reply, open_reply
from siegelpost.sealing.zipstore import Entry, write_zip
from tests.support.browsers import person
from tests.support.page_scripts import as_text, run
from tests.support.portal_house import PortalHouse
from tests.support.sealing import AGENCY, ALICE, BOB, MAILBOX, NOTICE

pytestmark = pytest.mark.browser

REPLY = new_id(datetime(2026, 11, 29, tzinfo=UTC), bytes(10))
TEXT = "Guten Tag,\nhier sind meine Kontoauszüge.\n"
#: What the page expects of a reply of the citizen's own.
OURS = {"notice": NOTICE, "mailbox": MAILBOX, "agency": AGENCY, "mandate": None}


@pytest.fixture(scope="module")
def page(browser: Browser, house: PortalHouse) -> Iterator[Page]:
    """Something of the portal under its policy, but no page: those load only what they name."""
    with person(browser, house.address) as somebody:
        somebody.allow("favicon")  # only pages name their icon
        yield somebody.go("/static/vendor/LICENSES.txt")


READ = """
  const { openReply } = await load("reply-reading");
  const listed = { id: given.id, statement: given.statement, signature: given.signature };
  const expected = { notice: given.notice, mailbox: given.mailbox, agency: given.agency };
  if ("mandate" in given) expected.mandate = given.mandate;
  try {
    const seeds = [given.seed, given.older].filter((seed) => seed !== undefined).map(b);
    const read = await openReply(b(given.sealed), seeds, listed, expected);
    return [read.signed, read.text, ...read.files.map(({ name }) => name)];
  } catch (error) { return error.message; }"""
GOOD = [("Auszug.pdf", "application/pdf", b"%PDF"), ("a.jpg", "image/jpeg", b"\xff\xd8\xff")]


def sent(
    files: Sequence[tuple[str, str, bytes]] = GOOD,
    *,
    text: str = TEXT,
    about: Mapping[str, Any] = MappingProxyType({}),
    said: Mapping[str, Any] = MappingProxyType({}),
    signer: Identity = ALICE,
) -> dict[str, Any]:
    """A sealed reply as no program of ours writes it, and how the service would list it.

    `about` changes the manifest, `said` the statement that `signer` signs.
    """
    packed = [("Nachricht.txt", "text/plain", text.encode()), *files]
    described: list[canonical.Json] = [
        {"name": n, "media_type": t, "size": len(c), "sha256": hashlib.sha256(c).hexdigest()}
        for n, t, c in packed
    ]
    fields: dict[str, Any] = {
        "reply": REPLY,
        **OURS,
        "version": 1,
        "kind": "reply",
        "salt": "5a" * 16,
    }
    encoded = canonical.encode({**fields, "documents": described, **about})
    entries = [Entry(name=name, content=content) for name, _, content in packed]
    pieces = write_zip([Entry(name="manifest.json", content=encoded), *entries])
    sealed = seal_bytes(pieces, [BOB.recipient, ALICE.recipient])
    statement = canonical.encode(
        {
            "reply": REPLY,
            **OURS,
            "manifest_sha256": hashlib.sha256(encoded).hexdigest(),
            "payload_sha256": sealed.payload_digest.hex(),
            "recipient_sha256": hashlib.sha256(BOB.recipient.raw).hexdigest(),
            "mailbox_recipient_sha256": hashlib.sha256(
                ALICE.recipient.encode().encode()
            ).hexdigest(),
            "replied_at": "2026-11-29T10:11:12.345000Z",
            **said,
        }
    )
    signature = acknowledgement_key(signer.seed).sign(PREFIX + statement)
    return {
        "sealed": sealed.data,
        "id": REPLY,
        "statement": statement.decode(),
        "signature": as_text(signature),
    }


def read(page: Page, given: Mapping[str, Any], **changes: Any) -> Any:
    """What Alice's own page makes of it: whether she signed it, text and names; or why not."""
    return run(page, READ, **{"seed": ALICE.seed, **OURS, **given, **changes})


def test_own_reply_opens_again_in_the_browser_and_another_does_not(page: Page) -> None:
    given = sent()
    names = [name for name, _, _ in GOOD]
    assert [file.name for file in open_in_python(given).files] == names
    assert read(page, given) == [True, TEXT, *names]
    # By a key that was exchanged since, as long as its seed is at hand.
    new = Identity(bytes(32)).seed
    assert read(page, given, seed=new, older=ALICE.seed) == [True, TEXT, *names]
    # Somebody else signed it: it opens, and the page is told.
    assert read(page, sent(signer=BOB)) == [False, TEXT, *names]
    # Sealed to another key than ours in our place, it does not pass for ours.
    assert read(page, given, seed=BOB.seed) == "another key"
    assert read(page, given, id="reply-2") == "another reply"
    for name in ("notice", "mailbox", "agency", "mandate"):
        assert read(page, given, **{name: "other-2"}) == f"another {name}"
    assert read(page, given, sealed=sent()["sealed"]) == "another payload"
    assert read(page, sent(said={"manifest_sha256": "00" * 32})) == "another manifest"
    assert read(page, sent(about={"mailbox": "other-2"})) == "the manifest names another mailbox"


def test_delegate_s_reply_opens_for_the_citizen_under_whichever_mandate(page: Page) -> None:
    mandate = {"mandate": "mandate-1"}
    helped = {"seed": ALICE.seed, **{name: OURS[name] for name in ("notice", "mailbox", "agency")}}
    opened = run(page, READ, **helped, **sent(about=mandate, said=mandate))
    assert opened == [True, TEXT, *(name for name, _, _ in GOOD)]
    # Its sender was given another key for the citizen's: somebody else may have read it.
    strange = {**mandate, "mailbox_recipient_sha256": "00" * 32}
    assert run(page, READ, **helped, **sent(about=mandate, said=strange)) == "another key"
    exchanged = {**helped, "seed": bytes(32), "older": ALICE.seed}
    assert run(page, READ, **exchanged, **sent(about=mandate, said=mandate)) == opened
    # Under none it is the citizen's own, and not to be shown as somebody else's.
    assert run(page, READ, **helped, **sent()) == "another mandate"


def open_in_python(given: Mapping[str, Any]) -> Reply:
    """As the agency does, but for who signed."""
    said = parse_reply(PREFIX + given["statement"].encode())
    return open_reply(given["sealed"], [BOB], said)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        # Without the key that it was sealed to as the agency's, nobody signed that.
        ({"said": {"recipient_sha256": None}}, "no recipient_sha256"),
        ({"said": {"recipient_sha256": "AB" * 32}}, "no recipient_sha256"),
        ({"said": {"mailbox_recipient_sha256": "AB"}}, "no mailbox_recipient_sha256"),
        ({"said": {"replied_at": "today"}}, "no replied_at"),
        ({"said": {"more": 1}}, "missing or unknown fields"),
        ({"about": {"version": 2}}, "unknown version"),
        ({"about": {"salt": "zz" * 16}}, "malformed salt"),
        ({"about": {"more": 1}}, "missing or unknown fields"),
        ({"text": " \n\x85"}, "the text is empty"),
        ({"text": "ä" * 10_001}, "the text is too long"),
        ({"files": [("a.html", "text/html", b"<")]}, "a type that"),
        ({"files": [("a.pdf.lnk", "application/pdf", b"%PDF")]}, "a type that"),
        ({"files": [("a.png", "image/jpeg", b"\xff")]}, "a type that"),
        ({"files": [("..\\..\\a\u202efdp.pdf", "application/pdf", b"%")]}, "unsafe name"),
        (
            {"files": [*GOOD, ("A.JPG", *GOOD[1][1:])]},
            "same",
        ),
        ({"files": [(f"{n}.pdf", "application/pdf", b"%") for n in range(11)]}, "too many"),
    ],
)
def test_reply_that_an_agency_would_refuse_does_not_open_as_the_own_one(
    page: Page, changes: dict[str, Any], why: str
) -> None:
    given = sent(**changes)
    found = read(page, given)
    assert isinstance(found, str), found
    assert found.startswith(why)
    # The other side says the same.
    with pytest.raises((EvidenceError, SealingError)):
        open_in_python(given)
