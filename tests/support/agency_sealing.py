"""An agency that seals on its own side, for tests: its key bound, Alice's key in the log."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId
from siegelpost.evidence.key_binding import KeyBinding
from siegelpost.evidence.notes import Ed25519Signer
from siegelpost.evidence.trust import Trust
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.agency_keys import bind_agency_key
from siegelpost.sealing.covers import Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.sending.keys import ManifestKey
from siegelpost.sending.seal import Letter, SealedNotice
from siegelpost.store.context import Context
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import body_of, part
from tests.support.pdfs import make_pdf


def new_key(context: Context, agency: Agency) -> ManifestKey:
    """A manifest key that nobody knows of yet."""
    name = f"{context.origin}/manifest/{agency.id}/own"
    return ManifestKey(
        agency=AgencyId(agency.id), signer=Ed25519Signer.from_seed(name, os.urandom(32))
    )


async def bound_key(context: Context, agency: Agency) -> ManifestKey:
    """A manifest key of the agency's own, bound."""
    key = new_key(context, agency)
    now = context.now()
    await context.store.write(
        lambda connection: bind_agency_key(connection, key.note, now=now, entropy=context.entropy)
    )
    return key


async def sequence(context: Context) -> None:
    """Bring every event into the log."""
    sequencer = Sequencer(log_origin(context.origin), context.keyring.signer(KeyPurpose.LOG))
    now = context.now()
    await context.store.write(lambda connection: sequencer(connection, now))


async def log_key(context: Context, citizen: Citizen) -> None:
    """Put the binding of the citizen's key into the log."""
    text = citizen.identity.recipient.encode()
    binding = KeyBinding(
        mailbox=citizen.mailbox_id,
        key=citizen.key_id,
        recipient_sha256=hashlib.sha256(text.encode("ascii")).digest(),
        acknowledgement_key=citizen.signing_key.public_key().public_bytes_raw(),
    )
    event = EventDraft(
        type=EventType.KEY_BOUND,
        at=context.now(),
        mailbox=citizen.mailbox_id,
        actor=f"mailbox:{citizen.mailbox_id}",
        facts=binding.facts(signature=citizen.signing_key.sign(binding.message())),
    )

    await context.store.write(
        lambda connection: append_events(connection, [event], entropy=context.entropy)
    )
    await sequence(context)


def trust_of(context: Context) -> Trust:
    """The trust file's content."""
    return Trust(origin=log_origin(context.origin), keys=context.keyring.public_keys())


def letter(
    documents: Sequence[bytes] = (make_pdf("Sie bekommen 563 Euro."),),
    *,
    title: str = "Bewilligung von Bürgergeld",
    name: str = "Bescheid",
) -> Letter:
    """A usual notice."""
    return Letter(
        cover=Cover(
            title=title,
            kind="grant",
            what_is_this="Sie bekommen Geld.",
            what_to_do="Prüfen Sie den Bescheid.",
            due_on=date(2026, 12, 28),
            who_helps="Jobcenter Musterland, 01234 567-0",
            language="de",
        ),
        documents=[
            Document(name=f"{name} {number}.pdf", media_type="application/pdf", content=content)
            for number, content in enumerate(documents, 1)
        ],
        remedy=Remedy.GIVEN,
        issued_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


def sealed_body(sealed: SealedNotice, **changes: Any) -> bytes:
    """The multipart body of a sealed dispatch; ``changes`` replace parts or fields."""
    cover = changes.pop("cover", sealed.cover)
    package = changes.pop("package", sealed.package)
    return body_of(
        [
            part("notice", json.dumps({**sealed.notice, **changes}).encode(), "application/json"),
            part("cover", cover, "application/age", filename="cover.age"),
            part("package", package, "application/age", filename="package.age"),
        ]
    )
