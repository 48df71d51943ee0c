"""No title, text or file name of a notice ever rests on a disk (DESIGN section 1, promise 2).

A whole story is played with marked notices: dispatched, refused, retrieved, acknowledged.
Then every place where bytes stay is searched, and every byte that the service wrote on the way.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen
from tests.support.object_stores import folder_fields, segment_fields, use_objects
from tests.support.pdfs import make_pdf, make_text_pdf
from tests.support.plaintext import binary_forms, forms, search
from tests.support.postgres import running_server
from tests.support.service import Service, prepared_service
from tests.support.service_values import eventually, notice
from tests.support.traces import Write, tracer, writes

#: What may not be found, in any form: it stands in every text.
_MARK = secrets.token_hex(8)
TEXTS = {
    "title": f"Überprüfungsmaßnahme-{_MARK}-Titel",
    "what it is": f"Rückforderung-{_MARK}-Inhalt",
    "what to do": f"Größenprüfung-{_MARK}-Handlung",
    "file reference": f"Äquivalenz-{_MARK}-Zeichen",
    "file name": f"Ablehnung-Härtefall-{_MARK}-Datei",
    "text": f"Bedürftigkeit-{_MARK}-Wortlaut",
}
#: A notice as large as this passes, in bytes.
LARGE = 5_000_000
#: Distance between samples of the large document that are searched for, and their length.
_EVERY, _SAMPLE = 64 * 1024, 24


#: Where large packages lie: the day, the notice and randomness; or segments of a day.
_OBJECT = re.compile(r"/objects/\d{8}(/[0-9a-f-]{36}\.package\.[0-9a-f]{32}|-[0-9a-f]{32}\.seg)$")


@dataclass(frozen=True, kw_only=True)
class Played:
    """A story that has been played to its end."""

    #: files and folders where something may have stayed
    places: tuple[Path, ...]
    #: of its own; empty at the end if it is clean
    temporary: Path
    #: what the letterbox received
    mails: tuple[bytes, ...]
    #: receipts that were handed out
    receipts: tuple[bytes, ...]
    #: forms of everything secret, by name
    wanted: tuple[tuple[str, bytes], ...]
    #: everything that the service wrote to files, or why it isn't known
    written: tuple[Write, ...] | str


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "objects", "segments"])
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """The story, on each database, and with large packages apart in a folder of either kind."""
    folder = tmp_path_factory.mktemp(f"plaintext-{request.param}")
    if request.param != "postgresql":
        kinds = {"objects": folder_fields, "segments": segment_fields}
        fields = kinds.get(request.param)
        apart = None if fields is None else fields(folder / "objects")
        places = (folder / "objects",) if apart else ()
        yield _play(folder, "sqlite:///siegelpost.db", places, apart)
        return
    # A server of its own: all of its files are searched, and other tests' would be many.
    with running_server(durable=True) as server:
        played = _play(folder, server.create("plaintext"), (server.folder,))
        with psycopg.connect(
            host="127.0.0.1", port=server.port, user="siegelpost", dbname="plaintext"
        ) as connection:
            connection.autocommit = True
            connection.execute("CHECKPOINT")  # what is in memory reaches the files
        yield played


def test_nothing_readable_rests_anywhere(played: Played) -> None:
    searched = 0
    for file in _files(played.places):
        data = file.read_bytes()
        searched += len(data)
        assert list(search(data, played.wanted)) == [], file
    assert searched > LARGE, "the sealed notice itself was not among what was searched"


def test_mails_and_receipts_hold_nothing_readable(played: Played) -> None:
    assert len(played.mails) >= 3
    for data in (*played.mails, *played.receipts):
        assert list(search(data, played.wanted)) == []


def test_temporary_folder_stays_empty(played: Played) -> None:
    assert list(played.temporary.rglob("*")) == []


def test_no_readable_byte_was_ever_written_to_a_file(played: Played) -> None:
    written = _known(played)
    sizes: dict[str, int] = {}
    for write in written:
        if write.data is not None:
            assert list(search(write.data, played.wanted)) == [], write.path
            sizes[write.path] = sizes.get(write.path, 0) + len(write.data)
    assert any(path.endswith("service.log") for path in sizes), "the trace saw nothing"
    if any(path.endswith("siegelpost.db-wal") for path in sizes):
        # Here, or as an object.
        assert max(sizes.values()) > LARGE, "the trace missed the sealed notice"


def test_service_writes_only_to_its_database_and_its_log(played: Played) -> None:
    allowed = ("siegelpost.db", "siegelpost.db-wal", "siegelpost.db-shm", "service.log")
    strange = {
        (write.path, write.unlinked)
        for write in _known(played)
        if write.unlinked
        or not (Path(write.path).name in allowed or _OBJECT.search(write.path) is not None)
        # On a fresh checkout Python keeps our compiled modules.
        if Path(write.path).parent.name != "__pycache__"
    }
    assert strange == set()


@pytest.mark.parametrize("name", sorted(forms(TEXTS["title"])))
def test_search_finds_a_planted_text_in_every_form(name: str) -> None:
    noise = secrets.token_bytes(5000)
    for text in TEXTS.values():
        planted = forms(text).get(name, text.encode())
        assert list(search(noise + planted + noise, forms(_MARK).items()))


def test_search_looks_into_packed_streams() -> None:
    pdf = make_text_pdf(20_000, mark=TEXTS["text"])
    assert TEXTS["text"].encode("latin-1") not in pdf
    assert "packed: latin-1" in list(search(pdf, forms(TEXTS["text"]).items()))


def test_trace_sees_what_goes_into_unlinked_files(tmp_path: Path) -> None:
    program = """
