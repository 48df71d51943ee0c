"""The verifier as a program: alone, offline, with stable exit codes; and the golden receipt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cryptography
import pytest

from siegelpost.evidence import spoken
from siegelpost.evidence.cli import main
from siegelpost.evidence.explanations import STEPS
from siegelpost.evidence.receipt import parse_receipt, write_receipt
from siegelpost.evidence.times import format_time, parse_time
from siegelpost.evidence.trust import parse_trust, write_trust
from tests.support.receipts import DOCUMENTS, Sample, sample_trust

VECTORS = Path("tests/vectors/receipts").resolve()
RECEIPT, TRUST = VECTORS / "receipt.json", VECTORS / "trust.json"
DOCUMENT = VECTORS / "document.pdf"

#: Cuts the network where the kernel cannot: any socket is an error.
_NO_SOCKETS = """
import socket, sys
def refuse(*_args, **_kwargs):
    raise SystemExit("network used")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the evidence package and `cryptography`, and nothing else of ours."""
    folder = tmp_path_factory.mktemp("alone")
    source = Path(sys.modules["siegelpost.evidence"].__path__[0])
    shutil.copytree(source, folder / "siegelpost" / "evidence")
    site = Path(cryptography.__file__).parent.parent
    for name in ("cryptography", "_cffi_backend*", "cffi"):
        for found in site.glob(name):
            (folder / found.name).symlink_to(found)
    return folder


def _run(alone: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    script = (
        f"{_NO_SOCKETS}\nsys.path.insert(0, {str(alone)!r})\n"
        "from siegelpost.evidence.cli import main\n"
        "code = main()\n"
        "foreign = [name for name in sys.modules if name.split('.')[0] == 'siegelpost'\n"
        "           and name.split('.')[1:2] not in ([], ['evidence'])]\n"
        "assert not foreign, foreign\n"
        "sys.exit(code)\n"
    )
    # -I -S: neither site-packages, nor the environment, nor the current folder.
    command = [sys.executable, "-I", "-S", "-c", script, *map(str, arguments)]
    if _can_unshare():
        command = ["unshare", "--map-root-user", "--net", *command]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=alone, check=False, timeout=60
    )


def _can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--map-root-user", "--net", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def test_golden_receipt_verifies_alone_and_offline(alone: Path) -> None:
    result = _run(alone, "verify", RECEIPT, "--trust", TRUST, "--document", DOCUMENT)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == len(STEPS) + 1
    assert lines[0].startswith(" 1. Quittung lesbar: ")
    assert lines[-1] == (
        "Alle geprüften Schritte sind erfüllt. Nicht geprüft: 13. Zeugen (Die Vertrauensdatei "
        "verlangt keine Zeugen); 14. Zeitstempel (Die Vertrauensdatei nennt keine "
        "Zeitstempelstelle)."
    )


def test_service_is_not_importable_where_the_verifier_runs(alone: Path) -> None:
    script = f"import sys; sys.path.insert(0, {str(alone)!r}); import siegelpost.store"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError" in result.stderr


def test_english_and_json(alone: Path) -> None:
    english = _run(alone, "verify", RECEIPT, "--trust", TRUST, "--lang", "en")
    last = english.stdout.splitlines()[-1]
    assert last.startswith("All steps that were checked hold. Not checked: 13. Witnesses (the ")
    machine = json.loads(_run(alone, "verify", RECEIPT, "--trust", TRUST, "--json").stdout)
    assert machine["holds"] is True
    assert [step["number"] for step in machine["steps"]] == list(STEPS)


def test_failure_exits_with_1_and_explains_itself(alone: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(RECEIPT.read_bytes().replace(b"250 2.0.0 Ok", b"250 2.1.5 Ok"))
    result = _run(alone, "verify", bad, "--trust", TRUST)
    assert result.returncode == 1
    assert result.stderr == "siegelpost: Die Quittung ist nicht in Ordnung: event-not-in-log\n"
    english = _run(alone, "verify", bad, "--trust", TRUST, "--lang=en")
    assert english.stderr == "siegelpost: receipt does not verify: event-not-in-log\n"
    assert " 5. Ereignisse lesbar: ok" in result.stdout
    assert " 6. Ereignisse im Protokoll: NICHT ERFÜLLT" in result.stdout
    assert "Ein Ereignis steht so nicht im Protokoll." in result.stdout
    machine = json.loads(_run(alone, "verify", bad, "--trust", TRUST, "--json").stdout)
    assert (machine["holds"], machine["failure"]["step"]) == (False, 6)
    assert machine["failure"]["evidence"]["proof"]


def test_foreign_document_exits_with_1(alone: Path) -> None:
    result = _run(alone, "verify", RECEIPT, "--trust", TRUST, "--document", TRUST)
    assert result.returncode == 1
    assert f"document-differs ({TRUST})" in result.stderr


def test_a_file_that_is_no_trust_file_says_nothing_about_the_receipt(alone: Path) -> None:
    result = _run(alone, "verify", RECEIPT, "--trust", RECEIPT)
    assert result.returncode == 2
    wanted = f"siegelpost: {RECEIPT} ist keine Vertrauensdatei; der Nachweis wurde nicht geprüft\n"
    assert result.stderr == wanted
    english = _run(alone, "verify", RECEIPT, "--trust", RECEIPT, "--language", "en")
    assert english.stderr == f"siegelpost: {RECEIPT} is no trust file; nothing was verified\n"


def test_exchanged_files_are_told_so(alone: Path) -> None:
    result = _run(alone, "verify", TRUST, "--trust", RECEIPT)
    assert result.returncode == 2
    assert result.stderr == (
        f"siegelpost: {TRUST} ist eine Vertrauensdatei; der Nachweis wurde nicht geprüft "
        "(sind die Dateien vertauscht?)\n"
    )


def test_a_missing_trust_file_is_called_one(alone: Path, tmp_path: Path) -> None:
    missing = tmp_path / "trust.json"
    result = _run(alone, "verify", RECEIPT, "--trust", missing)
    assert result.returncode == 2
    assert f"die Vertrauensdatei {missing} ist nicht lesbar" in result.stderr


def test_unreadable_files_and_wrong_usage_exit_with_2(alone: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    result = _run(alone, "verify", missing, "--trust", TRUST)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"siegelpost: {missing} ist nicht lesbar: die Datei gibt es nicht\n"
    english = _run(alone, "verify", missing, "--trust", TRUST, "--language", "en")
    assert english.stderr == f"siegelpost: cannot read {missing}: no such file or directory\n"
    assert _run(alone, "verify", tmp_path, "--trust", TRUST).returncode == 2
    assert _run(alone, "verify", RECEIPT).returncode == 2
    assert _run(alone).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "de", "en"),
    [
        (("verify",), "es fehlt: FILE, --trust", "arguments are required: FILE, --trust"),
        (("verify", RECEIPT), "es fehlt: --trust", "arguments are required: --trust"),
        (("verify", RECEIPT, "--trust"), "--trust: der Wert fehlt", "expected one argument"),
        (("verify", RECEIPT, "--trust", TRUST, "--at", "bald"),
         "--at: 'bald' ist nicht lesbar", "value: 'bald'"),
        (("verify", RECEIPT, "--trust", TRUST, "--deep"), "unbekannt: --deep", "unrecognized"),
        (("verify", RECEIPT, "--trust", TRUST, "--json=x"),
         "--json: nimmt keinen Wert", "ignored explicit argument"),
        (("prove",), "'prove' statt 'verify', 'verifier'", "invalid choice: 'prove'"),
    ],
)  # fmt: skip
def test_wrong_usage_is_said_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], de: str, en: str
) -> None:
    for language, wanted in (((), de), (("--lang", "en"), en)):
        with pytest.raises(SystemExit) as stopped:
            main([*map(str, arguments), *language])
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        if arguments[-1] == "--trust" and language:
            continue  # there the language's own option is what is missing a value
        assert wanted in said
        assert ("Fehler: " in said, "error: " in said) == (not language, bool(language))


def test_unknown_language_is_said_in_german(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", str(RECEIPT), "--trust", str(TRUST), "--language", "fr"])
    assert "--language/--lang: 'fr' statt 'de', 'en'" in capsys.readouterr().err


def test_times_are_for_people_in_sentences_and_for_machines_in_members(alone: Path) -> None:
    told = _run(alone, "verify", RECEIPT, "--trust", TRUST)
    assert "T0" not in told.stdout.replace("TRUST", "")
    assert re.search(r"Mo, 23\.11\.2026, \d\d:\d\d:\d\d,\d{3} MEZ", told.stdout)
    machine = json.loads(_run(alone, "verify", RECEIPT, "--trust", TRUST, "--json").stdout)
    receipt = parse_receipt(RECEIPT.read_bytes())
    assert machine["made_at"] == format_time(receipt.made_at)
    assert parse_time(machine["accepted_at"]) <= receipt.made_at


def test_questions_that_did_not_come_up_are_neither_held_nor_left_out(alone: Path) -> None:
    def unasked(*documents: object) -> list[str]:
        done = _run(alone, "verify", RECEIPT, "--trust", TRUST, "--json", *documents)
        steps = json.loads(done.stdout)["steps"]
        return [step["name"] for step in steps if not step["asked"]]

    assert STEPS[12][0] in unasked()
    assert STEPS[12][0] not in unasked("--document", DOCUMENT)


def test_where_no_zones_are_installed_times_say_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 7, 1, 12, 0, 0, 5000, tzinfo=UTC)
    assert spoken.exact(moment, "de") == "Mi, 01.07.2026, 14:00:00,005 MESZ"
    assert spoken.exact(moment, "en") == "Wed, 1 Jul 2026, 14:00:00.005 CEST"

    def unknown(name: str) -> ZoneInfo:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr(spoken, "ZoneInfo", unknown)
    monkeypatch.setattr(spoken, "ZONE", spoken._legal_zone())
    assert spoken.exact(moment, "de") == "Mi, 01.07.2026, 12:00:00,005 UTC"


def test_python_m_runs_the_same_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "siegelpost.evidence", "verify", RECEIPT, "--trust", TRUST],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_format_of_receipt_and_trust_file_has_not_changed() -> None:
    assert RECEIPT.read_bytes() == write_receipt(Sample().receipt())
    assert TRUST.read_bytes() == write_trust(sample_trust())
    assert DOCUMENT.read_bytes() == DOCUMENTS[0]
    assert parse_receipt(RECEIPT.read_bytes()) == Sample().receipt()
    assert parse_trust(TRUST.read_bytes()) == sample_trust()
