"""Verifying a sealed PDF receipt offline: its own numbered steps, then those of the receipt in it.

The seal is PAdES (ETSI EN 319 142-1); its certificate is pinned in the trust file, so no authority,
no revocation list and no network is needed. pyHanko parses the PDF, checks the signature and judges
what was added afterwards (its difference policy); it belongs to the `verify` extra.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from siegelpost.evidence.errors import EvidenceError, FormatError
from siegelpost.evidence.order import CLOCK_TOLERANCE
from siegelpost.evidence.pdf_bounds import check_bytes, check_form
from siegelpost.evidence.pdf_explanations import PDF_STEPS, PdfError, pdf_failure
from siegelpost.evidence.pdf_files import receipt_inside
from siegelpost.evidence.pdf_tokens import check_tokens, tokens_result
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.spoken import exact
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import (
    INSTALL,
)
from siegelpost.evidence.trust import Trust, parse_trust
from siegelpost.evidence.verify import Step, Verification, verify_receipt

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

#: Largest PDF that is read, in bytes.
MAX_PDF = 32 << 20
_HASHES = frozenset({"sha256", "sha384", "sha512"})


class PdfUnavailable(EvidenceError):
    """pyHanko is not installed: PDF receipts cannot be verified here, but the JSON can."""

    def __init__(self) -> None:
        super().__init__(f"PDF receipts need: {INSTALL}")


@dataclass(frozen=True, kw_only=True)
class PdfVerification:
    """The outcome when every step held."""

    #: The PDF's own steps.
    steps: tuple[Step, ...]
    #: The receipt's.
    receipt: Verification
    #: The receipt as it is in the PDF.
    data: bytes
    #: When it was sealed: by a trusted authority if `dated`, else by the sealer's own clock.
    sealed_at: datetime
    dated: bool


@dataclass(frozen=True, kw_only=True)
class OpenedPdf:
    """A PDF whose own steps held; the receipt in it is not verified yet."""

    steps: tuple[Step, ...]
    #: The receipt, byte for byte.
    data: bytes
    sealed_at: datetime
    dated: bool
    #: Notice that the document's title names, for people; empty if none.
    title: str


def verify_pdf(
    data: bytes,
    trust: bytes,
    *,
    documents: Sequence[bytes] = (),
    at: datetime | None = None,
    now: datetime | None = None,
) -> PdfVerification:
    """Verify the PDF in `data` with the keys of the trust file `trust`; see `open_pdf`.

    Then the seventeen steps of `verify_receipt` over the receipt inside, and that the document's
    title names the notice of this receipt (P7).
    Raises PdfError (P1 to P7) or VerificationError at the first step that does not hold, and
    PdfUnavailable without pyHanko.
    """
    opened = open_pdf(data, trust, at=at)
    inner = verify_receipt(opened.data, trust, documents=documents, at=at, now=now)
    if inner.receipt.notice not in opened.title:
        raise pdf_failure("pdf-other-receipt", f"{opened.title!r}, not {inner.receipt.notice}")
    return PdfVerification(
        steps=opened.steps,
        receipt=inner,
        data=opened.data,
        sealed_at=opened.sealed_at,
        dated=opened.dated,
    )


def open_pdf(data: bytes, trust: bytes, *, at: datetime | None = None) -> OpenedPdf:
    """The receipt in a sealed PDF, after its own steps.

    P1. The PDF is readable, not encrypted, within limits, and begins as one.
    P2. It bears exactly one seal, which covers the whole document as it was then, and permits no
        changes. (Document timestamps are no seals.)
    P3. What the seal covers is unaltered, and the signature is good.
    P4. The certificate is one that the trust file pins, in force when it was sealed; a key that was
        stolen later counts if a timestamp shows that the seal is older.
    P5. Every timestamp, in the seal and over the document, is of a trusted authority and over this
        document, and each but the last was renewed in time (with `at`: the last is good then).
    P6. Nothing was added after sealing but timestamps and validation data, and the last of them
        covers the file to its last byte.
    P7. One file is inside, the receipt; none is hidden, and nothing in the PDF acts.
    What a seal does not prove: that what the pages say is what the receipt says, beyond the
    service's word, which it gives by sealing both. The receipt alone is verified.
    """
    try:
        import pyhanko.pdf_utils.reader  # noqa: F401 - only whether it is there
    except ImportError:
        raise PdfUnavailable from None
    steps: list[Step] = []

    def held(de: str, en: str, *, checked: bool = True) -> None:
        number = len(steps) + 1
        name, title = PDF_STEPS[number]
        steps.append(
            Step(
                number=number,
                name=name,
                title_de=title.de,
                title_en=title.en,
                result_de=de,
                result_en=en,
                checked=checked,
            )
        )

    with _quiet():
        # P1
        try:
            trusted = parse_trust(trust)
        except FormatError as error:
            raise pdf_failure("pdf-trust-malformed", error) from error
        reader = _read(data)
        held("PDF in Ordnung.", "PDF in order.")
        # P2
        seal = _one_seal(reader)
        held(
            "Ein Siegel über das ganze Dokument; es erlaubt keine Änderungen.",
            "One seal over the whole document; it permits no changes.",
        )
        # P3
        _check_integrity(seal)
        held("Seitdem unverändert, Unterschrift gültig.", "Unaltered since, signature valid.")
        # P4 and P5: which certificate counts depends on what the timestamps show
        tokens, unchecked = check_tokens(reader, seal, trusted, at)
        sealed_at = tokens[0].at if tokens else _claimed_time(seal)
        pinned = _check_certificate(seal, trusted, sealed_at, tokens[0].at if tokens else None)
        held(
            f"{pinned.name}, gesiegelt {exact(sealed_at, 'de')}.",
            f"{pinned.name}, sealed {exact(sealed_at, 'en')}.",
        )
        held(*tokens_result(tokens, unchecked), checked=bool(tokens))
        # P6
        later = _check_later(reader, seal)
        held(
            "Nur Zeitstempel und Prüfdaten kamen hinzu." if later else "Nichts kam hinzu.",
            "Only timestamps and validation data were added." if later else "Nothing was added.",
        )
        # P7
        inside = receipt_inside(reader)
        held(
            f"Eine Datei mit {len(inside)} Byte, nichts Verstecktes.",
            f"One file of {len(inside)} bytes, nothing hidden.",
        )
        title = _title(reader)
    return OpenedPdf(
        steps=tuple(steps), data=inside, sealed_at=sealed_at, dated=bool(tokens), title=title
    )


def _read(data: bytes) -> PdfFileReader:
    from pyhanko.pdf_utils.reader import PdfFileReader

    if len(data) > MAX_PDF:
        raise pdf_failure("pdf-malformed", f"larger than {MAX_PDF} bytes")
    # A file that is also something else to other programs has its header further on.
    if not data.startswith(b"%PDF-"):
        raise pdf_failure("pdf-malformed", "does not begin with %PDF-")
    check_bytes(data)
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=True)
        if reader.encrypted:
            raise pdf_failure("pdf-encrypted", "has /Encrypt")
        check_form(reader)
        _ = reader.root, reader.embedded_signatures
    except PdfError:
        raise
    except Exception as error:  # parsers of hostile files fail in many ways
        raise pdf_failure("pdf-malformed", f"{type(error).__name__}: {error}") from error
    return reader


def _one_seal(reader: PdfFileReader) -> EmbeddedPdfSignature:
    from pyhanko.sign.fields import MDPPerm
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    seals = reader.embedded_regular_signatures
    if not seals:
        raise pdf_failure("pdf-unsealed", "no signature")
    if len(seals) > 1 or len(seals) + len(reader.embedded_timestamp_signatures) != len(
        reader.embedded_signatures
    ):
        raise pdf_failure("pdf-seals", f"{len(reader.embedded_signatures)} signatures")
    seal: EmbeddedPdfSignature = seals[0]
    try:
        coverage = seal.evaluate_signature_coverage()
        permits = seal.docmdp_level
    except Exception as error:  # as above
        raise pdf_failure("pdf-coverage", f"{type(error).__name__}: {error}") from error
    if coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        raise pdf_failure("pdf-coverage", coverage.name)
    if permits is not MDPPerm.NO_CHANGES:
        raise pdf_failure("pdf-permits-changes", "no certification" if permits is None else permits)
    return seal


def _check_integrity(seal: EmbeddedPdfSignature) -> None:
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    try:
        name = seal.md_algorithm.lower()
        if name not in _HASHES:
            raise pdf_failure("pdf-signature", f"hash {name}")
        if str(seal.sig_object.get("/SubFilter")) != "/ETSI.CAdES.detached":
            raise pdf_failure("pdf-signature", f"{seal.sig_object.get('/SubFilter')} is not PAdES")
        intact, valid = validate_sig_integrity(
            seal.signer_info, seal.signer_cert, "data", seal.compute_digest()
        )
    except PdfError:
        raise
    except Exception as error:  # as above
        raise pdf_failure("pdf-signature", f"{type(error).__name__}: {error}") from error
    if not intact:
        raise pdf_failure("pdf-altered", "the digest of the document is another one")
    if not valid:
        raise pdf_failure("pdf-signature", "the signature does not verify")


def _check_certificate(
    seal: EmbeddedPdfSignature, trusted: Trust, sealed_at: datetime, dated: datetime | None
) -> SealCertificate:
    if not trusted.seal_certificates:
        raise pdf_failure("pdf-no-pinned-certificate", "seal_certificates is empty")
    der = seal.signer_cert.dump()
    found = next((item for item in trusted.seal_certificates if item.der == der), None)
    if found is None:
        name = seal.signer_cert.subject.human_friendly
        raise pdf_failure("pdf-unknown-certificate", f"sealed as {name}")
    if found.compromised_at is not None and (dated is None or dated >= found.compromised_at):
        raise pdf_failure("pdf-key-compromised", f"since {format_time(found.compromised_at)}")
    # Signatures name whole seconds, and the authority's clock is another one than the keyring's.
    early = timedelta() <= found.valid_from - sealed_at <= CLOCK_TOLERANCE
    in_force = found.in_force(found.valid_from if early else sealed_at)
    if not in_force and found.compromised_at is None:
        raise pdf_failure("pdf-key-validity", f"not in force at {format_time(sealed_at)}")
    return found


def _check_later(reader: PdfFileReader, seal: EmbeddedPdfSignature) -> bool:
    """Whether anything was added; PdfError if it is more than long-term validation data."""
    from pyhanko.sign.diff_analysis import ModificationLevel, SuspiciousModification
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        for signature in reader.embedded_signatures:
            signature.compute_integrity_info(diff_policy=_additions())
            result: Any = signature.diff_result
            if isinstance(result, SuspiciousModification):
                raise pdf_failure("pdf-changed-later", result)
            if result.modification_level > ModificationLevel.LTA_UPDATES:
                raise pdf_failure("pdf-changed-later", result.modification_level.name)
        # Else what some viewers show, or other programs find, stands behind the last signature.
        if reader.embedded_signatures[-1].coverage is not SignatureCoverageLevel.ENTIRE_FILE:
            raise pdf_failure("pdf-changed-later", "the file goes on behind its last signature")
    except PdfError:
        raise
    except Exception as error:  # as above
        raise pdf_failure("pdf-changed-later", f"{type(error).__name__}: {error}") from error
    return bool(seal.signed_revision + 1 < reader.xrefs.total_revisions)


def _additions() -> Any:
    """What may be added: as pyHanko has it, but no other title or metadata, which anybody could add
    with a public authority's timestamp, and viewers show above the pages.
    """
    from pyhanko.sign import diff_analysis

    pyhanko: Any = diff_analysis  # some of it has no types
    lasting = pyhanko.ModificationLevel.LTA_UPDATES
    return pyhanko.StandardDiffPolicy(
        global_rules=[
            pyhanko.CatalogModificationRule(
                ignored_keys=frozenset({"/AcroForm", "/DSS", "/Extensions", "/Version"})
            ),
            pyhanko.XrefStreamRule().as_qualified(lasting),
            pyhanko.ObjectStreamRule().as_qualified(lasting),
            pyhanko.DSSCompareRule().as_qualified(lasting),
        ],
        form_rule=pyhanko.FormUpdatingRule(
            field_rules=[pyhanko.SigFieldCreationRule(), pyhanko.SigFieldModificationRule()]
        ),
    )


def _claimed_time(seal: EmbeddedPdfSignature) -> datetime:
    claimed = seal.self_reported_timestamp
    if claimed is None or claimed.tzinfo is None:
        raise pdf_failure("pdf-signature", "the seal names no time")
    return claimed.astimezone(UTC)


def _title(reader: PdfFileReader) -> str:
    try:
        information = reader.trailer["/Info"]
        return str(information["/Title"])
    except (KeyError, TypeError, AttributeError):
        return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pyHanko's own log lines about hostile files out of the verifier's output."""
    logger = logging.getLogger("pyhanko")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
