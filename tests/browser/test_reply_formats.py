"""Replies as the scripts write them, against Python: what one side makes, the other opens."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from siegelpost.evidence.ids import ReplyId, new_id
from siegelpost.evidence.reply import PREFIX, parse_reply
from siegelpost.sealing.age import open_bytes, payload_digest
from siegelpost.sealing.age_header import parse_header
from siegelpost.sealing.errors import NoMatch
from siegelpost.sealing.keys import acknowledgement_key
from siegelpost.sealing.names import fold, safe_name, unique_names
from siegelpost.sealing.package import Document, describe
from siegelpost.sealing.replies import (
    ReplyManifest,
    encode_manifest,
    open_reply,
    reply_documents,
)
from siegelpost.sealing.zipstore import Entry, write_zip
from tests.support.page_scripts import as_text, run
from tests.support.sealing import AGENCY, ALICE, BOB, CHARLIE, MAILBOX, NOTICE, seed

pytestmark = pytest.mark.browser

REPLY = ReplyId(new_id(datetime(2026, 11, 29, tzinfo=UTC), bytes(10)))
TEXT = "Guten Tag,\nhier sind meine Kontoauszüge. \U0001f600\n"
#: As a phone and a scanner may call them.
FILES = [
    ("Kontoauszug: Oktober/2026.pdf", "application/pdf", b"%PDF-1.7 eins\n%%EOF\n"),
    ("Straße.jpg", "image/jpeg", b"\xff\xd8\xff eins"),
    ("STRASSE.jpg", "image/jpeg", b"\xff\xd8\xff zwei"),
    ("Nachricht.txt.PNG", "image/png", b"\x89PNG"),
]
NAMES: dict[str, str | None] = {
    "reply": REPLY,
    "notice": NOTICE,
    "mailbox": MAILBOX,
    "agency": AGENCY,
    "mandate": None,
}


def documents(names: list[str]) -> tuple[Document, ...]:
    """The files under these names, and the text before them."""
    files = [
        Document(name=name, media_type=media_type, content=content)
        for name, (_, media_type, content) in zip(names, FILES, strict=True)
    ]
    return reply_documents(TEXT, files)


def manifest(packed: tuple[Document, ...], *, mandate: str | None = None) -> ReplyManifest:
    return ReplyManifest(
        reply_id=REPLY,
        notice_id=NOTICE,
        mailbox_id=MAILBOX,
        agency_id=AGENCY,
        mandate=mandate,
        salt=seed("salt")[:16],
        documents=describe(packed),
    )


GIVEN_FILES = """
  const files = given.files.map(({ name, mediaType, content }) =>
    ({ name, mediaType, content: b(content) }));"""


def given_files() -> list[dict[str, str]]:
    return [{"name": n, "mediaType": t, "content": as_text(c)} for n, t, c in FILES]


def test_package_is_the_same_byte_for_byte(page: Page) -> None:
    made = run(
        page,
        f"""
      const {{ packReply }} = await load("reply-package");
      const {{ concat }} = await import("/static/bytes.js"); {GIVEN_FILES}
      const packed = await packReply(given.names, given.text, files, b(given.salt));
      return [t(packed.manifestDigest), t(concat(...packed.pieces))];""",
        names=NAMES,
        text=TEXT,
        files=given_files(),
        salt=seed("salt")[:16],
    )
    names = unique_names(["Nachricht.txt", *(name for name, _, _ in FILES)])[1:]
    assert names == (
        "Kontoauszug_ Oktober_2026.pdf",
        "Straße.jpg",
        "STRASSE (2).jpg",
        "Nachricht.txt.PNG",
    )
    packed = documents(list(names))
    encoded = encode_manifest(manifest(packed))
    entries = [Entry(name=document.name, content=document.content) for document in packed]
    whole = b"".join(
        bytes(piece)
        for piece in write_zip([Entry(name="manifest.json", content=encoded), *entries])
    )
    assert base64.b64decode(made[1]) == whole
    assert base64.b64decode(made[0]) == hashlib.sha256(encoded).digest()


@pytest.mark.parametrize("mandate", [None, "mandate-1"])
def test_reply_made_in_the_browser_opens_for_whom_it_is_sealed_to(
    page: Page, mandate: str | None
) -> None:
    readers = [BOB, ALICE] if mandate is None else [BOB, ALICE, CHARLIE]
    made = run(
        page,
        f"""
      const {{ makeReply, recipientBytesOf }} = await load("reply-package");
      const {{ acknowledgementKey }} = await load("sealing"); {GIVEN_FILES}
      const {{ sealed, headers }} = await makeReply(given.names, {{ text: given.text, files,
        recipients: given.recipients.map(recipientBytesOf),
        signer: await acknowledgementKey(b(given.seed)) }});
      return [t(sealed), headers];""",
        names={**NAMES, "mandate": mandate},
        text=TEXT,
        files=given_files(),
        recipients=[reader.recipient.encode() for reader in readers],
        seed=ALICE.seed,
    )
    sealed, headers = base64.b64decode(made[0]), made[1]
    said = parse_reply(PREFIX + base64.b64decode(headers["Siegelpost-Statement"]))
    assert (said.reply, said.notice, said.mailbox) == (REPLY, NOTICE, MAILBOX)
    assert (said.agency, said.mandate) == (AGENCY, mandate)
    signer = acknowledgement_key(ALICE.seed).public_key().public_bytes_raw()
    said.verify(signer, base64.b64decode(headers["Siegelpost-Signature"]))
    agency = hashlib.sha256(BOB.recipient.raw)
    # What it was sealed to as the agency's is signed, too: nobody seals it anew unseen.
    assert said.recipient_sha256 == agency.digest()
    mailbox = hashlib.sha256(ALICE.recipient.encode().encode())
    assert said.mailbox_recipient_sha256 == mailbox.digest()
    assert headers["Siegelpost-Recipient"] == agency.hexdigest()
    assert len(parse_header(sealed).stanzas) == len(readers)
    for reader in readers:
        opened = open_reply(sealed, [reader], said)
        assert opened.text == TEXT
        assert [bytes(file.content) for file in opened.files] == [c for _, _, c in FILES]
    if mandate is None:
        with pytest.raises(NoMatch):
            open_reply(sealed, [CHARLIE], said)


@pytest.mark.parametrize(("mandate", "count"), [(None, 1), (None, 3), ("m-1", 2), ("m-1", 4)])
def test_reply_is_sealed_to_nobody_beside_those_who_may_read_it(
    page: Page, mandate: str | None, count: int
) -> None:
    assert "recipients" in run(
        page,
        """
      const { makeReply, recipientBytesOf } = await load("reply-package");
      const { acknowledgementKey } = await load("sealing");
      const recipients = given.recipients.map(recipientBytesOf);
      const signer = await acknowledgementKey(b(given.seed));
      try {
        await makeReply(given.names, { text: "x", files: [], recipients, signer });
      } catch (error) { return error.message; }
      return "made";""",
        names={**NAMES, "mandate": mandate},
        recipients=[each.recipient.encode() for each in (BOB, ALICE, CHARLIE, BOB)[:count]],
        seed=ALICE.seed,
    )


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
def test_sealed_files_of_every_length_open_in_python(page: Page, size: int) -> None:
    sealed, digest = run(
        page,
        """
      const { seal } = await load("seal");
      const { recipientBytes } = await load("sealing");
      const plain = new Uint8Array(given.size).map((_, at) => at % 251);
      const half = given.size >> 1;
      const pieces = [plain.subarray(0, half), plain.subarray(half)];
      const made = await seal(pieces, [recipientBytes(b(given.seed))]);
      return [t(made.sealed), t(made.payloadDigest)];""",
        size=size,
        seed=ALICE.seed,
    )
    data = base64.b64decode(sealed)
    expected = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert bytes(open_bytes(data, [ALICE], max_size=size)) == expected
    assert payload_digest(data) == base64.b64decode(digest)


def test_nothing_is_packed_that_an_agency_would_refuse(page: Page) -> None:
    def pack(name: str, media_type: str, *, text: str = TEXT) -> Any:
        return run(
            page,
            """
          const { packReply } = await load("reply-package");
          const files = [{ name: given.name, mediaType: given.mediaType, content: utf8("%PDF") }];
          try { await packReply(given.names, given.text, files); return "packed"; }
          catch (error) { return error.message; }""",
            names=NAMES,
            text=text,
            name=name,
            mediaType=media_type,
        )

    assert pack("Mietvertrag.pdf", "application/pdf") == "packed"
    assert pack("Mietvertrag.PDF", "application/pdf") == "packed"
    refused = "a type that replies do not hold, or a name that ends otherwise"
    assert pack("Mietvertrag.pdf.lnk", "application/pdf") == refused
    assert pack("Mietvertrag.pdf", "image/png") == refused
    assert pack("Mietvertrag", "application/pdf") == refused
    assert pack("seite.html", "text/html") == refused
    assert pack("Mietvertrag.pdf", "application/pdf", text="\x1f\n") == "the text is empty"


def test_names_of_files_are_made_safe_alike(page: Page) -> None:
    hostile = [
        "CON.pdf", "..\\..\\böse.exe.pdf", "\u202efdp.jpg", " .htaccess", "a\u0000b.png", "",
        "manifest.json", "manife\u017ft.json", "漢" * 100 + ".pdf", "Ω.pdf", "e\u0301.pdf",
        "x" * 300, "nul", "a  b\u00a0c.pdf", ".", "\ud800.pdf",
        "COM¹.pdf", "lpt³", "nul .x.png", "CONOUT$.pdf",
    ]  # fmt: skip
    made = run(
        page,
        """
      const { safeName, uniqueNames } = await load("file-names");
      return [given.names.map(safeName), uniqueNames([...given.names, ...given.names])];""",
        names=hostile,
    )
    assert made[0] == [safe_name(name) for name in hostile]
    assert made[1] == list(unique_names([*hostile, *hostile]))


@pytest.mark.parametrize(
    ("media_type", "endings"),
    [
        ("application/pdf", (".pdf",)),
        ("image/jpeg", (".jpg", ".jpeg")),
        ("image/png", (".png",)),
    ],
)
def test_names_of_files_end_as_their_types_say(
    page: Page, media_type: str, endings: tuple[str, ...]
) -> None:
    hostile = [
        "a.pdf.lnk", "a.html", "a", ".pdf", "pdf", "a.PDF", "a.Jpg", "a.jpeg", "a.png", "a.pdf.",
        "a.pdf\u202e", "a.pdf \u200b.exe", "x" * 300 + ".pdf", "漢" * 100, "con", "a.pdf:exe", "a.",
    ]  # fmt: skip
    made = run(
        page,
        """
      const { nameAs, uniqueNames } = await load("file-names");
      return uniqueNames([...given.names, ...given.names].map((n) => nameAs(n, given.mediaType)));
      """,
        names=hostile,
        mediaType=media_type,
    )
    assert len({fold(name) for name in made}) == 2 * len(hostile)
    for name in made:
        assert name == safe_name(name)
        assert name.lower().endswith(endings), name


def test_names_that_python_finds_equal_are_never_both_given(page: Page) -> None:
    letters = [chr(c) for c in (*range(0x20, 0xD800), *range(0xE000, 0x1_2000))]
    folded = run(
        page,
        'const { fold } = await load("file-names"); return given.letters.map(fold);',
        letters=letters,
    )
    seen: dict[str, str] = {}
    for letter, theirs in zip(letters, folded, strict=True):
        assert seen.setdefault(fold(letter), theirs) == theirs, hex(ord(letter))


def test_ids_are_the_same(page: Page) -> None:
    moment = datetime(2026, 11, 29, 10, 11, 12, 345_000, tzinfo=UTC)
    for random in (bytes(10), b"\xff" * 10, bytes(range(10))):
        made = run(
            page,
            """
          const { newId } = await load("reply-package");
          return newId(new Date(given.moment), b(given.random));""",
            moment=int(moment.timestamp() * 1000),
            random=random,
        )
        assert made == new_id(moment, random)
