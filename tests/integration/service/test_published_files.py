"""A swapped script leaves a trace: the audit names the file, or the log shows when it changed.

The whole service as a process, run from a copy of the program that a hostile operator may change.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from siegelpost.evidence.assets import read_publications
from siegelpost.evidence.trust import parse_trust
from siegelpost.portal.assets import OWN_FILES, Assets
from siegelpost.service.administration import open_keyring
from siegelpost.service.outsiders import whole_trust_file
from siegelpost.service.settings import read_settings
from siegelpost.store.assets import published_assets
from tests.support.service import Service, prepared_service

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A service whose program is a copy, and an auditor with a memory."""

    service: Service
    program: Path
    trust: Path

    def restart(self) -> None:
        """Run the program as it is now."""
        self.service.stop()
        path = str(self.program / "mailbox")
        self.service.start(real=True, environment={"PYTHONPATH": path})

    def swap(self, name: str) -> None:
        """Change one file of the program, as whoever runs it can."""
        file = self.program / "mailbox" / "siegelpost" / "portal" / "static" / name
        file.write_bytes(file.read_bytes() + b"\n// sends what it reads to somebody\n")

    def silence(self) -> None:
        """Make the program publish nothing any more."""
        file = self.program / "mailbox" / "siegelpost" / "service" / "publishing.py"
        source = file.read_text()
        done = source.replace("await write_on(context, work)", "False")
        assert done != source
        file.write_text(done)

    def audit(self, *, expected: int = 0) -> str:
        """What ``siegelpost audit`` says, run as an outsider runs it."""
        state = self.trust.with_name("audit.json")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "siegelpost.service", "audit", f"{self.service.url}/log"),
                *("--trust", str(self.trust), "--state", str(state)),
            ],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == expected, said
        return said


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A running service from a copy of the program."""
    program = tmp_path / "program"
    for name in ("mailbox", "templates"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, program / name, ignore=ignored)
    with prepared_service(tmp_path / "service") as service:
        settings = read_settings(service.installation.settings)
        trust = tmp_path / "trust.json"
        trust.write_bytes(whole_trust_file(settings, open_keyring(settings)))
        watched = Watched(service=service, program=program, trust=trust)
        watched.restart()
        yield watched


def test_files_are_those_of_the_log_and_a_restart_publishes_nothing_new(watched: Watched) -> None:
    first = watched.audit()
    files = Assets(OWN_FILES).digests()
    assert f"files: {len(files)} files as published on" in first
    assert "seen for the first time" in first
    watched.restart()
    again = watched.audit()
    assert "changed" not in again
    with watched.service.tables() as connection:
        data = published_assets(connection)
    assert data is not None
    [only] = read_publications(data, parse_trust(watched.trust.read_bytes()))
    assert only.files == files


def test_swapped_script_without_a_trace_in_the_log_is_named(watched: Watched) -> None:
    watched.audit()
    watched.swap("session.js")
    watched.silence()
    watched.restart()
    said = watched.audit(expected=1)
    assert "file-differs: /static/session.js is not the file that the log names" in said
    assert "page-differs: /login: it loads /static/session.js without the digest" in said
    assert "/static/api.js" not in said


def test_swapped_script_with_a_swapped_publication_stays_visible_for_ever(
    watched: Watched,
) -> None:
    watched.audit()
    original = watched.program / "mailbox" / "siegelpost" / "portal" / "static" / "session.js"
    good = original.read_bytes()
    watched.swap("session.js")
    watched.restart()
    original.write_bytes(good)
    watched.restart()
    # Back to the old file, but the swap and its times are in the log.
    said = watched.audit()
    assert "changed since the last look:" in said
    assert said.count(": /static/session.js") == 2
