"""The verifier as one file: in an empty place, network cut off, over every kind of file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from siegelpost.evidence.bundle import bundle
from siegelpost.evidence.receipt import write_receipt
from siegelpost.evidence.redacted import Redaction
from tests.support.court_files import TRUST, changed, court_file, receipt_with_report, with_file
from tests.support.receipts import DOCUMENTS

#: All that it needs beside Python.
NEEDED = ("cryptography", "cffi", "pycparser", "_cffi_backend*")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the one file, sample files, and an empty environment to run it."""
    folder = tmp_path_factory.mktemp("court")
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    for pattern in NEEDED:
        for found in Path(sysconfig.get_path("platlib")).glob(pattern):
            (site / found.name).symlink_to(found)
    (folder / "verify.pyz").write_bytes(bundle())
    (folder / "trust.json").write_bytes(TRUST)
    (folder / "receipt.json").write_bytes(write_receipt(receipt_with_report()))
    (folder / "document.pdf").write_bytes(DOCUMENTS[0])
    for level in Redaction:
        (folder / f"{level.value}.asice").write_bytes(court_file(level))
    altered = changed(court_file(), with_file("LIESMICH.txt", b"believe everything"))
    (folder / "altered.asice").write_bytes(altered)
    return folder


def run(place: Path, *arguments: str, python: str = "venv/bin/python") -> tuple[int, str, str]:
    done = subprocess.run(
        [*_offline(), place / python, "-I", "verify.pyz", "verify", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "name", ["receipt.json", "full.asice", "without-addresses.asice", "times-only.asice"]
)
def test_every_untampered_file_verifies_in_an_empty_place_without_network(
    place: Path, name: str
) -> None:
    code, told, complaints = run(place, name, "--trust", "trust.json")
    assert (code, complaints) == (0, "")
    last = told.splitlines()[-1]
    assert last.startswith("Alle geprüften Schritte sind erfüllt. Nicht geprüft: ")
    assert "13. Zeugen (" in last
    assert told.startswith("A1. " if name.endswith("asice") else " 1. ")


def test_document_and_english_and_json(place: Path) -> None:
    common = ("full.asice", "--trust", "trust.json", "--document", "document.pdf")
    assert (
        run(place, *common, "--language", "en")[1]
        .splitlines()[-1]
        .startswith("All steps that were checked hold. Not checked: ")
    )
    answer = json.loads(run(place, *common, "--json")[1])
    assert (answer["holds"], answer["kind"], answer["redaction"]) == (True, "court file", "full")
    assert [step["number"] for step in answer["file_steps"]] == list(range(1, 7))
    assert [step["number"] for step in answer["steps"]] == list(range(1, 18))


def test_tampered_court_file_exits_with_1_and_explains_itself(place: Path) -> None:
    code, told, complaints = run(place, "altered.asice", "--trust", "trust.json")
    assert code == 1
    assert "A2. Verzeichnis der Dateien: NICHT ERFÜLLT" in told
    assert "nach dem Siegeln verändert" in told
    assert complaints == "siegelpost: Die Gerichtsakte ist nicht in Ordnung: file-altered\n"
    failed = json.loads(run(place, "altered.asice", "--trust", "trust.json", "--json")[1])
    assert failed["failure"]["in"] == "court file"
    assert failed["failure"]["evidence"]["file"] == "LIESMICH.txt"


def test_strict_exits_with_3_where_a_step_was_not_checked(place: Path) -> None:
    code, _, complaints = run(place, "full.asice", "--trust", "trust.json", "--strict")
    assert (code, complaints) == (3, "siegelpost: ein Schritt wurde nicht geprüft\n")


def test_pdf_without_pyhanko_exits_with_2_and_says_what_to_install(place: Path) -> None:
    (place / "receipt.pdf").write_bytes(b"%PDF-1.7\n")
    code, told, complaints = run(place, "receipt.pdf", "--trust", "trust.json")
    assert (code, told) == (2, "")
    assert "pip install 'siegelpost[verify]'" in complaints


def test_without_cryptography_it_says_so_in_one_line(place: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    done = subprocess.run(
        [tmp_path / "bare/bin/python", "-I", place / "verify.pyz", "verify", "x", "--trust", "y"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "siegelpost: needs the Python package cryptography: pip install 'cryptography>=50'\n"
    )


def test_one_program_gives_one_file_so_that_offices_can_compare(tmp_path: Path) -> None:
    file = tmp_path / "siegelpost-verify.pyz"
    command = [sys.executable, "-m", "siegelpost.evidence", "verifier", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cryptography" in done.stdout
    assert file.read_bytes() == bundle()
    assert file.stat().st_mode & 0o111


def _offline() -> list[str]:
    cut = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"], check=False).returncode:
        print("unshare is not permitted here: the network stays on")
        return []
    return cut
