"""Command line of the verifier: `python -m siegelpost.evidence verify RECEIPT --trust FILE`.

Needs the standard library and `cryptography` only. Results go to standard output, complaints to
standard error. Exit codes, stable:

0  every step holds; a step that says "not checked" had nothing to check, or lacks a library or an
   entry in the trust file, and tells which (in JSON: "checked": false)
1  a step does not hold: the receipt must not be relied upon
2  wrong usage, or a file cannot be read
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from siegelpost.evidence.errors import VerificationError
from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.receipt import MAX_RECEIPT
from siegelpost.evidence.trust import MAX_TRUST
from siegelpost.evidence.verify import Verification, verify_receipt

EXIT_HOLDS = 0
EXIT_FAILS = 1
EXIT_USAGE = 2

#: Largest document that is read, in bytes.
MAX_DOCUMENT = 1 << 30

_ALL_HOLD = {
    "de": "Alle Schritte sind erfüllt.",
    "en": "All steps hold.",
}
_FAILED = {"de": "NICHT ERFÜLLT", "en": "DOES NOT HOLD"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code (argparse exits with 2 by itself)."""
    parser = argparse.ArgumentParser(
        prog="siegelpost",
        description="Verify delivery receipts of Siegelpost, offline.",
        epilog="exit codes: 0 every step holds, 1 a step does not hold, "
        "2 wrong usage or unreadable file",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("verify", help="verify a receipt in numbered steps")
    add_verify_arguments(command)
    options = parser.parse_args(arguments)
    return verify_files(
        options.receipt,
        options.trust,
        documents=options.document,
        as_json=options.json,
        language=options.lang,
        at=options.at,
    )


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `verify`."""
    parser.add_argument("receipt", type=Path, metavar="RECEIPT", help="the receipt (JSON)")
    parser.add_argument(
        "--trust",
        type=Path,
        required=True,
        metavar="FILE",
        help="trust file with pinned keys, from a source other than the receipt",
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
    parser.add_argument("--lang", choices=("de", "en"), default="de", help="language of texts")


def verify_files(
    receipt: Path,
    trust: Path,
    *,
    documents: Sequence[Path] = (),
    as_json: bool = False,
    language: str = "de",
    at: datetime | None = None,
) -> int:
    """Read the files, verify, print; one of the exit codes above."""
    try:
        receipt_bytes = _read(receipt, MAX_RECEIPT)
        trust_bytes = _read(trust, MAX_TRUST)
        document_bytes = [_read(path, MAX_DOCUMENT) for path in documents]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"siegelpost: cannot read {error.filename}: {reason}", file=sys.stderr)
        return EXIT_USAGE
    try:
        verification = verify_receipt(
            receipt_bytes,
            trust_bytes,
            documents=document_bytes,
            at=at,
            now=datetime.now(UTC),
        )
    except VerificationError as error:
        print(_failure_json(error) if as_json else _failure_text(error, language))
        print(f"siegelpost: receipt does not verify: {error.code}", file=sys.stderr)
        return EXIT_FAILS
    print(_json(verification) if as_json else _text(verification, language))
    return EXIT_HOLDS


def _moment(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)


def _read(path: Path, limit: int) -> bytes:
    # One byte more than the limit is read, so that parsers see the excess and refuse it.
    with path.open("rb") as file:
        return file.read(limit + 1)


def _text(verification: Verification, language: str) -> str:
    german = language == "de"
    lines = [
        f"{step.number:2}. {step.title_de if german else step.title_en}: "
        f"{step.result_de if german else step.result_en}"
        for step in verification.steps
    ]
    return "\n".join([*lines, _ALL_HOLD[language]])


def _failure_text(error: VerificationError, language: str) -> str:
    german = language == "de"
    lines = []
    for number, (_, title) in STEPS.items():
        if number < error.step:
            lines.append(f"{number:2}. {title.de if german else title.en}: ok")
        elif number == error.step:
            message = error.message_de if german else error.message_en
            lines.append(
                f"{number:2}. {title.de if german else title.en}: {_FAILED[language]}\n"
                f"    {message}\n    [{error.code}] {error.reason}"
            )
    return "\n".join(lines)


def _json(verification: Verification) -> str:
    return json.dumps(
        {
            "holds": True,
            "notice": verification.receipt.notice,
            "steps": [
                {
                    "number": step.number,
                    "name": step.name,
                    "checked": step.checked,
                    "result_de": step.result_de,
                    "result_en": step.result_en,
                }
                for step in verification.steps
            ],
        },
        ensure_ascii=False,
    )


def _failure_json(error: VerificationError) -> str:
    return json.dumps(
        {
            "holds": False,
            "failure": {
                "step": error.step,
                "name": error.name,
                "code": error.code,
                "reason": error.reason,
                "message_de": error.message_de,
                "message_en": error.message_en,
                "evidence": error.evidence,
            },
        },
        ensure_ascii=False,
    )