import mmap, os, sys, tempfile
with tempfile.TemporaryFile() as nameless:
    nameless.write(b"nameless-marker")
fd, path = tempfile.mkstemp()
os.unlink(path)
os.writev(fd, [b"unlinked-", b"marker"])
mmap.mmap(fd, 8)[0:8] = b"by map.."
os.write(os.pipe()[1], b"a pipe is no file")
"""
    trace = tmp_path / "trace"
    prefix = _tracer_or_skip(trace)
    subprocess.run([*prefix, sys.executable, "-c", program], check=True, timeout=60)
    eventually(lambda: len(list(writes(trace))) >= 3, "the trace is not complete")
    found = {(write.data, write.unlinked) for write in writes(trace)}
    assert {(b"nameless-marker", True), (b"unlinked-marker", True), (None, True)} <= found
    assert not any(b"pipe" in (data or b"") for data, _ in found)


def _play(
    folder: Path,
    database: str,
    places: tuple[Path, ...],
    apart: dict[str, Any] | None = None,
) -> Played:
    temporary, trace = folder / "tmp", folder / "trace"
    temporary.mkdir()
    house = folder / "house"
    try:
        prefix, why_not = tracer(trace), ""
    except RuntimeError as error:
        prefix, why_not = [], str(error)
    large = _large()
    with prepared_service(house, database) as service:
        if apart is not None:
            use_objects(service, apart, limit=LARGE // 2)
        service.start(prefix=prefix, environment={"TMPDIR": str(temporary)})
        receipts = _story(service, large)
        eventually(lambda: len(service.letterbox.letters) >= 3, "alerts are missing")
        mails = tuple(letter.raw for letter in service.letterbox.letters)
        pid = service.pid
        # Killed: the write-ahead log stays, as after a power cut.
        service.kill()
    if prefix:
        eventually(lambda: _ended(trace, pid), "the trace has no end")
    return Played(
        places=(house, temporary, *places),
        temporary=temporary,
        mails=mails,
        receipts=receipts,
        wanted=tuple(_wanted(large)),
        written=tuple(writes(trace)) if prefix else why_not,
    )


@cache
def _large() -> bytes:
    return make_text_pdf(LARGE, mark=TEXTS["text"])


def _story(service: Service, large: bytes) -> tuple[bytes, ...]:
    alice = service.activate("Alice Beispiel")
    call = notice(alice.id, title=TEXTS["title"])
    call["cover"] |= {"what_is_this": TEXTS["what it is"], "what_to_do": TEXTS["what to do"]}
    call["reference"] = TEXTS["file reference"]
    small = make_pdf(TEXTS["text"])
    name = TEXTS["file name"]
    sent = [service.agency.dispatch(call, [(f"{name}.pdf", pdf)])["id"] for pdf in (small, large)]
    broken = dict(call, remedy=TEXTS["title"])
    too_long = json.loads(json.dumps(call))
    too_long["cover"]["title"] = TEXTS["title"] * 50
    for refused_call, document in (
        (call, small[:-200]),
        (call, TEXTS["text"].encode() * 10),
        (broken, small),
        (too_long, small),
        (dict(call, **{TEXTS["title"]: 1}), small),
        (dict(call, enrolment=TEXTS["title"]), small),
    ):
        with pytest.raises(Refused):
            service.agency.dispatch(refused_call, [(f"{name}.pdf", document)])

    async def read(citizen: Citizen) -> None:
        for line in await citizen.inbox():
            assert line.cover.title == TEXTS["title"]
            await citizen.acknowledge(await citizen.open(line.id))

    service.as_citizen(alice, read)
    return tuple(service.receipt(notice_id) for notice_id in sent)


def _wanted(large: bytes) -> Iterator[tuple[str, bytes]]:
    yield from ((f"mark as {name}", form) for name, form in forms(_MARK).items())
    for start in range(0, len(large) - _SAMPLE, _EVERY):
        yield f"document at {start}", large[start : start + _SAMPLE]
    yield from binary_forms("document", large[LARGE // 2 :][:_SAMPLE]).items()


def _files(places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        yield from (file for file in place.rglob("*") if file.is_file())


def _ended(trace: Path, pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() and trace.stat().st_size > 0


def _known(played: Played) -> tuple[Write, ...]:
    if isinstance(played.written, str):
        pytest.skip(played.written)
    return played.written


def _tracer_or_skip(trace: Path) -> list[str]:
    try:
        return tracer(trace)
    except RuntimeError as error:
        pytest.skip(str(error))
