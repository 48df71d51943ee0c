"""Verifying a court file offline: its own numbered steps, then those of the receipt in it.

Needs the container and a trust file from elsewhere; the one that lies in the container is for
comparison only and is not believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from siegelpost.evidence import court_file
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.cms import CmsUnavailable, verify_cms
from siegelpost.evidence.court_explanations import COURT_STEPS, court_failure
from siegelpost.evidence.court_file import (
    CourtFile,
    Statement,
    parse_court_file,
    parse_manifest,
    parse_statement,
)
from siegelpost.evidence.errors import FormatError, SignatureError
from siegelpost.evidence.events import parse_event
from siegelpost.evidence.explanations import failure
from siegelpost.evidence.notes import open_note
from siegelpost.evidence.pdf_explanations import PdfError
from siegelpost.evidence.pdf_verify import PdfUnavailable, open_pdf
from siegelpost.evidence.receipt import Receipt, ReceiptEvent
from siegelpost.evidence.redacted import RedactedReceipt, Redaction, parse_any
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.spoken import exact
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import INSTALL
from siegelpost.evidence.trust import Purpose, Trust, parse_trust
from siegelpost.evidence.verify import Step, Verification, verify_receipt


@dataclass(frozen=True, kw_only=True)
class CourtFileVerification:
    """The outcome when every step held."""

    #: The container's own steps.
    steps: tuple[Step, ...]
    #: The receipt's.
    receipt: Verification
    statement: Statement


def verify_court_file(
    data: bytes,
    trust: bytes,
    *,
    documents: Sequence[bytes] = (),
    at: datetime | None = None,
    now: datetime | None = None,
) -> CourtFileVerification:
    """Verify the court file in `data` with the keys of the trust file `trust`.

    A1. The container is well-formed, in the one form that court files have.
    A2. Its manifest lists exactly the files that it holds, with their digests.
    A3. The service sealed this manifest, with a key in force at that time.
    A4. The seal by certificate, if there is one, is of this manifest, by a certificate that the
        trust file pins and that was in use then. Not checked if the trust file pins none, or
        asn1crypto is missing.
    A5. The receipt is of the notice and redaction that the seal names; enclosed proofs, timestamps
        and reports are those that the receipt holds or names.
    A6. The PDF, if there is one, is sealed (`open_pdf`) and holds this very receipt. Not checked if
        the trust file pins no certificate, the PDF bears no seal or pyHanko is missing: A2 and A3
        cover it all the same.
    Then the seventeen steps of `verify_receipt`.
    Raises CourtFileError (A1 to A6), PdfError or VerificationError at the first step that does not
    hold.
    What the caller owes, and what it does not prove: as with `verify_receipt`. Guide and protocol
    in the container are for people; whoever verifies reads the result, not them.
    """
    steps: list[Step] = []

    def held(de: str, en: str, *, checked: bool = True, asked: bool = True) -> None:
        number = len(steps) + 1
        name, title = COURT_STEPS[number]
        step = Step(
            number=number,
            name=name,
            title_de=title.de,
            title_en=title.en,
            result_de=de,
            result_en=en,
            checked=checked,
            asked=asked,
        )
        steps.append(step)

    # A1
    try:
        parsed = parse_court_file(data)
    except FormatError as error:
        raise court_failure("court-file-malformed", error) from error
    held(f"Akte mit {len(parsed.files)} Dateien.", f"Court file of {len(parsed.files)} files.")
    # A2
    _check_manifest(parsed)
    held("Alle Dateien sind verzeichnet und unverändert.", "All files are listed and unaltered.")
    # A3
    try:
        trusted = parse_trust(trust)
    except FormatError as error:
        raise failure("trust-malformed", error) from error
    statement = _check_note(parsed, trusted)
    held(
        f"Gesiegelt vom Dienst: {exact(statement.made_at, 'de')}.",
        f"Sealed by the service at {exact(statement.made_at, 'en')}.",
    )
    # A4
    certificate = _check_certificate_seal(parsed, statement, trusted)
    held(*_certificate_result(parsed, trusted, certificate), checked=certificate is not None)
    # A5
    data_of_receipt = parsed.files.get(court_file.RECEIPT)
    if data_of_receipt is None:
        raise court_failure("receipt-missing", f"{court_file.RECEIPT} is not in the container")
    try:
        given = parse_any(data_of_receipt)
    except FormatError as error:
        raise failure("receipt-malformed", error) from error
    held(*_check_parts(parsed, statement, given, trust))
    # A6
    de, en, checked = _check_pdf(parsed, trusted, trust, at)
    held(de, en, checked=checked, asked=court_file.PDF in parsed.files)
    verification = verify_receipt(data_of_receipt, trust, documents=documents, at=at, now=now)
    return CourtFileVerification(steps=tuple(steps), receipt=verification, statement=statement)


def _check_manifest(parsed: CourtFile) -> None:
    """Step A2."""
    try:
        listed = parse_manifest(parsed.manifest, cms=parsed.cms is not None)
    except FormatError as error:
        raise court_failure("manifest-malformed", error) from error
    for name, digest in listed.items():
        content = parsed.files.get(name)
        if content is None:
            raise court_failure("file-missing", f"{name} is not in the container")
        found = hashlib.sha256(content).digest()
        if found != digest:
            evidence = {"file": name, "listed": digest.hex(), "found": found.hex()}
            raise court_failure("file-altered", f"{name} has another SHA-256", evidence)
    unlisted = [name for name in parsed.files if name not in listed]
    if unlisted:
        raise court_failure("file-unlisted", f"{unlisted[0][:100]!r} is not in the manifest")


def _check_note(parsed: CourtFile, trust: Trust) -> Statement:
    """Step A3."""
    try:
        opened = open_note(parsed.note, trust.verifiers(Purpose.ACCEPTANCE))
        statement = parse_statement(opened.text)
    except SignatureError as error:
        raise court_failure("court-seal-signature", error) from error
    except FormatError as error:
        raise court_failure("court-seal-malformed", error) from error
    found = hashlib.sha256(parsed.manifest).hexdigest()
    if statement.manifest_sha256.hex() != found:
        raise court_failure(
            "court-seal-differs", f"seal of {statement.manifest_sha256.hex()}, manifest {found}"
        )
    keys = [trust.key_of(Purpose.ACCEPTANCE, signature) for signature in opened.signatures]
    sound = [key for key in keys if key.compromised_at is None]
    if not sound:
        raise court_failure("court-seal-key-compromised", f"{keys[0].verifier.vkey} is compromised")
    if not any(key.in_force(statement.made_at) for key in sound):
        raise court_failure(
            "court-seal-key-validity",
            f"{sound[0].verifier.vkey} is not in force at {format_time(statement.made_at)}",
        )
    return statement


def _check_certificate_seal(
    parsed: CourtFile, statement: Statement, trust: Trust
) -> SealCertificate | None:
    """Step A4: the pinned certificate that sealed the manifest, or None if nothing was checked."""
    if parsed.cms is None or not trust.seal_certificates:
        return None
    try:
        signer = verify_cms(parsed.cms, parsed.manifest)
    except CmsUnavailable:
        return None
    except (FormatError, SignatureError) as error:
        raise court_failure("certificate-seal-invalid", error) from error
    pinned = [item for item in trust.seal_certificates if item.der == signer]
    if not pinned:
        raise court_failure("certificate-seal-unknown", "the trust file does not pin the signer")
    if all(item.compromised_at is not None for item in pinned):
        raise court_failure("certificate-seal-compromised", f"{pinned[0].name} is compromised")
    for item in pinned:
        if item.compromised_at is None and item.in_force(statement.made_at):
            return item
    raise court_failure(
        "certificate-seal-validity",
        f"{pinned[0].name} is not in force at {format_time(statement.made_at)}",
    )


def _check_parts(
    parsed: CourtFile, statement: Statement, given: Receipt | RedactedReceipt, trust: bytes
) -> tuple[str, str]:
    """Step A5: the result, if every enclosure belongs to the receipt."""
    whole = isinstance(given, Receipt)
    receipt = given if isinstance(given, Receipt) else given.frame
    level = Redaction.FULL if isinstance(given, Receipt) else given.level
    if (statement.notice, statement.redaction) != (receipt.notice, level):
        raise court_failure(
            "other-notice",
            f"the seal says {statement.notice}, {statement.redaction.value}; the receipt is of "
            f"{receipt.notice}, {level.value}",
        )
    every = (*given.events, *given.mailbox_events)
    proofs = {court_file.CHECKPOINT: receipt.checkpoint.encode("utf-8")}
    for number, item in enumerate(every, 1):
        proofs[f"{court_file.PROOFS}{number:04}"] = item.proof.encode("utf-8")
    tokens = {item.token for item in receipt.timestamps}
    notes = {item.checkpoint.encode("utf-8") for item in receipt.timestamps}
    named = _named_reports(every) if whole else frozenset[str]()
    opened = sealed = 0
    for name, content in parsed.files.items():
        if name.startswith(court_file.PROOFS):
            key = name if name == court_file.CHECKPOINT else name[: len(court_file.PROOFS) + 4]
            if proofs.get(key) != content:
                raise court_failure("proof-differs", name)
        elif name.startswith(court_file.TIMESTAMPS):
            if content not in (tokens if name.endswith(".tst") else notes):
                raise court_failure("timestamp-differs", name)
        elif name.startswith(court_file.REPORTS):
            if name.endswith(".age"):
                sealed += 1
            elif hashlib.sha256(content).hexdigest() not in named:
                raise court_failure("report-differs", name)
            else:
                opened += 1
    return _parts_result(len(every), opened, sealed, parsed.files.get(court_file.TRUST) == trust)


def _named_reports(every: Sequence[object]) -> frozenset[str]:
    """SHA-256 of the messages that events name, in hex."""
    found: set[str] = set()

    def walk(value: Json) -> None:
        if isinstance(value, dict):
            named = value.get("message_sha256")
            if isinstance(named, str):
                found.add(named)
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    for item in every:
        if isinstance(item, ReceiptEvent):
            try:
                walk(dict(parse_event(item.body).facts))
            except FormatError:
                continue  # step 5 of the receipt says so
    return frozenset(found)


def _parts_result(events: int, opened: int, sealed: int, same_trust: bool) -> tuple[str, str]:
    de = f"{events} Nachweise und {opened} Berichte gehören zur Quittung."
    en = f"{events} proofs and {opened} reports belong to the receipt."
    if sealed:
        de += f" {sealed} Berichte sind verschlossen; ihr Inhalt ist hier nicht prüfbar."
        en += f" {sealed} reports are sealed; their contents cannot be checked here."
    if not same_trust:
        de += " Die beigelegte Vertrauensdatei weicht von der hier verwendeten ab und zählt nicht."
        en += " The enclosed trust file differs from the one used here and does not count."
    return de, en


def _certificate_result(
    parsed: CourtFile, trust: Trust, certificate: SealCertificate | None
) -> tuple[str, str]:
    if certificate is not None:
        return (
            f"Gültig, Zertifikat {certificate.name} aus der Vertrauensdatei.",
            f"Valid, certificate {certificate.name} of the trust file.",
        )
    if parsed.cms is None:
        return (
            "Nicht geprüft: Die Akte trägt kein Siegel mit Zertifikat.",
            "Not checked: the court file bears no seal by certificate.",
        )
    if not trust.seal_certificates:
        return (
            "Nicht geprüft: Die Vertrauensdatei nennt kein Zertifikat.",
            "Not checked: the trust file names no certificate.",
        )
    return (
        f"Nicht geprüft: Es fehlt ein Programmteil. Bitte nachholen: {INSTALL}",
        f"Not checked: a library is missing. To do so: {INSTALL}",
    )


def _check_pdf(
    parsed: CourtFile, trust: Trust, trust_file: bytes, at: datetime | None
) -> tuple[str, str, bool]:
    """Step A6: the result, and whether anything was checked."""
    pdf = parsed.files.get(court_file.PDF)
    if pdf is None:
        return "Keine PDF-Quittung enthalten; nichts zu prüfen.", "No PDF receipt enclosed.", False
    covered = (
        "Nicht einzeln geprüft; Verzeichnis und Siegel der Akte umfassen die PDF-Quittung.",
        "Not checked by itself; manifest and seal of the court file cover the PDF receipt.",
        False,
    )
    if not trust.seal_certificates:
        return covered
    try:
        opened = open_pdf(pdf, trust_file, at=at)
    except PdfUnavailable:
        return covered
    except PdfError as error:
        if error.code == "pdf-unsealed":
            return covered
        raise
    if opened.data != parsed.files[court_file.RECEIPT]:
        raise court_failure("pdf-differs", "the receipt in the PDF is another")
    return (
        f"Gesiegelt {exact(opened.sealed_at, 'de')}; enthält dieselbe Quittung.",
        f"Sealed {exact(opened.sealed_at, 'en')}; holds the same receipt.",
        True,
    )
