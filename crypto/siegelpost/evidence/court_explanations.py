"""What verifying a court file says: its steps and failures, German and English.

Beside `explanations`, which holds those of the receipt inside. Codes are unique over both.
"""

from __future__ import annotations

from collections.abc import Mapping

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import Text


class CourtFileError(VerificationError):
    """A court file failed at one of its own steps, before the receipt in it was looked at."""


def _t(de: str, en: str) -> Text:
    return Text(de=de, en=en)


#: Number → stable name and title of each step; printed as A1, A2 and so on.
COURT_STEPS: Mapping[int, tuple[str, Text]] = {
    1: ("court-file", _t("Gerichtsakte lesbar", "Court file is readable")),
    2: ("manifest", _t("Verzeichnis der Dateien", "Manifest of the files")),
    3: ("court-seal", _t("Siegel der Akte", "Seal of the court file")),
    4: ("certificate-seal", _t("Siegel mit Zertifikat (CMS)", "Seal by certificate (CMS)")),
    5: ("parts", _t("Beilagen stimmen überein", "Enclosures agree")),
    6: ("pdf", _t("PDF der Quittung", "PDF of the receipt")),
}

#: Code → number of the step and the explanation of the failure.
COURT_FAILURES: Mapping[str, tuple[int, Text]] = {
    "court-file-malformed": (
        1,
        _t(
            "Die Datei ist keine lesbare Gerichtsakte: Sie ist beschädigt, unvollständig oder "
            "neu gepackt worden.",
            "The file is no readable court file: it is damaged, incomplete or was packed anew.",
        ),
    ),
    "manifest-malformed": (
        2,
        _t(
            "Das Verzeichnis der Akte ist nicht lesbar oder verändert.",
            "The manifest of the court file is not readable, or was altered.",
        ),
    ),
    "file-missing": (
        2,
        _t(
            "In der Akte fehlt eine Datei, die ihr Verzeichnis nennt.",
            "The court file lacks a file that its manifest lists.",
        ),
    ),
    "file-unlisted": (
        2,
        _t(
            "In der Akte liegt eine Datei, die ihr Verzeichnis nicht nennt. Sie wurde später "
            "hinzugefügt.",
            "The court file holds a file that its manifest does not list. It was added later.",
        ),
    ),
    "file-altered": (
        2,
        _t(
            "Eine Datei der Akte wurde nach dem Siegeln verändert.",
            "A file of the court file was altered after sealing.",
        ),
    ),
    "court-seal-malformed": (
        3,
        _t("Das Siegel der Akte ist nicht lesbar.", "The court file's seal is not readable."),
    ),
    "court-seal-signature": (
        3,
        _t(
            "Das Siegel der Akte trägt keine gültige Unterschrift des Dienstes.",
            "The court file's seal carries no valid signature of the service.",
        ),
    ),
    "court-seal-differs": (
        3,
        _t(
            "Das Siegel gehört nicht zu dieser Akte: Ihr Verzeichnis wurde danach verändert.",
            "The seal is not of this court file: its manifest was altered afterwards.",
        ),
    ),
    "court-seal-key-validity": (
        3,
        _t(
            "Der Schlüssel, der die Akte siegelte, galt zu dieser Zeit nicht.",
            "The key that sealed the court file was not in force at that time.",
        ),
    ),
    "court-seal-key-compromised": (
        3,
        _t(
            "Der Schlüssel, der die Akte siegelte, wurde entwendet. Bitte eine neue Akte "
            "anfordern.",
            "The key that sealed the court file was stolen. Please ask for a new one.",
        ),
    ),
    "certificate-seal-invalid": (
        4,
        _t(
            "Das Siegel mit Zertifikat ist nicht gültig oder gehört nicht zu dieser Akte.",
            "The seal by certificate is not valid, or is not of this court file.",
        ),
    ),
    "certificate-seal-unknown": (
        4,
        _t(
            "Das Siegel mit Zertifikat stammt von einem Zertifikat, das die Vertrauensdatei nicht "
            "nennt.",
            "The seal by certificate is of a certificate that the trust file does not name.",
        ),
    ),
    "certificate-seal-validity": (
        4,
        _t(
            "Das Zertifikat, mit dem die Akte gesiegelt wurde, galt zu dieser Zeit nicht.",
            "The certificate that sealed the court file was not in force at that time.",
        ),
    ),
    "certificate-seal-compromised": (
        4,
        _t(
            "Der Schlüssel zum Zertifikat, mit dem die Akte gesiegelt wurde, wurde entwendet. "
            "Bitte eine neue Akte anfordern.",
            "The key of the certificate that sealed the court file was stolen. Please ask for a "
            "new one.",
        ),
    ),
    "receipt-missing": (
        5,
        _t("In der Akte fehlt die Quittung.", "The court file lacks the receipt."),
    ),
    "other-notice": (
        5,
        _t(
            "Die Quittung in der Akte betrifft ein anderes Schreiben oder eine andere "
            "Schwärzung als das Siegel der Akte.",
            "The receipt in the court file is of another notice or redaction than the seal says.",
        ),
    ),
    "proof-differs": (
        5,
        _t(
            "Ein beigelegter Nachweis ist nicht der aus der Quittung.",
            "An enclosed proof is not the one in the receipt.",
        ),
    ),
    "timestamp-differs": (
        5,
        _t(
            "Ein beigelegter Zeitstempel ist nicht der aus der Quittung.",
            "An enclosed timestamp is not the one in the receipt.",
        ),
    ),
    "report-differs": (
        5,
        _t(
            "Ein beigelegter Bericht eines Mailservers ist keiner, den ein Ereignis der Quittung "
            "nennt.",
            "An enclosed report of a mail server is none that an event of the receipt names.",
        ),
    ),
    "pdf-differs": (
        6,
        _t(
            "Die PDF-Quittung in der Akte enthält eine andere Quittung als die Akte.",
            "The PDF in the court file holds another receipt than the court file.",
        ),
    ),
}


def court_failure(
    code: str, reason: object, evidence: Mapping[str, str] | None = None
) -> CourtFileError:
    """The error of a failure code; `reason` is the exact technical reason."""
    number, text = COURT_FAILURES[code]
    return CourtFileError(
        step=number,
        name=COURT_STEPS[number][0],
        code=code,
        reason=str(reason),
        message_de=text.de,
        message_en=text.en,
        evidence=evidence,
    )
