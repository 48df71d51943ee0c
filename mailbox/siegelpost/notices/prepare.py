"""Prepare: seal a notice and make its evidence, before any transaction (DESIGN section 4, 2).

Processor work only: no database, no waiting.
The plaintext goes in and sealed bytes come out; nothing in :class:`Prepared` is readable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from siegelpost.evidence.acceptance import Acceptance, sign_acceptance, submission_facts
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import ID_RANDOM, AlertId, NoticeId, new_id
from siegelpost.evidence.notes import Signer
from siegelpost.evidence.times import format_time
from siegelpost.notices.circumstances import NONE_SAID, Circumstances
from siegelpost.notices.eligibility import DelegateKey, Destination, Sender
from siegelpost.notices.errors import Refusal, RefusalCode
from siegelpost.notices.readers import Part
from siegelpost.notices.reprovide import Again, again
from siegelpost.notices.request import DispatchRequest
from siegelpost.notices.salts import salt_check
from siegelpost.notices.state import NoticeState
from siegelpost.sealing.age import seal
from siegelpost.sealing.commitments import document_salt
from siegelpost.sealing.covers import cover_digest, seal_cover
from siegelpost.sealing.errors import CoverError, ManifestError
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.manifest import SALT_SIZE, DocumentEntry, Manifest, Remedy
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
    #: what is recorded about the notice that this one provides again, if it does
    again: Again | None = None
    #: rows of headers for delegates
    delegated: Sequence[dict[str, Any]] = ()
    #: row that says where the package's payload lies in object storage, if it does
    apart: dict[str, Any] | None = None


class AskedFor(Protocol):
    """What both kinds of dispatch say in the clear."""

    @property
    def idempotency_key(self) -> str:
        """Names the call among those of the client."""

    @property
    def regime(self) -> str:
        """Rule set by which the notice counts as served."""

    @property
    def remedy(self) -> Remedy:
        """Whether the notice instructs about legal remedies."""

    @property
    def issued_at(self) -> datetime:
        """When the agency issued the notice; aware."""


@dataclass(frozen=True, kw_only=True)
class CommittedDocument:
    """What leaves the sealed package about a document."""

    #: 32 bytes
    commitment: bytes
    #: 32 bytes that open it together with the document
    salt: bytes
    #: bytes of the document
    size: int
    #: of a salt that the service did not derive: see ``salts``
    mask: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class SealedParts:
    """A notice once it is sealed."""

    #: named in the manifest
    notice_id: NoticeId
    #: the age file, in parts
    package: Sequence[bytes]
    #: SHA-256 of its payload
    package_digest: bytes
    #: the age file of the cover
    cover: bytes
    #: SHA-256 of its payload
    cover_digest: bytes
    #: in the order of the manifest
    documents: Sequence[CommittedDocument]
    #: whether the service never saw the plaintext
    by_agency: bool = False
    #: for delegates: whose key, and the headers of cover and package
    delegated: Sequence[tuple[DelegateKey, bytes, bytes | None]] = ()


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
    delegates = [each for each in destination.delegates if each.in_force(now)]
    readers = [each for each in delegates if each.role in Part.READ.roles]
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
            salt=entropy(SALT_SIZE),
        )
        sealed_cover = seal_cover(
            cover, recipients, apart=[_recipient(each.recipient) for each in delegates]
        )
    except (CoverError, ManifestError) as error:
        raise Refusal(RefusalCode.REQUEST_INVALID, str(error)) from None
    sealing = seal(
        write_package(manifest, request.documents, seals.manifest),
        recipients,
        apart=[_recipient(each.recipient) for each in readers],
    )
    package = split(sealing)
    for_readers = dict(zip((each.mandate for each in readers), sealing.apart, strict=True))
    salts = [
        document_salt(seals.commitment[0], notice_id, index)
        for index in range(len(request.documents))
    ]
    return record_notice(
        sender,
        destination,
        SealedParts(
            notice_id=notice_id,
            package=package,
            package_digest=sealing.payload_digest,
            cover=sealed_cover.data,
            cover_digest=sealed_cover.payload_digest,
            documents=[
                CommittedDocument(
                    commitment=document_commitment(salt, bytes(document.content)),
                    salt=salt,
                    size=len(document.content),
                )
                for salt, document in zip(salts, request.documents, strict=True)
            ],
            delegated=[
                (each, header, for_readers.get(each.mandate))
                for each, header in zip(delegates, sealed_cover.apart, strict=True)
            ],
        ),
        request,
        request_digest=request_digest,
        acceptance_key=seals.acceptance,
        now=now,
        entropy=entropy,
        circumstances=request.circumstances,
        reprovides=request.reprovides,
    )


def record_notice(
    sender: Sender,
    destination: Destination,
    sealed: SealedParts,
    asked: AskedFor,
    *,
    request_digest: bytes,
    acceptance_key: Signer,
    now: datetime,
    entropy: Callable[[int], bytes],
    circumstances: Circumstances = NONE_SAID,
    reprovides: str | None = None,
) -> Prepared:
    """Make the evidence and the rows of a sealed notice, whoever sealed it.

    `reprovides` names a notice that was found to hold the same documents (``reprovide``).
    """
    notice_id = sealed.notice_id
    link = None
    if reprovides is not None:
        before = NoticeId(reprovides)
        link = again(sender, destination, before, notice_id, now=now, entropy=entropy)
    commitments = tuple(document.commitment for document in sealed.documents)
    facts = submission_facts(
        package_payload_sha256=sealed.package_digest,
        cover_payload_sha256=sealed.cover_digest,
        documents=commitments,
    )
    if sealed.by_agency:
        facts["sealed_by"] = "agency"
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
                    {**facts, **_said(asked, circumstances)},
                ),
                (
                    EventType.PROVIDED,
                    "service",
                    {
                        "keys": [key for key, _ in destination.keys],
                        **({} if link is None else {"reprovides": link.before}),
                        **_delegates(sealed),
                    },
                ),
            )
        ],
        entropy=entropy,
    )
    acceptance = Acceptance(
        notice=notice_id,
        agency=sender.agency_id,
        mailbox=destination.mailbox_id,
        accepted_at=now,
        package_payload_sha256=sealed.package_digest,
        cover_payload_sha256=sealed.cover_digest,
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
            "regime": asked.regime,
            "remedy": asked.remedy.value,
            "reprovides": reprovides,
            "idempotency_key": asked.idempotency_key,
            "request_digest": request_digest,
            "package_id": f"{notice_id}.package",
            "package_size": sum(len(part) for part in sealed.package),
            "package_digest": sealed.package_digest,
            "cover_id": f"{notice_id}.cover",
            "cover_digest": sealed.cover_digest,
            "documents": [
                {
                    "commitment": document.commitment.hex(),
                    "size": document.size,
                    "salt_check": salt_check(document.salt),
                    **({} if document.mask is None else {"salt_mask": document.mask.hex()}),
                }
                for document in sealed.documents
            ],
            "acceptance": sign_acceptance(acceptance, acceptance_key),
            "provided_at": now,
        },
        blobs=(
            (f"{notice_id}.package", sealed.package),
            (f"{notice_id}.cover", (sealed.cover,)),
        ),
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
        salts=[document.salt for document in sealed.documents],
        again=link,
        delegated=[
            {
                "mandate_id": each.mandate,
                "notice_id": notice_id,
                "key_id": each.key,
                "cover": cover,
                "package": package,
            }
            for each, cover, package in sealed.delegated
        ],
    )


def _delegates(sealed: SealedParts) -> dict[str, Json]:
    """To whom else it is sealed, by pseudonym; nothing where there is nobody."""
    if not sealed.delegated:
        return {}
    return {
        "delegates": [
            {"mandate": each.mandate, "key": each.key, "role": each.role}
            for each, _, _ in sealed.delegated
        ]
    }


def _said(asked: AskedFor, circumstances: Circumstances) -> dict[str, Json]:
    """What the legal clock reads of a dispatch, years later, from evidence alone."""
    said: dict[str, Json] = {
        "regime": asked.regime,
        "remedy": asked.remedy.value,
        "issued_at": format_time(asked.issued_at),
    }
    if besides := circumstances.said():
        said["circumstances"] = besides
    return said


@lru_cache(maxsize=1024)
def _recipient(raw: bytes) -> Recipient:
    # Expanding a key costs about as much as sealing to it; the same citizens get several notices.
    return Recipient(raw)
