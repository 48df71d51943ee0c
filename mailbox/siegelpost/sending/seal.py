"""Seal a notice on the agency's side: pure, from documents to the parts of a call (DESIGN 5).

Not here: HTTP (``client``), and looking into the documents: that they are PDFs which open without a
password is the agency's to make sure, since nobody sees them before the citizen does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.ids import AgencyId, KeyId, MailboxId, NoticeId, check_id
from siegelpost.evidence.key_proof import parse_key_proof, verify_key_proof
from siegelpost.evidence.times import format_time
from siegelpost.evidence.trust import Trust
from siegelpost.sealing.covers import Cover, cover_digest, seal_cover
from siegelpost.sealing.errors import PackageError
from siegelpost.sealing.keys import Recipient
from siegelpost.sealing.manifest import SALT_SIZE, Manifest, Remedy
from siegelpost.sealing.package import Document, describe, seal_package
from siegelpost.sending.earlier import Earlier
from siegelpost.sending.keys import ManifestKey

#: Most keys of a mailbox.
MAX_KEYS = 16
_SALT_SIZE = 32
_MAX_RECIPIENT = 4096


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A notice before it is sealed."""

    #: what the citizen's list shows
    cover: Cover
    #: PDFs in reading order
    documents: Sequence[Document]
    #: whether it instructs about legal remedies
    remedy: Remedy
    #: when the agency issued it; aware
    issued_at: datetime
    #: rule set by which it counts as served
    regime: str = "sgb10-37-2a"
    #: what the legal clock should know besides, named as the API does (``abroad``, …)
    circumstances: Mapping[str, bool | str] = field(default_factory=dict)
    #: the notice whose documents these are, to be provided again
    reprovides: Earlier | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a notice goes, every key checked against the log."""

    #: fresh id for the notice
    notice_id: NoticeId
    #: who sends
    agency_id: AgencyId
    #: compare it with the one of earlier notices to the same person
    mailbox_id: MailboxId
    #: ids and public halves, all of them
    keys: tuple[tuple[KeyId, Recipient], ...]


@dataclass(frozen=True, kw_only=True)
class SealedNotice:
    """What leaves the agency: nothing readable but what ``notice`` says."""

    #: the part ``notice``, as JSON
    notice: dict[str, Any]
    #: age file
    cover: bytes
    #: age file
    package: bytes
    #: SHA-256 of the payloads, as the acceptance must name them: package, cover
    payload_digests: tuple[bytes, bytes]
    #: of each document, as the acceptance must name them
    commitments: tuple[bytes, ...]


def check_recipients(
    answer: Json, trust: Trust, *, agency: AgencyId, mailbox: MailboxId | None = None
) -> Target:
    """The target of the service's answer, once each key is shown to be bound in the trusted log.

    ``mailbox`` is the one known from earlier notices, if any. Raises FormatError, LogError,
    SignatureError; then nothing may be sealed to these keys.
    """
    fields = Fields(
        answer, "recipients", required=("notice", "agency", "mailbox", "keys"), open_ended=True
    )
    box = MailboxId(check_id(fields.text("mailbox"), "mailbox"))
    if mailbox is not None and box != mailbox:
        raise FormatError("the service names another mailbox than before")
    if fields.text("agency") != agency:
        raise FormatError("the service takes the manifest key for another agency's")
    keys = [_key(item, trust, box) for item in fields.items("keys", max_items=MAX_KEYS)]
    if not keys or len({key for key, _ in keys}) != len(keys):
        raise FormatError("the service names no key, or one twice")
    return Target(
        notice_id=NoticeId(check_id(fields.text("notice"), "notice")),
        agency_id=agency,
        mailbox_id=box,
        keys=tuple(keys),
    )


def seal_notice(
    letter: Letter,
    target: Target,
    key: ManifestKey,
    *,
    enrolment: str,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> SealedNotice:
    """Pack, sign and seal; raises errors of ``siegelpost.sealing`` for what cannot be packed.

    What is provided again is committed to with the salts of then: equal commitments are all that
    the service can compare.
    """
    for number, document in enumerate(letter.documents, 1):
        if document.media_type != "application/pdf" or bytes(document.content[:5]) != b"%PDF-":
            raise PackageError(f"document {number} is no PDF")
    recipients = [recipient for _, recipient in target.keys]
    manifest = Manifest(
        notice_id=target.notice_id,
        agency_id=target.agency_id,
        mailbox_id=target.mailbox_id,
        cover_sha256=cover_digest(letter.cover),
        documents=describe(letter.documents),
        regime=letter.regime,
        remedy=letter.remedy,
        issued_at=letter.issued_at,
        salt=random_bytes(SALT_SIZE),
    )
    package = seal_package(manifest, letter.documents, key.signer, recipients)
    cover = seal_cover(letter.cover, recipients)
    if letter.reprovides is None:
        salts = [random_bytes(_SALT_SIZE) for _ in letter.documents]
        besides: dict[str, Any] = {}
    else:
        salts = letter.reprovides.salts_for(letter.documents)
        besides = {"reprovides": letter.reprovides.notice_id}
    if letter.circumstances:
        besides["circumstances"] = dict(letter.circumstances)
    commitments = tuple(
        document_commitment(salt, bytes(document.content))
        for salt, document in zip(salts, letter.documents, strict=True)
    )
    return SealedNotice(
        notice={
            **besides,
            "id": target.notice_id,
            "enrolment": enrolment,
            "keys": [key_id for key_id, _ in target.keys],
            "regime": letter.regime,
            "remedy": letter.remedy.value,
            "issued_at": format_time(letter.issued_at),
            "documents": [
                {
                    "commitment": commitment.hex(),
                    "salt": salt.hex(),
                    "size": len(document.content),
                }
                for commitment, salt, document in zip(
                    commitments, salts, letter.documents, strict=True
                )
            ],
        },
        cover=cover.data,
        package=package.data,
        payload_digests=(package.payload_digest, cover.payload_digest),
        commitments=commitments,
    )


def _key(item: Json, trust: Trust, mailbox: MailboxId) -> tuple[KeyId, Recipient]:
    fields = Fields(item, "recipients: a key", required=("id", "recipient", "bound"))
    text = fields.text("recipient", max_length=_MAX_RECIPIENT)
    proof = parse_key_proof(fields.mapping("bound"))
    binding = verify_key_proof(proof, trust, mailbox=mailbox, recipient=text)
    if binding.key != fields.text("id"):
        raise FormatError("the log has bound the key under another id")
    return binding.key, Recipient.parse(text)
