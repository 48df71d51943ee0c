"""Court files: everything that proves one notice, for a court, in one container (ASiC-E).

`make_court_file` puts together what it is given; what the container looks like and how it is
verified is `siegelpost.evidence.court_file` and `court_verify`. A redacted one holds a redacted
receipt, which the service seals anew; neither PDF nor raw reports, which show addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from siegelpost.evidence import court_file
from siegelpost.evidence.blackening import redact
from siegelpost.evidence.court_file import CourtFile, sign_manifest, write_court_file
from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.notes import Signer
from siegelpost.evidence.presenting import event_lines, failure_text, step_lines
from siegelpost.evidence.receipt import Receipt, ReceiptEvent, parse_receipt
from siegelpost.evidence.redacted import AnyEvent, RedactedReceipt, Redaction, write_redacted
from siegelpost.evidence.seal import seal_redacted
from siegelpost.evidence.verify import verify_receipt
from siegelpost.receipts.court_guide import guide, protocol

#: Signs bytes as detached CMS with the service's seal certificate.
CmsSigner = Callable[[bytes], bytes]


@dataclass(frozen=True, kw_only=True)
class EnclosedReport:
    """A raw report about an alert, as a mail server sent it."""

    #: Its id, as events name it.
    id: str
    #: The message, or its sealed form.
    content: bytes
    #: Whether `content` is an age file that somebody else's key opens.
    sealed: bool


@dataclass(frozen=True, kw_only=True)
class CourtFileParts:
    """What a court file is made of."""

    #: Whole sealed receipt, JSON.
    receipt: bytes
    #: The trust file of that time.
    trust: bytes
    redaction: Redaction
    made_at: datetime
    #: PDF of the whole receipt; left out of redacted files.
    pdf: bytes | None = None
    reports: Sequence[EnclosedReport] = ()
    #: Names for people, in guide and protocol.
    agency_name: str = ""
    #: Makes the seal by certificate, if the service has one.
    cms: CmsSigner | None = field(default=None, repr=False)


def make_court_file(parts: CourtFileParts, signer: Signer) -> bytes:
    """The container; `signer` is the acceptance key. FormatError for a receipt that is none."""
    whole = parse_receipt(parts.receipt)
    given: Receipt | RedactedReceipt = whole
    data = parts.receipt
    full = parts.redaction is Redaction.FULL
    if not full:
        given = seal_redacted(redact(whole, parts.redaction), signer)
        data = write_redacted(given)
    reports = parts.reports if full else ()
    pdf = parts.pdf if full else None
    evidence = {
        **_proofs(given, whole),
        **{_report_name(report): report.content for report in reports},
    }
    about = {
        court_file.GUIDE: guide(
            notice=whole.notice,
            agency=parts.agency_name,
            made_at=parts.made_at,
            redaction=parts.redaction,
            names=[*evidence, court_file.PDF] if pdf else list(evidence),
            certificate=parts.cms is not None,
            origin=whole.origin,
            sealed_reports=sum(report.sealed for report in reports),
        ).encode("utf-8"),
        court_file.PROTOCOL: _protocol(data, parts).encode("utf-8"),
    }
    files: dict[str, bytes] = {**about, court_file.RECEIPT: data}
    if pdf is not None:
        files[court_file.PDF] = pdf
    files |= {court_file.TRUST: parts.trust, **evidence}
    manifest = court_file.write_manifest(files, cms=parts.cms is not None)
    return write_court_file(
        CourtFile(
            files=files,
            manifest=manifest,
            note=sign_manifest(
                manifest,
                signer,
                notice=whole.notice,
                made_at=parts.made_at,
                redaction=parts.redaction,
            ),
            cms=None if parts.cms is None else parts.cms(manifest),
        )
    )


def _proofs(given: Receipt | RedactedReceipt, whole: Receipt) -> Mapping[str, bytes]:
    every: list[AnyEvent] = [*given.events, *given.mailbox_events]
    names = court_file.event_file_names([_type(item) for item in every])
    found = {court_file.CHECKPOINT: whole.checkpoint.encode("utf-8")}
    found |= {name: item.proof.encode("utf-8") for name, item in zip(names, every, strict=True)}
    for number, timestamp in enumerate(whole.timestamps, 1):
        found[f"{court_file.TIMESTAMPS}{number:04}.tst"] = timestamp.token
        found[f"{court_file.TIMESTAMPS}{number:04}-pruefpunkt.txt"] = timestamp.checkpoint.encode()
    return found


def _type(item: AnyEvent) -> str:
    if isinstance(item, ReceiptEvent):
        return parse_event(item.body).type.value
    return item.type.value


def _report_name(report: EnclosedReport) -> str:
    suffix = "eml.age" if report.sealed else "eml"
    return f"{court_file.REPORTS}{report.id}.{suffix}"


def _protocol(data: bytes, parts: CourtFileParts) -> str:
    """The protocol of a verification that was run just now, with whatever outcome."""
    try:
        verification = verify_receipt(data, parts.trust, now=parts.made_at)
    except VerificationError as error:
        lines, events = [failure_text(error, "de")], []
    else:
        lines = step_lines(verification, "de")
        events = event_lines([*verification.events, *verification.mailbox_events], "de")
    return protocol(
        made_at=parts.made_at,
        receipt_sha256=sha256(data).hexdigest(),
        trust_sha256=sha256(parts.trust).hexdigest(),
        steps=lines,
        events=events,
    )
