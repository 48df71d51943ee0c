"""``siegelpost agency erase``: says first, erases on ``--yes``, and leaves nothing in the file."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from typer.testing import CliRunner

from siegelpost.evidence.events import EventType
from siegelpost.evidence.ids import AgencyId
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices.dispatch import dispatch
from siegelpost.notices.erasing import Due, due, erase
from siegelpost.notices.limits import Limits
from siegelpost.notices.request import DispatchRequest
from siegelpost.sealing.covers import Cover
from siegelpost.sealing.manifest import Remedy
from siegelpost.sealing.package import Document
from siegelpost.service.__main__ import app
from siegelpost.service.administration import open_keyring, write_new_installation
from siegelpost.service.errors import ServiceError
from siegelpost.service.object_storage import open_objects
from siegelpost.service.settings import Settings, read_settings
from siegelpost.store import tables
from siegelpost.store.clock import VirtualClock
from siegelpost.store.context import Context
from siegelpost.store.database import SQLITE_BUSY_MILLISECONDS, Database
from siegelpost.store.errors import Conflict, ObjectsUnavailable
from siegelpost.store.events import EventDraft, append_events
from siegelpost.store.log import log_origin
from siegelpost.store.migrate import migrate
from siegelpost.store.object_orphans import FEW
from siegelpost.store.objects import ObjectStorage
from siegelpost.store.sequencer import Sequencer
from siegelpost.store.store import Store
from tests.support.agencies import add_agency, add_citizen
from tests.support.object_stores import all_names, folder_fields, opened
from tests.support.pdfs import make_pdf

LONG_AGO = datetime(2021, 3, 1, 8, tzinfo=UTC)
LINE = "250 2.1.5 erika.musterfrau@beispiel.example genommen"
_alert = tables.core(tables.Alert)
COVER = Cover(
    title="Bewilligung",
    kind="bewilligung",
    what_is_this="Sie bekommen Geld.",
    what_to_do="Bitte prüfen.",
    due_on=None,
    who_helps="Ihr Jobcenter",
    language="de",
)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return write_new_installation(
        tmp_path, origin="post.example.org", public_url="https://post.example.org", now=LONG_AGO
    )


async def fill(read: Settings, notices: int) -> str:
    """An agency with notices of long ago, whose mails were taken; its id."""
    database = Database(read.database.url)
    migrate(database)
    store, keyring = Store(database), open_keyring(read)
    context = Context(
        store=store,
        clock=VirtualClock(LONG_AGO),
        keyring=keyring,
        entropy=os.urandom,
        origin=read.origin,
        objects=open_objects(read.blobs),
    )
    agency = await add_agency(context, keyring)
    citizen = await add_citizen(context, agency)
    for number in range(notices):
        made = await dispatch(
            context,
            Limits(),
            agency.sender,
            DispatchRequest(
                idempotency_key=f"key-{number}",
                enrolment_id=citizen.enrolment_id,
                cover=COVER,
                regime="sgb10-37-2a",
                remedy=Remedy.GIVEN,
                issued_at=LONG_AGO,
                reference=None,
                documents=[
                    Document(name="Bescheid.pdf", media_type="application/pdf", content=make_pdf())
                ],
            ),
        )
        draft = EventDraft(
            type=EventType.ALERT_SENT,
            at=LONG_AGO,
            agency=AgencyId(agency.id),
            notice=made.id,
            mailbox=citizen.mailbox_id,
            actor="service",
            facts={"alert": f"alert-{number}", "reply": [LINE]},
        )
        with database.write() as connection:
            append_events(connection, [draft], entropy=os.urandom)
            connection.execute(_alert.update().values(state="accepted", finished_at=LONG_AGO))
    sequencer = Sequencer(log_origin(read.origin), keyring.signer(KeyPurpose.LOG))
    while await store.write(lambda c: sequencer(c, LONG_AGO)):
        pass
    store.close()
    return str(agency.id)


def run(*words: str, settings: Path) -> str:
    result = CliRunner().invoke(app, ["agency", "erase", *words, "--settings", str(settings)])
    if result.exception is not None:
        raise result.exception
    return result.stdout.strip()


def test_says_what_it_would_erase_and_erases_on_yes(settings: Path) -> None:
    read = read_settings(settings)
    agency = asyncio.run(fill(read, 3))
    words = ("--agency", agency, "--before", "2021-03-02")
    before = run(*words, settings=settings)
    assert before == "to be erased for good, if you add --yes: 3 notices"
    bodies, lines = b"submission-accepted", LINE.encode()
    files = [file for file in settings.parent.rglob("*") if file.is_file()]
    assert any(lines in file.read_bytes() for file in files)
    running = Database(read.database.url)  # as the service would be, which keeps the journal
    with running.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM event")
    assert run(*words, "--yes", settings=settings) == "3 notices erased"
    assert run(*words, "--yes", settings=settings) == "0 notices erased"
    assert run(*words, settings=settings) == "nothing to erase"
    with Database(read.database.url).read() as connection:
        assert not connection.execute(select(tables.core(tables.Notice))).all()
        assert not connection.execute(select(tables.core(tables.Blob))).all()
    # Nor does the file of the database still hold it where its pages are free.
    for file in (file for file in settings.parent.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert lines not in content, file.name
        assert b'"type":"' + bodies not in content, file.name
    running.close()


def test_what_is_deleted_while_erasing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    database = Database(f"sqlite:///{file}")
    secret = os.urandom(64).hex()
    with database.write() as connection:
        # As most builds of SQLite have it; some overwrite always.
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        connection.exec_driver_sql("CREATE TABLE some (id INTEGER PRIMARY KEY, what TEXT)")
        connection.exec_driver_sql("INSERT INTO some (what) VALUES (?), ('other')", (secret,))
    with database.write_erasing() as connection:
        connection.exec_driver_sql("DELETE FROM some WHERE what = ?", (secret,))
    assert database.clear_journal()
    content = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"other" in content
    assert secret.encode() not in content
    database.close()


def test_rows_that_moved_before_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.dbapi2.connect

    def like_most_builds(*words: Any, **others: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*words, **others)
        connection.execute("PRAGMA secure_delete = OFF")
        return connection

    monkeypatch.setattr("sqlite3.dbapi2.connect", like_most_builds)
    database = Database(f"sqlite:///{tmp_path / 'some.db'}")
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE some (body TEXT, leaf INTEGER)")
    for _ in range(20):
        with database.write() as connection:
            rows = [(f"secret {'x' * 600}",)] * 7
            connection.exec_driver_sql("INSERT INTO some (body) VALUES (?)", rows)
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE some SET leaf = 100000 WHERE leaf IS NULL")
    with database.write_erasing() as connection:
        connection.exec_driver_sql("UPDATE some SET body = NULL")
    assert database.clear_journal()
    assert b"secret " not in b"".join(each.read_bytes() for each in tmp_path.iterdir())
    database.close()


def test_who_reads_meanwhile_holds_up_nobody_and_is_told_of(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siegelpost.service.commands.erasing.JOURNAL_PAUSE", 0.001)
    read = read_settings(settings)
    agency = asyncio.run(fill(read, 1))
    words = ("--agency", agency, "--before", "2021-03-02", "--yes")
    backup = Database(read.database.url)
    with backup.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM event")
        begun = time.monotonic()
        result = CliRunner().invoke(app, ["agency", "erase", *words, "--settings", str(settings)])
        # Longer, and writers of the service would have been refused meanwhile.
        assert time.monotonic() - begun < SQLITE_BUSY_MILLISECONDS / 1000 / 2
        assert result.stdout.strip() == "1 notices erased"
        assert "its journal still holds them" in result.stderr
    assert run(*words, settings=settings) == "0 notices erased"
    for file in (file for file in settings.parent.rglob("*") if file.is_file()):
        assert LINE.encode() not in file.read_bytes(), file.name
    backup.close()


def test_each_part_of_many_looks_only_at_its_own(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siegelpost.notices.erasing.BATCH", 1)
    looked: list[object] = []

    def counting(connection: Connection, agency: str, **others: Any) -> Due:
        looked.append(others.get("among"))
        return due(connection, agency, **others)

    monkeypatch.setattr("siegelpost.notices.erasing.due", counting)
    agency = asyncio.run(fill(read_settings(settings), 3))
    said = run("--agency", agency, "--before", "2021-03-02", "--yes", settings=settings)
    assert said == "3 notices erased"
    # All of them once; then each part, which would take as long again, its own.
    first, *others = looked
    assert first is None
    assert [len(among) for among in others if isinstance(among, tuple)] == [1, 1, 1]


def test_what_another_was_faster_with_is_tried_again(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def slower_once(*words: Any, **others: Any) -> Any:
        tried.append(1)
        if len(tried) == 1:
            raise Conflict("another event has taken this place in the chain")
        return erase(*words, **others)

    monkeypatch.setattr("siegelpost.notices.erasing.erase", slower_once)
    agency = asyncio.run(fill(read_settings(settings), 1))
    said = run("--agency", agency, "--before", "2021-03-02", "--yes", settings=settings)
    assert said == "1 notices erased"


def test_who_writes_gets_a_turn_between_two_parts(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service beside the command, whose writers look again after a tenth of a second."""
    monkeypatch.setattr("siegelpost.notices.erasing.BATCH", 1)
    read = read_settings(settings)
    agency = asyncio.run(fill(read, 12))
    done, ended = list[float](), threading.Event()

    def slow(*words: Any, **others: Any) -> Any:
        time.sleep(0.2)
        return erase(*words, **others)

    def write() -> None:
        beside = Database(read.database.url)
        while not ended.is_set():
            begun = time.monotonic()
            with beside.write() as connection:
                connection.execute(_alert.update().values(attempts=1))
            done.append(time.monotonic() - begun)
            time.sleep(0.001)
        beside.close()

    monkeypatch.setattr("siegelpost.notices.erasing.erase", slow)
    writer = threading.Thread(target=write)
    writer.start()
    begun = time.monotonic()
    said = run("--agency", agency, "--before", "2021-03-02", "--yes", settings=settings)
    took = time.monotonic() - begun
    ended.set()
    writer.join()
    assert said == "12 notices erased"
    # A part or two of the twelve, if one is begun while the writer sleeps.
    assert max(done) < took / 3, done


