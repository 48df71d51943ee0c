"""A reply's package: written as read, and whatever differs by one thing is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from siegelpost.evidence import canonical
from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId, ReplyId
from siegelpost.evidence.reply import ReplyStatement
from siegelpost.sealing.age import payload_digest, seal_bytes
from siegelpost.sealing.errors import ManifestError, NoMatch, PackageError, SealingError
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.manifest import DocumentEntry
from siegelpost.sealing.package import Document, describe
from siegelpost.sealing.replies import (
    MAX_DOCUMENTS_SIZE,
    MAX_TEXT,
    Reply,
    ReplyManifest,
    decode_manifest,
    encode_manifest,
    open_reply,
    reply_documents,
    seal_reply,
)
from siegelpost.sealing.zipstore import Entry, write_zip

AGENCY, ALICE, BOB, STRANGER = (Identity(bytes([n]) * 32) for n in range(1, 5))
TEXT = "Guten Tag,\n\nanbei meine Kontoauszüge.\n"
FILES = (
    Document(name="Kontoauszug.pdf", media_type="application/pdf", content=b"%PDF-1.7"),
    Document(name="Foto.jpg", media_type="image/jpeg", content=b"\xff\xd8\xff"),
    Document(name="foto.JPG", media_type="image/jpeg", content=b""),
)


def manifest(**changes: Any) -> ReplyManifest:
    wanted: dict[str, Any] = {
        "reply_id": ReplyId("reply-1"),
        "notice_id": NoticeId("notice-1"),
        "mailbox_id": MailboxId("mailbox-1"),
        "agency_id": AgencyId("jobcenter-musterland"),
        "mandate": None,
        "salt": bytes(range(16)),
        "documents": describe(reply_documents(TEXT, FILES)),
    }
    return ReplyManifest(**{**wanted, **changes})


def stated(encoded: bytes, payload: bytes) -> ReplyStatement:
    return ReplyStatement(
        reply=ReplyId("reply-1"),
        notice=NoticeId("notice-1"),
        mailbox=MailboxId("mailbox-1"),
        agency=AgencyId("jobcenter-musterland"),
        mandate=None,
        manifest_sha256=hashlib.sha256(encoded).digest(),
        payload_sha256=payload,
        recipient_sha256=hashlib.sha256(AGENCY.recipient.raw).digest(),
        mailbox_recipient_sha256=hashlib.sha256(ALICE.recipient.encode().encode()).digest(),
        replied_at=datetime(2026, 11, 29, tzinfo=UTC),
    )


def sealed() -> tuple[bytes, ReplyStatement]:
    made = seal_reply(manifest(), reply_documents(TEXT, FILES), [AGENCY.recipient, ALICE.recipient])
    return made.data, stated(encode_manifest(manifest()), made.payload_digest)


def opened(data: bytes, said: ReplyStatement, identity: Identity = AGENCY) -> Reply:
    return open_reply(data, [identity], said)


def test_agency_and_citizen_open_what_was_written() -> None:
    data, said = sealed()
    for identity in (AGENCY, ALICE):
        found = opened(data, said, identity)
        assert found.text == TEXT
        assert [(file.name, bytes(file.content)) for file in found.files] == [
            ("Kontoauszug.pdf", b"%PDF-1.7"),
            ("Foto.jpg", b"\xff\xd8\xff"),
            ("foto (2).JPG", b""),
        ]
        assert found.manifest == manifest()
    with pytest.raises(NoMatch):
        opened(data, said, STRANGER)


def test_manifest_has_exactly_the_fields_of_the_format() -> None:
    value = json.loads(encode_manifest(manifest(mandate="mandate-1")))
    assert set(value) == {
        *("agency", "documents", "kind", "mailbox", "mandate", "notice", "reply", "salt"),
        "version",
    }
    assert (value["kind"], value["version"]) == ("reply", 1)
    assert value["documents"][0] == {
        "name": "Nachricht.txt",
        "media_type": "text/plain",
        "size": len(TEXT.encode()),
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
    }
    assert decode_manifest(encode_manifest(manifest())) == manifest()


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MAX_TEXT + 1)])
def test_text_is_there_and_not_too_long(text: str) -> None:
    with pytest.raises(ManifestError):
        reply_documents(text, ())


def _entry(**changes: Any) -> DocumentEntry:
    return replace(describe(FILES)[0], **changes)


TEXT_ENTRY = describe(reply_documents(TEXT, ()))[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"documents": ()},
        {"documents": describe(FILES)},
        {"documents": (replace(TEXT_ENTRY, media_type="text/html"),)},
        {"documents": (TEXT_ENTRY, _entry(media_type="text/plain"))},
        {"documents": (TEXT_ENTRY, _entry(media_type="image/svg+xml"))},
        {"documents": (TEXT_ENTRY, _entry(name="nachricht.TXT"))},
        {"documents": (TEXT_ENTRY, _entry(name="Mietvertrag.pdf.lnk"))},
        {"documents": (TEXT_ENTRY, _entry(name="Mietvertrag.png"))},
        {"documents": (TEXT_ENTRY, _entry(name="pdf"))},
        {"documents": (TEXT_ENTRY, *(_entry(name=f"{n}.pdf") for n in range(11)))},
        {"documents": (TEXT_ENTRY, _entry(size=MAX_DOCUMENTS_SIZE))},
        {"salt": bytes(15)},
        {"mandate": "a b"},
        {"reply_id": ReplyId("")},
    ],
    ids=str,
)
def test_manifest_holds_what_a_reply_may_hold(changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestError):
        manifest(**changes)


#: Members of the manifest that differ, signed by the sender all the same.
LYING: dict[str, dict[str, Any]] = {
    "another reply": {"reply": "reply-2"},
    "another notice": {"notice": "notice-2"},
    "another mailbox": {"mailbox": "mailbox-2"},
    "another agency": {"agency": "stadt-musterstadt"},
    "a mandate": {"mandate": "mandate-1"},
    "another version": {"version": 2},
    "another kind": {"kind": "notice"},
    "a field more": {"title": "Antrag"},
}


@pytest.mark.parametrize("name", LYING)
def test_manifest_that_speaks_of_something_else_is_refused(name: str) -> None:
    value = {**json.loads(encode_manifest(manifest())), **LYING[name]}
    data, said = _packed(canonical.encode(value))
    with pytest.raises(ManifestError):
        opened(data, said)


def _packed(encoded: bytes, *, files: list[Entry] | None = None) -> tuple[bytes, ReplyStatement]:
    entries = [
        Entry(name=entry.name, content=document.content)
        for entry, document in zip(manifest().documents, reply_documents(TEXT, FILES), strict=True)
    ]
    given = entries if files is None else files
    made = seal_bytes(
        write_zip([Entry(name="manifest.json", content=encoded), *given]), [AGENCY.recipient]
    )
    return made.data, stated(encoded, made.payload_digest)


ENTRIES = [
    Entry(name=entry.name, content=document.content)
    for entry, document in zip(manifest().documents, reply_documents(TEXT, FILES), strict=True)
]
#: Files that are not those of the manifest.
OTHER_FILES: dict[str, list[Entry]] = {
    "one left out": ENTRIES[:-1],
    "one more": [*ENTRIES, Entry(name="mehr.pdf", content=b"%PDF")],
    "another order": [ENTRIES[0], ENTRIES[2], ENTRIES[1], ENTRIES[3]],
    "another text": [replace(ENTRIES[0], content=TEXT.upper().encode()), *ENTRIES[1:]],
    "another file of that size": [
        *ENTRIES[:1],
        replace(ENTRIES[1], content=b"%PDF-1.4"),
        *ENTRIES[2:],
    ],
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_files_that_are_not_the_manifest_s_are_refused(name: str) -> None:
    data, said = _packed(encode_manifest(manifest()), files=OTHER_FILES[name])
    with pytest.raises(PackageError):
        opened(data, said)


#: What differs from what the sender signed.
UNSIGNED: dict[str, Callable[[bytes, ReplyStatement], tuple[bytes, ReplyStatement]]] = {
    "another payload": lambda data, said: (data, replace(said, payload_sha256=bytes(32))),
    "another manifest": lambda data, said: (data, replace(said, manifest_sha256=bytes(32))),
    "payload altered": lambda data, said: (data[:-1] + bytes([data[-1] ^ 1]), said),
    "payload altered and signed": lambda data, said: _signed(data[:-1] + b"x", said),
    "header altered": lambda data, said: (data.replace(b"-> ml", b"-> mk", 1), said),
    "no age file": lambda data, said: (b"Guten Tag", said),
}


def _signed(data: bytes, said: ReplyStatement) -> tuple[bytes, ReplyStatement]:
    return data, replace(said, payload_sha256=payload_digest(data))


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_the_sender_did_not_sign_is_refused(name: str) -> None:
    with pytest.raises(SealingError):
        opened(*UNSIGNED[name](*sealed()))


def test_text_that_is_no_text_is_refused() -> None:
    raw = Document(name="Nachricht.txt", media_type="text/plain", content=b"\xff\xfe\x00")
    odd = manifest(documents=describe([raw]))
    made = seal_reply(odd, [raw], [AGENCY.recipient])
    with pytest.raises(ManifestError, match="UTF-8"):
        opened(made.data, stated(encode_manifest(odd), made.payload_digest))


def test_package_without_manifest_in_front_is_refused() -> None:
    made = seal_bytes(write_zip(ENTRIES), [AGENCY.recipient])
    with pytest.raises(PackageError, match="start with its manifest"):
        opened(made.data, stated(b"", made.payload_digest))


def test_sealing_other_documents_than_described_is_refused() -> None:
    with pytest.raises(ManifestError, match="other documents"):
        seal_reply(manifest(), reply_documents(TEXT, FILES[:1]), [AGENCY.recipient])
