"""The built wheel, outside of the checkout: the verifier alone and offline, and the whole service.

Two places: one with the wheel and `cryptography` alone, as a court would have it, and one with all
dependencies of the service.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.test_house import HOUSE

#: What a verifier needs besides the wheel.
NEEDED = ("cryptography", "cffi", "pycparser", "_cffi_backend*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what is needed for building."""
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    for name in ("crypto", "mailbox", "notifier", "templates"):
        shutil.copytree(HOUSE / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, source / name)
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target], cwd=source)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def court(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of a place where only the verifier is installed."""
    folder = tmp_path_factory.mktemp("court")
    needed = folder / "needed"
    needed.mkdir()
    for pattern in NEEDED:
        for found in _site_packages().glob(pattern):
            (needed / found.name).symlink_to(found)
    return _install(wheel, folder / "venv", needed)


@pytest.fixture(scope="module")
def office(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of a place where the service is installed from the wheel."""
    # A path in a .pth file brings its modules, but not the editable install of the checkout.
    return _install(wheel, tmp_path_factory.mktemp("office") / "venv", _site_packages())


@pytest.fixture(scope="module")
def demo(office: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that the installed wheel has played, started from an empty folder."""
    folder = tmp_path_factory.mktemp("empty")
    place = _run([office / "python", "-c", "import siegelpost.service as s; print(s.__file__)"])
    assert str(office.parent) in place.stdout, "the checkout was imported"
    told = _run([office / "siegelpost", "demo", "demo", "--once", "--port", "0"], cwd=folder)
    assert "all of it holds" in told.stdout
    return folder / "demo"


def test_wheel_holds_templates_pages_and_migrations(wheel: Path) -> None:
    listed = _run([sys.executable, "-m", "zipfile", "-l", wheel]).stdout
    for part in (
        "siegelpost/templates/mail/alert/subject.txt",
        "siegelpost/templates/pages/start.html",
        "siegelpost/portal/static/",
        "siegelpost/store/migrations/versions/0001",
        "siegelpost/service/demo/notice.typ",
    ):
        assert part in listed
    assert "tests/" not in listed
    assert "siegelpost/__init__.py" not in listed


def test_service_is_absent_where_only_the_verifier_is_installed(court: Path) -> None:
    for name in ("typer", "fastapi", "sqlalchemy", "pydantic", "httpx2"):
        done = _run([court / "python", "-c", f"import {name}"], check=False)
        assert "ModuleNotFoundError" in done.stderr, name


def test_receipts_of_the_demo_verify_alone_with_the_network_cut_off(
    court: Path, demo: Path
) -> None:
    receipts = sorted(demo.glob("receipt-*.json"))
    assert len(receipts) == 4
    for receipt in receipts:
        command: list[str | Path] = [
            court / "siegelpost",
            "verify",
            receipt,
            "--trust",
            demo / "trust.json",
        ]
        if "agency" in receipt.name:
            command += ["--document", demo / "document.pdf"]
        done = _run([*_offline(), *command], cwd=court)
        last = done.stdout.splitlines()[-1]
        assert last.startswith("Alle geprüften Schritte sind erfüllt. Nicht geprüft: ")


def test_altered_receipt_fails_there_too(court: Path, demo: Path, tmp_path: Path) -> None:
    receipt = next(demo.glob("receipt-agency-*.json")).read_text()
    altered = tmp_path / "altered.json"
    altered.write_text(receipt.replace("sgb10-37-2a", "sgb10-37-2b"))
    assert altered.read_text() != receipt
    command: list[str | Path] = [
        court / "siegelpost",
        "verify",
        altered,
        "--trust",
        demo / "trust.json",
    ]
    done = _run([*_offline(), *command], check=False)
    assert done.returncode == 1
    assert "NICHT ERFÜLLT" in done.stdout + done.stderr


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["fsck"], ["--help"], []])
def test_other_commands_say_in_one_line_that_only_the_verifier_is_installed(
    court: Path, command: list[str], tmp_path: Path
) -> None:
    done = _run([court / "siegelpost", *command], check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("siegelpost: only the verifier is installed")
    assert list(tmp_path.iterdir()) == []


def _install(wheel: Path, folder: Path, path: Path) -> Path:
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    _run(
        [
            sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet",
            "--disable-pip-version-check", "--no-index", "--no-deps", wheel,
        ]
    )  # fmt: skip
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(f"{path}\n")
    return programs


def _site_packages() -> Path:
    return Path(sysconfig.get_path("platlib"))


def _offline() -> list[str]:
    cut = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"]).returncode != 0:
        print("unshare is not permitted here: the network stays on")
        return []
    return cut


def _run(
    command: Sequence[str | Path], *, cwd: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"},
    )
    assert not check or done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return done
