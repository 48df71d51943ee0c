"""Sample court files, and ways to take them apart and put them together again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.court_file import (
    CourtFile,
    parse_court_file,
    sign_manifest,
    write_court_file,
    write_manifest,
)
from siegelpost.evidence.events import Event, EventType
from siegelpost.evidence.notes import Signer
from siegelpost.evidence.receipt import Receipt, write_receipt
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.trust import write_trust
from siegelpost.receipts.court_file import CourtFileParts, EnclosedReport, make_court_file
from tests.support.receipts import ACCEPTANCE, NOTICE, Sample, digest, sample_trust

REPORT = b"From: mx.beispiel.example\r\n\r\nDelivered to alice@beispiel.example\r\n"
SEALED_REPORT = b"age-encryption.org/v1\n-> x\n"
TRUST = write_trust(sample_trust())
MADE_AT = Sample().made_at + timedelta(hours=1)


def receipt_with_report() -> Receipt:
    """The sample receipt, whose alert-delivered names `REPORT`."""
    facts: dict[str, Json] = {
        "address": "alice@beispiel.example",
        "report": {"bounce": "r1", "message_sha256": hashlib.sha256(REPORT).hexdigest()},
    }

    def change(event: Event) -> Event:
        return replace(event, facts=facts) if event.type is EventType.ALERT_DELIVERED else event

    return Sample(change_event=change).receipt()


def parts(redaction: Redaction = Redaction.FULL, **changes: object) -> CourtFileParts:
    """What the sample court file is made of."""
    made = CourtFileParts(
        receipt=write_receipt(receipt_with_report()),
        trust=TRUST,
        redaction=redaction,
        made_at=MADE_AT,
        pdf=b"%PDF-1.7 sample",
        reports=(
            EnclosedReport(id="r1", content=REPORT, sealed=False),
            EnclosedReport(id="r2", content=SEALED_REPORT, sealed=True),
        ),
        agency_name="Jobcenter Musterstadt",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of any type


def court_file(redaction: Redaction = Redaction.FULL, **changes: object) -> bytes:
    """The sample court file."""
    return make_court_file(parts(redaction, **changes), ACCEPTANCE)


def changed(data: bytes, change: Callable[[CourtFile], CourtFile]) -> bytes:
    """Take apart, change, put together; manifest and seals stay as they are."""
    return write_court_file(change(parse_court_file(data)))


def with_file(name: str, content: bytes | None) -> Callable[[CourtFile], CourtFile]:
    """Replace, add or (None) remove one file."""

    def change(parsed: CourtFile) -> CourtFile:
        files = {key: value for key, value in parsed.files.items() if key != name}
        if content is not None:
            files[name] = content
        return replace(parsed, files=files)

    return change


def sealed_anew(
    change: Callable[[CourtFile], CourtFile], *, signer: Signer = ACCEPTANCE
) -> Callable[[CourtFile], CourtFile]:
    """As an operator could do: after the change list and seal everything again."""

    def seal(parsed: CourtFile) -> CourtFile:
        new = change(parsed)
        manifest = write_manifest(new.files, cms=new.cms is not None)
        note = sign_manifest(
            manifest, signer, notice=NOTICE, made_at=MADE_AT, redaction=Redaction.FULL
        )
        return replace(new, manifest=manifest, note=note)

    return seal


__all__ = [
    "MADE_AT",
    "REPORT",
    "TRUST",
    "changed",
    "court_file",
    "digest",
    "parts",
    "receipt_with_report",
    "sealed_anew",
    "with_file",
]
