"""What a court reads first: guide and protocol of a court file, plain German text.

Text files, so that they open everywhere and for as long as anything does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import fill

from siegelpost.evidence import court_file
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.spoken import exact

_WIDTH = 78

_LEVELS = {
    Redaction.FULL: "Vollständig. Die Akte enthält personenbezogene Daten, auch E-Mail-Adressen.",
    Redaction.WITHOUT_ADDRESSES: (
        "Ohne E-Mail-Adressen. Adressen sind in den Angaben der Mailserver geschwärzt (█████). "
        "Ereignisse, die eine Adresse enthalten, stehen nur mit Art, Zeit und geschwärzten Angaben "
        "in der Akte. Für diese Angaben steht der Dienst mit seinem Siegel ein. Dass es das "
        "Ereignis gibt und wo es im Protokoll steht, ist unabhängig davon nachgewiesen."
    ),
    Redaction.TIMES_ONLY: (
        "Nur Zeiten. Von jedem Ereignis stehen nur Art und Zeit in der Akte. Dafür steht der "
        "Dienst mit seinem Siegel ein. Dass es das Ereignis gibt und wo es im Protokoll steht, ist "
        "unabhängig davon nachgewiesen."
    ),
}

_FILES = (
    (court_file.GUIDE, "dieser Leitfaden"),
    (court_file.PROTOCOL, "Ergebnis der Prüfung, als diese Akte erstellt wurde"),
    (court_file.RECEIPT, "die Quittung mit allen Nachweisen, für Programme"),
    (court_file.PDF, "dieselbe Quittung zum Lesen und Drucken"),
    (court_file.TRUST, "öffentliche Schlüssel zu dieser Zeit; nur zum Vergleich"),
    (court_file.PROOFS, "je Ereignis ein Nachweis, dass es im Protokoll steht"),
    (court_file.TIMESTAMPS, "Zeitstempel unabhängiger Stellen (RFC 3161)"),
    (court_file.REPORTS, "Berichte der Mailserver im Original"),
    ("META-INF/", "Verzeichnis aller Dateien mit Prüfsummen, und die Siegel"),
)

_PROVES = (
    "Der Dienst hat diese Ereignisse zu diesem Schreiben in dieser Reihenfolge aufgezeichnet.",
    "Kein Ereignis wurde danach geändert, entfernt oder eingefügt.",
    "Welches Dokument zugestellt wurde: Wer das PDF hat, kann es mit der Quittung vergleichen "
    "(nicht bei der Fassung „nur Zeiten“).",
    "Was die Mailserver zur Benachrichtigung sagten, im Wortlaut (geschwärzt: ohne Adressen).",
    "Wenn eine Empfangsbestätigung enthalten ist: Wer den Schlüssel des Postfachs hat, hat das "
    "Paket geöffnet.",
)
_NOT = (
    "Dass nach Erstellung der Akte nichts mehr geschah. Dafür gibt es eine neue Akte.",
    "Dass ein Mensch das Schreiben gelesen oder verstanden hat.",
    "Dass die Benachrichtigung im Postfach der Person ankam, wenn kein Bericht das sagt.",
    "Die Frist. Sie ist berechnet, und die Rechtsanwendung bleibt Sache des Gerichts.",
    "Qualifizierte elektronische Siegel oder Zeitstempel im Sinne der eIDAS-Verordnung sind nicht "
    "allein deshalb enthalten, weil die Akte gesiegelt ist.",
)


def guide(
    *,
    notice: str,
    agency: str,
    made_at: datetime,
    redaction: Redaction,
    names: Sequence[str],
    certificate: bool,
    origin: str,
    sealed_reports: int,
) -> str:
    """The guide; `names` are the enclosures, `certificate` tells if there is a CMS seal."""
    there = {court_file.GUIDE, court_file.PROTOCOL, court_file.RECEIPT, court_file.TRUST}
    there |= set(names) | {name.partition("/")[0] + "/" for name in names if "/" in name}
    lines = [
        "GERICHTSAKTE ZU EINER ELEKTRONISCHEN ZUSTELLUNG",
        "",
        f"Schreiben:  {notice}",
        *([f"Behörde:    {agency}"] if agency else []),
        f"Erstellt:   {exact(made_at, 'de')}",
        "",
        *_heading("Umfang"),
        *_wrapped(_LEVELS[redaction]),
        *_heading("Was in der Akte liegt"),
        *(f"  {name:<21} {what}" for name, what in _FILES if name in there or name == "META-INF/"),
    ]
    if sealed_reports:
        lines += [
            "",
            *_wrapped(
                f"Verschlossene Berichte (Endung .age): {sealed_reports}. Nur die Behörde hat den "
                "Schlüssel. Sie kann sie mit dem freien Programm „age“ öffnen. Die Prüfsumme des "
                "Inhalts steht im Ereignis (message_sha256)."
            ),
        ]
    lines += [
        *_heading("In zwei Minuten prüfen"),
        *_wrapped(
            "1. Besorgen Sie die Vertrauensdatei auf einem anderen Weg als diese Akte, zum "
            "Beispiel von der Aufsichtsbehörde oder aus Ihrem eigenen Archiv. Mit der Datei, die "
            "in der Akte liegt, prüfen Sie nur, ob die Akte in sich stimmt."
        ),
        *_wrapped(
            "2. Starten Sie das Prüfprogramm auf einem Rechner mit Python 3.11 oder neuer und dem "
            "Paket „cryptography“. Eine Verbindung zum Internet ist nicht nötig:"
        ),
        "",
        "     python siegelpost-verify.pyz verify AKTE.asice --trust trust.json",
        "",
        *_wrapped(
            "3. Das Programm nennt jeden Schritt und sein Ergebnis. Am Ende steht „Alle Schritte "
            "sind erfüllt.“ Wenn nicht, sagt es, welcher Schritt nicht erfüllt ist und was das "
            "bedeutet. Dann beweist die Akte nichts."
        ),
        *_wrapped("4. Ein Dokument, das Ihnen vorliegt, prüfen Sie mit: --document DOKUMENT.pdf"),
        *_heading("Von Hand prüfen"),
        *_wrapped(
            "Die Akte ist eine ZIP-Datei nach ETSI EN 319 162-1 (ASiC-E). "
            "META-INF/ASiCManifest.xml nennt zu jeder Datei die Prüfsumme SHA-256. "
            "META-INF/siegel.txt ist eine Unterschrift des Dienstes darüber (Ed25519, "
            "c2sp.org/signed-note). Jeder Nachweis ist eine Textdatei nach c2sp.org/tlog-proof "
            f"für das Protokoll {origin}; fremde Programme können sie prüfen."
        ),
        *_wrapped(
            "META-INF/signature.p7s ist dazu ein Siegel mit Zertifikat (CAdES), das übliche "
            "Prüfprogramme für ASiC-E erkennen."
            if certificate
            else "Ein Siegel mit Zertifikat (CAdES) enthält diese Akte nicht. Übliche "
            "Prüfprogramme für ASiC-E melden deshalb, dass sie keine Unterschrift kennen. "
            "Maßgeblich ist META-INF/siegel.txt."
        ),
        *_heading("Was die Akte beweist"),
        *_items(_PROVES),
        *_heading("Was die Akte nicht beweist"),
        *_items(_NOT),
        "",
    ]
    return "\n".join(lines)


def protocol(
    *,
    made_at: datetime,
    receipt_sha256: str,
    trust_sha256: str,
    steps: Sequence[str],
    events: Sequence[str],
) -> str:
    """The protocol of one verification."""
    lines = [
        "PRÜFPROTOKOLL",
        "",
        *_wrapped(
            "So fiel die Prüfung aus, als die Akte erstellt wurde, mit der Vertrauensdatei des "
            "Dienstes. Das ist eine Auskunft des Dienstes über sich selbst. Es ersetzt keine "
            "eigene Prüfung mit einer Vertrauensdatei aus anderer Quelle."
        ),
        "",
        f"Geprüft: {exact(made_at, 'de')}",
        "SHA-256 der Quittung:",
        f"  {receipt_sha256}",
        "SHA-256 der Vertrauensdatei:",
        f"  {trust_sha256}",
        *_heading("Schritte"),
    ]
    for step in steps:
        lines += [fill(line, _WIDTH, subsequent_indent="    ") for line in step.splitlines()]
    if events:
        lines += [
            *_heading("Ereignisse (Weltzeit, Art, Platz im Protokoll)"),
            *events,
        ]
    return "\n".join([*lines, ""])


def _heading(text: str) -> list[str]:
    return ["", text, "-" * len(text)]


def _wrapped(text: str) -> list[str]:
    indent = "   " if text[:2] in ("1.", "2.", "3.", "4.") else ""
    return fill(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False).splitlines()


def _items(texts: Sequence[str]) -> list[str]:
    return [
        line
        for text in texts
        for line in fill(
            f"- {text}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False
        ).splitlines()
    ]
