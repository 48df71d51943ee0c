"""The commands of docs/operations.md: a backup of the running service, restored, is whole."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from siegelpost.service.demo.citizen import Citizen
from tests.support.object_stores import folder_fields, segment_fields, use_objects
from tests.support.pdfs import make_pdf, make_text_pdf
from tests.support.postgres import Server
from tests.support.service import prepared_service
from tests.support.service_load import Senders
from tests.support.service_values import eventually

ROOT = Path(__file__).resolve().parents[3]
HANDBOOK = (ROOT / "docs" / "operations.md").read_text()
#: Goes into an object.
LARGE = make_text_pdf(400_000)

pytestmark = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("sqlite", folder_fields),
        ("postgresql", folder_fields),
        ("sqlite", segment_fields),  # they grow while they are copied
    ],
)
def test_backup_under_load_restores_whole(
    kind: str,
    fields: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    name, database = f"backup_{uuid.uuid4().hex}", "sqlite:///siegelpost.db"
    server: Server | None = None
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        database = server.create(name)
    house, objects, backup = tmp_path / "house", tmp_path / "objects", tmp_path / "backup"
    backup.mkdir()
    with prepared_service(house, database) as service:
        use_objects(service, fields(objects))
        service.start()
        places = {
            "DATA": str(house),
            "OBJECTS": str(objects),
            "BACKUP": str(backup),
            "DATABASE": database.replace("+psycopg", ""),
            "PATH": _path(server),
        }
        alice = service.activate("Alice Beispiel")
        kept = service.dispatch(alice.id, LARGE)
        receipt = service.receipt(kept["id"])
        senders = Senders(service=service, enrolments=[alice.id], count=2)
        senders.start()
        eventually(lambda: len(senders.answered) >= 5, "no dispatch was answered")
        _run(f"backup {kind}", places)
        senders.finish()
        # What a crash would leave beside the old database, and the new one must not read.
        journal = house / "siegelpost.db-wal"
        left = journal.read_bytes() if kind == "sqlite" else b""
        service.stop()

        for file in [objects, *house.glob("siegelpost.db*"), house / "keyring.json"]:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        if server is not None:
            server.drop(name)
            server.create(name)
        if left:
            journal.write_bytes(left)
        said = _run(f"restore {kind}", places)
        assert len(left) == 0 or _count(backup) == _count(house)
        assert "the log and the store are consistent" in said

        # For looking only: its log has been seen further than the backup reaches.
        service.start()
        service.verify(receipt, LARGE)
        service.verify(service.receipt(kept["id"]), LARGE)
        service.dispatch(alice.id, make_pdf("after"))

        async def read(citizen: Citizen) -> bytes:
            await citizen.inbox()
            opened = await citizen.open(kept["id"])
            return bytes(opened.package.documents[0].content)

        assert service.as_citizen(alice, read) == LARGE
    if server is not None:
        server.drop(name)


def test_restoring_without_the_objects_is_found_out(tmp_path: Path) -> None:
    house, objects, backup = tmp_path / "house", tmp_path / "objects", tmp_path / "backup"
    backup.mkdir()
    places = {"DATA": str(house), "OBJECTS": str(objects), "BACKUP": str(backup)}
    with prepared_service(house) as service:
        use_objects(service, folder_fields(objects))
        service.start()
        alice = service.activate("Alice Beispiel")
        kept = service.dispatch(alice.id, LARGE)
        service.stop()
        _run("backup sqlite", {**places, "PATH": _path(None)})
        objects.rename(tmp_path / "lost")
        objects.mkdir()
        found = [str(finding) for finding in service.findings()]
        assert len(found) == 1
        assert kept["id"] in found[0]
        assert "missing" in found[0]
        objects.rmdir()
        (backup / "objects").rename(objects)


def _count(folder: Path) -> int:
    """Events in a database, which is only looked at."""
    with closing(sqlite3.connect(f"file:{folder / 'siegelpost.db'}?mode=ro", uri=True)) as opened:
        return int(opened.execute("SELECT count(*) FROM event").fetchone()[0])


def _path(server: Server | None) -> str:
    """Where the handbook's programs are: ours, and those of the server's version."""
    programs = [str(Path(sys.executable).parent)]
    if server is not None:
        programs.append(str(server.programs))
    return os.pathsep.join([*programs, os.environ["PATH"]])


def _run(block: str, places: dict[str, str]) -> str:
    """Run the handbook's commands of this name; returns what they print."""
    found = re.search(rf"<!-- {block} -->\n```sh\n(.*?)```", HANDBOOK, flags=re.DOTALL)
    assert found is not None, block
    done = subprocess.run(
        ["sh", "-euc", found[1]], env={**os.environ, **places}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
