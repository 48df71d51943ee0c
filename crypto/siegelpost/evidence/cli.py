"""Command line of the verifier: `python -m siegelpost.evidence verify FILE --trust FILE`.

FILE is a receipt (JSON or PDF) or a court file (ASiC-E), told by its bytes. Needs the standard
library and `cryptography` only; timestamps and PDFs need the extra `verify`.
Results go to standard output, complaints to standard error, both in the language asked for.
Exit codes, stable:

0  every step holds; a step that says "not checked" had nothing to check, or lacks a library or an
   entry in the trust file, and tells which (in JSON: "checked": false)
1  a step does not hold: the file must not be relied upon
2  wrong usage, a file cannot be read, or a PDF is given and pyHanko is missing
3  with --strict only: every step that was checked holds, but one was not checked
"""

from __future__ import annotations

import argparse
import errno
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from siegelpost.evidence.bundle import write_bundle
from siegelpost.evidence.errors import FormatError, VerificationError
from siegelpost.evidence.files import MAX_FILE, verify_file
from siegelpost.evidence.pdf_verify import PdfUnavailable
from siegelpost.evidence.presenting import (
    PLACES_DE,
    all_checked,
    failure_json,
    failure_text,
    place_of,
    verification_json,
    verification_text,
)
from siegelpost.evidence.timestamps import INSTALL
from siegelpost.evidence.trust import MAX_TRUST, parse_trust
from siegelpost.evidence.usage import UsageParser, complain

EXIT_HOLDS = 0
EXIT_FAILS = 1
EXIT_USAGE = 2
EXIT_UNCHECKED = 3

_REASONS_DE = {
    errno.ENOENT: "die Datei gibt es nicht",
    errno.EISDIR: "das ist ein Ordner",
    errno.EACCES: "der Zugriff ist nicht erlaubt",
}

#: Largest document that is read, in bytes.
MAX_DOCUMENT = 1 << 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code (argparse exits with 2 by itself)."""
    UsageParser.typed = sys.argv[1:] if arguments is None else arguments
    parser = UsageParser(
        prog="siegelpost",
        description="Verify delivery receipts and court files of Siegelpost, offline.",
        epilog="exit codes: 0 every step holds, 1 a step does not hold, "
        "2 wrong usage or unreadable file, 3 (--strict) a step was not checked",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="verify a receipt or court file in numbered steps")
    add_verify_arguments(command)
    packing = commands.add_parser("verifier", help="write this verifier as one file to keep")
    packing.add_argument("file", type=Path, metavar="FILE.pyz", help="file to write")
    options = parser.parse_args(UsageParser.typed)
    if options.command == "verifier":
        return _pack(options.file)
    return verify_files(
        options.file,
        options.trust,
        documents=options.document,
        as_json=options.json,
        language=options.language,
        at=options.at,
        strict=options.strict,
    )


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `verify`."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="receipt (JSON or PDF) or court file (ASiC-E)"
    )
    parser.add_argument(
        "--trust",
        type=Path,
        required=True,
        metavar="FILE",
        help="trust file with pinned keys, from a source other than the file",
    )
    parser.add_argument(
        "--document",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a document that should be part of the notice; may be repeated",
    )
    parser.add_argument(
        "--at",
        type=_moment,
        metavar="DATE",
        help="demand that timestamps are still good on this day, such as 2046-12-31",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--language", "--lang", choices=("de", "en"), default="de", help="language of texts"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with 3 if a step could not be checked"
    )


def verify_files(
    file: Path,
    trust: Path,
    *,
    documents: Sequence[Path] = (),
    as_json: bool = False,
    language: str = "de",
    at: datetime | None = None,
    strict: bool = False,
) -> int:
    """Read the files, verify, print; one of the exit codes above."""
    try:
        data = _read(file, MAX_FILE)
        trust_bytes = _read(trust, MAX_TRUST)
        document_bytes = [_read(path, MAX_DOCUMENT) for path in documents]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        of_trust = Path(error.filename) == trust != file
        complain(
            language,
            f"{'die Vertrauensdatei ' * of_trust}{error.filename} ist nicht lesbar: "
            f"{_REASONS_DE.get(error.errno or 0, reason)}",
            f"cannot read {'the trust file ' * of_trust}{error.filename}: {reason}",
        )
        return EXIT_USAGE
    try:
        verification = verify_file(
            data, trust_bytes, documents=document_bytes, at=at, now=datetime.now(UTC)
        )
    except PdfUnavailable as error:
        complain(language, f"Für PDF-Quittungen fehlt ein Programmteil: {INSTALL}", str(error))
        return EXIT_USAGE
    except VerificationError as error:
        print(
            json.dumps(failure_json(error), ensure_ascii=False)
            if as_json
            else failure_text(error, language)
        )
        if _is_trust(data):  # which says nothing about the receipt
            complain(
                language,
                f"{file} ist eine Vertrauensdatei; der Nachweis wurde nicht geprüft "
                "(sind die Dateien vertauscht?)",
                f"{file} is a trust file; nothing was verified (are the files exchanged?)",
            )
            return EXIT_USAGE
        if error.code in ("trust-malformed", "pdf-trust-malformed"):  # nor does this
            complain(
                language,
                f"{trust} ist keine Vertrauensdatei; der Nachweis wurde nicht geprüft",
                f"{trust} is no trust file; nothing was verified",
            )
            return EXIT_USAGE
        place = place_of(error)
        which = _which(error, documents)
        complain(
            language,
            f"{PLACES_DE[place]} ist nicht in Ordnung: {error.code}{which}",
            f"{place} does not verify: {error.code}{which}",
        )
        return EXIT_FAILS
    print(
        json.dumps(verification_json(verification), ensure_ascii=False)
        if as_json
        else verification_text(verification, language)
    )
    if strict and not all_checked(verification):
        complain(language, "ein Schritt wurde nicht geprüft", "a step was not checked")
        return EXIT_UNCHECKED
    return EXIT_HOLDS


def _is_trust(data: bytes) -> bool:
    try:
        parse_trust(data)
    except FormatError:
        return False
    return True


def _which(error: VerificationError, documents: Sequence[Path]) -> str:
    """The name of the document that an error speaks of by its number."""
    if not error.code.startswith("document-"):
        return ""
    number = re.match(r"document (\d+) ?", error.reason)
    return f" ({documents[int(number[1]) - 1]})" if number else ""


def _pack(file: Path) -> int:
    try:
        write_bundle(file)
    except OSError as error:
        print(f"siegelpost: cannot write {file}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    print(
        f"{file}: needs Python 3.11 and the package cryptography; for timestamps and PDFs {INSTALL}"
    )
    return EXIT_HOLDS


def _moment(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)


def _read(path: Path, limit: int) -> bytes:
    # One byte more than the limit is read, so that parsers see the excess and refuse it.
    with path.open("rb") as file:
        return file.read(limit + 1)
