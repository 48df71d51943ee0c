"""Fixed keys and small values for tests that seal and open."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime

from siegelpost.evidence.ids import AgencyId, MailboxId, NoticeId
from siegelpost.evidence.notes import Ed25519Signer
from siegelpost.sealing.covers import Cover, cover_digest
from siegelpost.sealing.keys import Identity
from siegelpost.sealing.manifest import Manifest, Remedy
from siegelpost.sealing.package import Document, describe


def seed(label: str) -> bytes:
    """32 bytes that are the same in every run."""
    return hashlib.sha256(label.encode()).digest()


ALICE = Identity(seed("alice"))
BOB = Identity(seed("bob"))
CHARLIE = Identity(seed("charlie"))
AGENCY_SIGNER = Ed25519Signer.from_seed("jobcenter.example/manifest", seed("agency"))
FOREIGN_SIGNER = Ed25519Signer.from_seed("anderswo.example/manifest", seed("foreign"))

NOTICE = NoticeId("notice-1")
MAILBOX = MailboxId("mailbox-alice")
AGENCY = AgencyId("jobcenter-musterstadt")

COVER = Cover(
    title="Bewilligung von Bürgergeld",
    kind="bewilligung",
    what_is_this="Sie bekommen Geld vom Jobcenter.",
    what_to_do="Prüfen Sie, ob alles stimmt.",
    due_on=date(2026, 12, 28),
    who_helps="Ihr Jobcenter Musterstadt",
    language="de",
)


def documents() -> list[Document]:
    """Two small documents."""
    return [
        Document(
            name="Bescheid.pdf", media_type="application/pdf", content=b"%PDF-1.7 eins\n%%EOF\n"
        ),
        Document(
            name="Anlage.pdf", media_type="application/pdf", content=b"%PDF-1.7 zwei\n%%EOF\n"
        ),
    ]


def manifest_for(packed: Sequence[Document]) -> Manifest:
    """A manifest of `packed` for Alice."""
    return Manifest(
        notice_id=NOTICE,
        agency_id=AGENCY,
        mailbox_id=MAILBOX,
        cover_sha256=cover_digest(COVER),
        documents=describe(packed),
        regime="sgb10-37-2a",
        remedy=Remedy.GIVEN,
        issued_at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        salt=seed("manifest salt"),
    )
