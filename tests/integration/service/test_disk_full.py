"""A full disk under SQLite: the dispatch fails, nothing is half-written, and it goes on later."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from siegelpost.evidence.ids import NoticeId
from siegelpost.sealing.package import Document
from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen
from siegelpost.service.demo.reply_story import take_replies
from siegelpost.service.demo.replying import MadeReply, agree_to_send
from siegelpost.store import tables
from tests.support.pdfs import make_text_pdf
from tests.support.replies import Sender
from tests.support.service import Service, service_in
from tests.support.service_values import eventually

#: Size of the small disk in bytes.
DISK = 16 << 20

_alert = tables.core(tables.Alert)
_blob = tables.core(tables.Blob)
_notice = tables.core(tables.Notice)
_reply = tables.core(tables.Reply)


def test_dispatch_fails_clean_on_a_full_disk_that_also_holds_the_log(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk") as disk, service_in(disk / "house") as service:
        ballast = disk / "ballast"

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    pass

        _fails_and_recovers(service, fill, ballast.unlink)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit (Linux)")
def test_dispatch_fails_clean_where_files_may_not_grow(tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        usual = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)

        def fill() -> None:
            largest = max(file.stat().st_size for file in tmp_path.glob("siegelpost.db*"))
            resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (largest, usual[1]))

        _fails_and_recovers(
            service, fill, lambda: resource.prlimit(service.pid, resource.RLIMIT_FSIZE, usual)
        )


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit (Linux)")
def test_reply_fails_clean_and_the_very_same_goes_through_later(tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        take_replies(service.installation)
        alice = service.activate("Alice Beispiel")
        notice = NoticeId(service.dispatch(alice.id, make_text_pdf(20_000))["id"])
        usual = resource.prlimit(service.pid, resource.RLIMIT_FSIZE)
        scan = Document(
            name="Scan.pdf", media_type="application/pdf", content=make_text_pdf(4_000_000)
        )

        def stop_growing() -> None:
            largest = max(file.stat().st_size for file in tmp_path.glob("siegelpost.db*"))
            resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (largest, usual[1]))

        async def visit(citizen: Citizen) -> MadeReply:
            await agree_to_send(citizen, alice.id)
            sender = Sender(who=citizen, notice=notice)
            made = await sender.make(files=[scan])
            stop_growing()
            try:
                before = _rows(service)
                assert await sender.refused(made) == (503, "unavailable")
                assert _rows(service) == before, "something is half-written"
            finally:
                resource.prlimit(service.pid, resource.RLIMIT_FSIZE, usual)
            await sender.send(made)
            assert [each["id"] for each in await sender.sent()] == [made.said.reply]
            return made

        made = service.as_citizen(alice, visit)
        with service.tables() as connection:
            assert connection.scalars(select(_reply.c.id)).all() == [made.said.reply]


def _fails_and_recovers(
    service: Service, fill: Callable[[], None], make_room: Callable[[], object]
) -> None:
    alice = service.activate("Alice Beispiel")
    first = service.dispatch(alice.id, make_text_pdf(200_000))
    eventually(lambda: _alerts_open(service) == 0, "the first alert is still waiting")
    before = _rows(service)
    fill()

    for number in range(3):
        with pytest.raises(Refused) as refused:
            service.dispatch(alice.id, make_text_pdf(1_500_000), idempotency_key=f"full-{number}")
        assert refused.value.status in (503, 507)
        assert refused.value.problem["type"] == "urn:siegelpost:problem:unavailable"
    assert httpx2.get(f"{service.url}/livez", timeout=30).status_code == 200
    assert service.agency.notice(first["id"])["state"] == "provided", "reading needs no room"
    assert _rows(service) == before, "something is half-written"

    make_room()
    answers = [
        service.dispatch(alice.id, make_text_pdf(1_500_000), idempotency_key=f"full-{number}")
        for number in range(3)
    ]
    assert _rows(service)[0] == before[0] + 3
    eventually(lambda: _alerts_open(service) == 0, "alerts are still waiting")
    service.verify(service.receipt(answers[0]["id"]), make_text_pdf(1_500_000))


def _rows(service: Service) -> tuple[int, ...]:
    with service.tables() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (_notice, _blob, _alert, _reply)
        )


def _alerts_open(service: Service) -> int:
    with service.tables() as connection:
        open_ones = select(_alert.c.id).where(_alert.c.finished_at.is_(None))
        return len(connection.execute(open_ones).all())


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