def test_objects_of_erased_notices_are_removed_however_many(settings: Path, tmp_path: Path) -> None:
    storage = use_objects(settings, tmp_path / "objects")
    # Of so many, the sweep would take none.
    agency = asyncio.run(fill(read_settings(settings), FEW + 1))
    assert len(all_names(storage)) == FEW + 1
    words = ("--agency", agency, "--before", "2021-03-02", "--yes")
    assert run(*words, settings=settings) == f"{FEW + 1} notices erased"
    assert all_names(storage) == []


def test_objects_that_could_not_be_removed_are_named(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = use_objects(settings, tmp_path / "objects")
    agency = asyncio.run(fill(read_settings(settings), 1))
    words = ["--agency", agency, "--before", "2021-03-02", "--yes", "--settings", str(settings)]

    def away(*_: object) -> None:
        raise ObjectsUnavailable("object storage failed")

    monkeypatch.setattr(ObjectStorage, "delete_now", away)
    result = CliRunner().invoke(app, ["agency", "erase", *words])
    assert isinstance(result.exception, ObjectsUnavailable)
    (name,) = all_names(storage)
    assert f"object {name} may be left" in result.stderr


def test_nothing_is_erased_while_object_storage_is_away(settings: Path, tmp_path: Path) -> None:
    use_objects(settings, tmp_path / "objects")
    agency = asyncio.run(fill(read_settings(settings), 1))
    shutil.rmtree(tmp_path / "objects")
    words = ("--agency", agency, "--before", "2021-03-02")
    with pytest.raises(ObjectsUnavailable):
        run(*words, "--yes", settings=settings)
    assert "if you add --yes: 1 notices" in run(*words, settings=settings)


def use_objects(settings: Path, folder: Path) -> ObjectStorage:
    """Let an installation keep all packages in a folder of objects."""
    fields = folder_fields(folder)
    with settings.open("a") as file:
        file.write(f'\n[blobs]\nurl = "{fields["url"]}"\ndatabase_limit_bytes = 0\n')
    return opened(fields)


@pytest.mark.parametrize(
    ("agency", "before", "said"),
    [
        ("nobody", "2021-03-02", "no agency nobody; `siegelpost agency list` shows them"),
        ("nobody", "gestern", "--before: 'gestern' is no day like 2024-01-31"),
    ],
)
def test_what_it_cannot_know_is_said(settings: Path, agency: str, before: str, said: str) -> None:
    with pytest.raises(ServiceError, match=said.replace("`", ".")):
        run("--agency", agency, "--before", before, settings=settings)
