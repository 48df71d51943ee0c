"""Prepare: seal a notice and make its evidence, before any transaction (DESIGN section 4, 2).

Processor work only: no database, no waiting.
The plaintext goes in and sealed bytes come out; nothing in :class:`Prepared` is readable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from siegelpost.evidence.acceptance import Acceptance, sign_acceptance, submission_facts
from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AlertId, NoticeId, new_id
from siegelpost.evidence.notes import Signer
from siegelpost.notices.eligibility import Destination, Sender
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.request import DispatchRequest
from siegelpost.notices.salts import salt_check
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.age import seal
from siegelpost.sealing.commitments import document_salt
from siegelpost.sealing.covers import cover_digest, seal_cover
from siegelpost.sealing.errors import CoverError, ManifestError
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.manifest import DocumentEntry, Manifest
from siegelpost.sealing.package import write_package
from siegelpost.store.blobs import split
from siegelpost.store.events import EventDraft, RecordedEvent, prepare_chain
from siegelpost.store.outbox import AlertKind, alert_row


@dataclass(frozen=True, kw_only=True)
class Seals:
    """The keys that dispatching uses."""

    #: the agency's manifest key
    manifest: Signer
    #: the service's acceptance key
    acceptance: Signer
    #: what document salts derive from, 32 bytes each: the one in force, then its predecessors
    commitment: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A sealed notice and its evidence, ready to be committed."""

    #: who sent it, and to where
    sender: Sender
    #: checked again inside the transaction
    destination: Destination
    #: row of the notice table
    notice: dict[str, Any]
    #: blob id and parts: the package and the cover
    blobs: tuple[tuple[str, Sequence[bytes]], ...]
    #: submission-accepted and provided
    events: Sequence[RecordedEvent]
    #: row of the alert table
    alert: dict[str, Any]
    #: of the documents, for the answer
    salts: Sequence[bytes]


def prepare(
    sender: Sender,
    destination: Destination,
    request: DispatchRequest,
    entries: tuple[DocumentEntry, ...],
    *,
    request_digest: bytes,
    seals: Seals,
    now: datetime,
    entropy: Callable[[int], bytes],
) -> Prepared:
    """Seal ``request`` to the destination's keys; Refusal if cover or manifest cannot be made."""
    notice_id = NoticeId(new_id(now, entropy(ID_RANDOM)))
    recipients = [_recipient(raw) for _, raw in destination.keys]
    try:
        cover = request.shown_cover()
        manifest = Manifest(
            notice_id=notice_id,
            agency_id=sender.agency_id,
            mailbox_id=destination.mailbox_id,
            cover_sha256=cover_digest(cover),
            documents=entries,
            regime=request.regime,
            remedy=request.remedy,
            issued_at=request.issued_at,
        )
        sealed_cover = seal_cover(cover, recipients)
    except (CoverError, ManifestError) as error:
        raise Refusal(RefusalCode.REQUEST_INVALID, str(error)) from None
    sealing = seal(write_package(manifest, request.documents, seals.manifest), recipients)
    parts = split(sealing)
    salts = [
        document_salt(seals.commitment[0], notice_id, index)
        for index in range(len(request.documents))
    ]
    commitments = tuple(
        document_commitment(salt, bytes(document.content))
        for salt, document in zip(salts, request.documents, strict=True)
    )
    facts = submission_facts(
        package_payload_sha256=sealing.payload_digest,
        cover_payload_sha256=sealed_cover.payload_digest,
        documents=commitments,
    )
    events = prepare_chain(
        [
            EventDraft(
                type=kind,
                at=now,
                agency=sender.agency_id,
                notice=notice_id,
                mailbox=destination.mailbox_id,
                actor=actor,
                facts=said,
            )
            for kind, actor, said in (
                (
                    EventType.SUBMISSION_ACCEPTED,
                    sender.actor,
                    {**facts, "regime": request.regime, "remedy": request.remedy.value},
                ),
                (EventType.PROVIDED, "service", {"keys": [key for key, _ in destination.keys]}),
            )
        ],
        entropy=entropy,
    )
    acceptance = Acceptance(
        notice=notice_id,
        agency=sender.agency_id,
        mailbox=destination.mailbox_id,
        accepted_at=now,
        package_payload_sha256=sealing.payload_digest,
        cover_payload_sha256=sealed_cover.payload_digest,
        documents=commitments,
        event=events[0].commitment,
    )
    return Prepared(
        sender=sender,
        destination=destination,
        notice={
            "id": notice_id,
            "agency_id": sender.agency_id,
            "client_id": sender.client_id,
            "enrolment_id": destination.enrolment_id,
            "mailbox_id": destination.mailbox_id,
            "key_id": destination.keys[-1][0],
            "state": NoticeState.PROVIDED.value,
            "regime": request.regime,
            "remedy": request.remedy.value,
            "idempotency_key": request.idempotency_key,
            "request_digest": request_digest,
            "package_id": f"{notice_id}.package",
            "package_size": sum(len(part) for part in parts),
            "package_digest": sealing.payload_digest,
            "cover_id": f"{notice_id}.cover",
            "cover_digest": sealed_cover.payload_digest,
            "documents": [
                {
                    "commitment": commitment.hex(),
                    "size": len(document.content),
                    "salt_check": salt_check(salt),
                }
                for commitment, salt, document in zip(
                    commitments, salts, request.documents, strict=True
                )
            ],
            "acceptance": sign_acceptance(acceptance, seals.acceptance),
            "provided_at": now,
        },
        blobs=((f"{notice_id}.package", parts), (f"{notice_id}.cover", (sealed_cover.data,))),
        events=events,
        alert=alert_row(
            alert_id=AlertId(new_id(now, entropy(ID_RANDOM))),
            kind=AlertKind.NOTICE,
            address_id=destination.address_id,
            now=now,
            agency_id=sender.agency_id,
            notice_id=notice_id,
            mailbox_id=destination.mailbox_id,
        ),
        salts=salts,
    )


@lru_cache(maxsize=1024)
def _recipient(raw: bytes) -> Recipient:
    # Expanding a key costs about as much as sealing to it; the same citizens get several notices.
    return Recipient(raw)
