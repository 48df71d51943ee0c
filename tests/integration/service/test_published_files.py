"""A swapped script leaves a trace: the audit names the file, or the log shows when it changed.

The whole service as a process, run from a copy of the program that a hostile operator may change.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from siegelpost.evidence.assets import read_publications
from siegelpost.evidence.trust import parse_trust
from siegelpost.portal.assets import OWN_FILES, Assets
from siegelpost.service.administration import open_keyring
from siegelpost.service.outsiders import whole_trust_file
from siegelpost.service.settings import read_settings
from siegelpost.store.assets import published_assets
from tests.support.forked import command
from tests.support.service import Service, prepared_service

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A service whose program is a copy, and an auditor with a memory."""

    service: Service
    program: Path
    trust: Path
    before: dict[Path, bytes] = field(default_factory=dict)

    def restart(self) -> None:
        """Run the program as it is now."""
        self.service.stop()
        path = str(self.program / "mailbox")
        self.service.start(real=True, environment={"PYTHONPATH": path})

    def swap(self, name: str) -> None:
        """Change one file of the program, as whoever runs it can."""
        file = self.program / "mailbox" / "siegelpost" / "portal" / "static" / name
        self.before.setdefault(file, file.read_bytes())
        file.write_bytes(self.before[file] + b"\n// sends what it reads to somebody\n")

    def silence(self) -> None:
        """Make the program publish nothing any more."""
        file = self.program / "mailbox" / "siegelpost" / "service" / "publishing.py"
        source = file.read_text()
        self.before.setdefault(file, source.encode())
        done = source.replace("await write_on(context, work)", "False")
        assert done != source
        file.write_text(done)

    def audit(self, *, expected: int = 0) -> str:
        """What ``siegelpost audit`` says: an outsider's, not of the copy."""
        state = self.trust.with_name("audit.json")
        done = command(
            *("audit", f"{self.service.url}/log", "--trust", str(self.trust)),
            *("--state", str(state)),
        )
        said = done.stdout + done.stderr
        assert done.returncode == expected, said
        return said


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A running service from a copy of the program."""
    folder = tmp_path_factory.mktemp("published")
    for name in ("mailbox", "templates"):
        shutil.copytree(ROOT / name, folder / "program" / name)
    with prepared_service(folder / "service") as service:
        house = Watched(service=service, program=folder / "program", trust=folder / "trust.json")
        settings = read_settings(service.installation.settings)
        house.trust.write_bytes(whole_trust_file(settings, open_keyring(settings)))
        house.restart()
        yield house


@pytest.fixture
def watched(house: Watched, tmp_path: Path) -> Iterator[Watched]:
    """It, and an auditor who remembers nothing yet; what was changed is put back at the end."""
    trust = tmp_path / "trust.json"
    shutil.copy(house.trust, trust)
    watched = Watched(service=house.service, program=house.program, trust=trust)
    yield watched
    for file, content in watched.before.items():
        file.write_bytes(content)


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


def test_swapped_script_without_a_trace_in_the_log_is_named(watched: Watched) -> None:
    watched.audit()
    watched.swap("session.js")
    watched.silence()
    watched.restart()
    said = watched.audit(expected=1)
    assert "file-differs: /static/session.js is not the file that the log names" in said
    assert "page-differs: /login: it loads /static/session.js without the digest" in said
    assert "/static/api.js" not in said
