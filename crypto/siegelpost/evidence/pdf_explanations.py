"""What verifying a PDF receipt says: its own steps and failures, German and English.

Beside `explanations`, which holds those of the receipt inside. Codes are unique over all.
"""

from __future__ import annotations

from collections.abc import Mapping

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import Text


class PdfError(VerificationError):
    """A PDF failed at one of its own steps, before the receipt in it was looked at."""


def _t(de: str, en: str) -> Text:
    return Text(de=de, en=en)


#: Number → stable name and title of each step; printed as P1, P2 and so on.
PDF_STEPS: Mapping[int, tuple[str, Text]] = {
    1: ("pdf", _t("PDF lesbar", "PDF is readable")),
    2: ("pdf-seal", _t("Ein Siegel für alles", "One seal over all")),
    3: ("pdf-integrity", _t("Siegel unversehrt", "Seal intact")),
    4: ("pdf-certificate", _t("Zertifikat des Siegels", "Certificate of the seal")),
    5: ("pdf-timestamps", _t("Zeitstempel des Siegels", "Timestamps of the seal")),
    6: ("pdf-later", _t("Nach dem Siegeln", "After sealing")),
    7: ("pdf-attachment", _t("Eingebettete Quittung", "Receipt inside")),
}

#: Code → number of the step and the explanation of the failure.
PDF_FAILURES: Mapping[str, tuple[int, Text]] = {
    "pdf-malformed": (
        1,
        _t(
            "Die Datei ist kein lesbares PDF: Sie ist beschädigt, unvollständig oder umgepackt.",
            "The file is no readable PDF: it is damaged, incomplete or was packed anew.",
        ),
    ),
    "pdf-encrypted": (
        1,
        _t("Das PDF ist verschlüsselt. Quittungen sind es nie.", "The PDF is encrypted."),
    ),
    "pdf-trust-malformed": (
        1,
        _t("Die Vertrauensdatei ist nicht lesbar.", "The trust file is not readable."),
    ),
    "pdf-unsealed": (
        2,
        _t(
            "Das PDF trägt kein Siegel und ist so keine Quittung. Jeder kann es geschrieben haben.",
            "The PDF bears no seal, so it is no receipt. Anybody may have written it.",
        ),
    ),
    "pdf-seals": (
        2,
        _t(
            "Das PDF trägt mehrere Siegel oder Unterschriften. Quittungen haben genau eines.",
            "The PDF bears several seals or signatures. Receipts have exactly one.",
        ),
    ),
    "pdf-coverage": (
        2,
        _t(
            "Das Siegel umfasst nicht das ganze Dokument.",
            "The seal does not cover the whole document.",
        ),
    ),
    "pdf-permits-changes": (
        2,
        _t(
            "Das Siegel erlaubt spätere Änderungen. Die Siegel des Dienstes tun das nicht.",
            "The seal permits later changes. The service's seals do not.",
        ),
    ),
    "pdf-altered": (
        3,
        _t(
            "Das Dokument wurde nach dem Siegeln verändert.",
            "The document was altered after sealing.",
        ),
    ),
    "pdf-signature": (
        3,
        _t(
            "Das Siegel ist gefälscht, beschädigt oder mit veralteten Verfahren gemacht.",
            "The seal is forged, damaged, or made with outdated algorithms.",
        ),
    ),
    "pdf-no-pinned-certificate": (
        4,
        _t(
            "Die Vertrauensdatei nennt kein Zertifikat für Siegel von PDF-Quittungen. Vielleicht "
            "ist sie älter als diese Quittung: Bitte eine neue anfordern.",
            "The trust file names no certificate for seals of PDF receipts. Perhaps it is older "
            "than this receipt: please ask for a new one.",
        ),
    ),
    "pdf-unknown-certificate": (
        4,
        _t(
            "Das Siegel stammt nicht vom Dienst: Sein Zertifikat steht nicht in der "
            "Vertrauensdatei.",
            "The seal is not the service's: its certificate is not in the trust file.",
        ),
    ),
    "pdf-key-validity": (
        4,
        _t(
            "Der Schlüssel des Siegels galt nicht, als gesiegelt wurde.",
            "The key of the seal was not in force at the time of sealing.",
        ),
    ),
    "pdf-key-compromised": (
        4,
        _t(
            "Der Schlüssel des Siegels ist als entwendet gemeldet. Kein unabhängiger Zeitstempel "
            "zeigt, dass das Siegel älter ist.",
            "The key of the seal is reported as compromised. No independent timestamp shows that "
            "the seal is older.",
        ),
    ),
    "pdf-timestamp-invalid": (
        5,
        _t(
            "Ein Zeitstempel des Siegels ist nicht gültig: Er stammt von keiner anerkannten "
            "Stelle oder gehört zu etwas anderem.",
            "A timestamp of the seal is not valid: no trusted authority issued it, or it is over "
            "something else.",
        ),
    ),
    "pdf-timestamp-expired": (
        5,
        _t(
            "Die Zeitstempel des PDF wurden nicht erneuert, bevor das Zertifikat der Stelle "
            "ablief.",
            "The PDF's timestamps were not renewed before the authority's certificate ended.",
        ),
    ),
    "pdf-changed-later": (
        6,
        _t(
            "Nach dem Siegeln wurde dem Dokument etwas hinzugefügt, das kein Zeitstempel ist. Was "
            "es jetzt zeigt, ist nicht, was der Dienst gesiegelt hat.",
            "Something that is no timestamp was added after sealing. What the document shows now "
            "is not what the service sealed.",
        ),
    ),
    "pdf-no-receipt": (
        7,
        _t(
            "Im PDF steckt keine maschinenlesbare Quittung.",
            "The PDF holds no machine-readable receipt.",
        ),
    ),
    "pdf-more-files": (
        7,
        _t(
            "Im PDF stecken weitere oder versteckte Dateien. Welche gemeint ist, ist unklar.",
            "The PDF holds further or hidden files. Which one is meant is unclear.",
        ),
    ),
    "pdf-file-ambiguous": (
        7,
        _t(
            "Die eingebettete Quittung ist unter zwei Namen verschieden oder nicht dieselbe, die "
            "das Dokument als seine Quelle nennt.",
            "The receipt inside differs between two names, or is not the one that the document "
            "names as its source.",
        ),
    ),
    "pdf-active": (
        7,
        _t(
            "Das PDF enthält Programme oder Aktionen. Quittungen haben keine.",
            "The PDF holds programs or actions. Receipts have none.",
        ),
    ),
    "pdf-other-receipt": (
        7,
        _t(
            "Das PDF gibt sich als Quittung über ein anderes Schreiben als die eingebettete.",
            "The PDF claims to be the receipt of another notice than the one inside.",
        ),
    ),
}


def pdf_failure(code: str, reason: object, evidence: Mapping[str, str] | None = None) -> PdfError:
    """The error of a failure code; `reason` is the exact technical reason."""
    number, text = PDF_FAILURES[code]
    return PdfError(
        step=number,
        name=PDF_STEPS[number][0],
        code=code,
        reason=str(reason)[:1000],
        message_de=text.de,
        message_en=text.en,
        evidence=evidence,
    )
