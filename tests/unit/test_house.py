"""Rules of the house that no other tool holds (DESIGN section 2)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
SOURCES = ("crypto", "mailbox", "notifier")
#: A file may be longer if its first lines say why.
LONGEST = 400
#: How many lines are the first ones.
_FIRST = 15
_REASON = re.compile(r"Longer than others: ")


@pytest.mark.parametrize("source", SOURCES)
def test_namespace_folders_have_no_init(source: str) -> None:
    assert (HOUSE / source / "siegelpost").is_dir()
    assert not (HOUSE / source / "__init__.py").exists()
    assert not (HOUSE / source / "siegelpost" / "__init__.py").exists()


@pytest.mark.parametrize("source", SOURCES)
def test_packages_have_an_init_with_a_docstring(source: str) -> None:
    for package in (HOUSE / source / "siegelpost").iterdir():
        if package.is_dir() and any(package.glob("*.py")):
            assert (package / "__init__.py").read_text().lstrip().startswith('"""'), package


def test_standard_librarys_mailbox_is_importable_from_the_root() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import mailbox; print(mailbox.Maildir.__module__)"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "mailbox"


def test_long_files_say_why() -> None:
    silent = [
        f"{file.relative_to(HOUSE)}: {len(lines)} lines"
        for file in _files()
        if len(lines := file.read_text().splitlines()) > LONGEST
        and not _REASON.search("\n".join(lines[:_FIRST]))
    ]
    assert silent == []


def test_imports_point_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--config", "pyproject.toml", "--no-cache"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_locks_fit_and_hold_no_address() -> None:
    done = subprocess.run(
        [sys.executable, HOUSE / "config" / "setup" / "check_locks.py"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for lock in HOUSE.glob("*/**/package-lock.json"):
        if "node_modules" not in lock.parts:
            assert '"resolved"' not in lock.read_text(), lock


def _files() -> Iterator[Path]:
    for folder in (*SOURCES, "tests", "config"):
        for file in (HOUSE / folder).rglob("*"):
            if file.suffix in (".py", ".js", ".mjs") and not {
                "node_modules", "vendor", "__pycache__"
            } & set(file.parts):  # fmt: skip
                yield file
