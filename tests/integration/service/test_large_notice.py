"""A notice of 25 MB passes within 150 MiB; clients that break off in the middle leave nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from siegelpost.notices.limits import Limits
from siegelpost.service.demo.citizen import Citizen
from siegelpost.store import tables
from tests.support.dispatches import BOUNDARY, dispatch_body
from tests.support.pdfs import make_pdf
from tests.support.service import SQLITE, Service, service_in
from tests.support.service_values import notice

#: Most memory that a large notice may take above the idle service, in bytes.
BOUND = 150 << 20

#: How often clients break off.
ROUNDS = 5

_notice = tables.core(tables.Notice)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc (Linux)"
)


@pytest.fixture
def service(tmp_path: Path, service_database: str) -> Iterator[Service]:
    """A service of its own: another test's peak would hide this one's."""
    real = service_database == SQLITE  # once as people start it
    with service_in(tmp_path, service_database, real=real) as service:
        yield service


def test_25_mb_pass_within_150_mib_and_broken_ones_leave_nothing(service: Service) -> None:
    alice = service.activate("Alice Beispiel")
    service.dispatch(alice.id, make_pdf("warm"))
    service.as_citizen(alice, _read_newest)
    idle = _memory(service, "VmRSS")

    large = _scan(Limits().document_bytes - 1000)
    service.dispatch(alice.id, large)
    assert service.as_citizen(alice, _read_newest) == large
    peak = _memory(service, "VmHWM")
    print(f"idle {idle >> 20} MiB, peak {peak >> 20} MiB")
    assert peak - idle < BOUND

    for _ in range(ROUNDS):
        _break_off(service, alice.id, large)
    assert _notices(service) == 2
    # Kept buffers would be 40 MiB a round; allocators hold on to one round's.
    assert _memory(service, "VmRSS") - idle < 120 << 20, "broken calls cost memory for good"
    assert _memory(service, "VmHWM") - idle < BOUND
    assert _temporary_files(service) == []


async def _read_newest(citizen: Citizen) -> bytes:
    newest = (await citizen.inbox())[0]
    return bytes((await citizen.open(newest.id)).package.documents[0].content)


def _break_off(service: Service, enrolment_id: str, pdf: bytes) -> None:
    """Four clients send a part: two go away, two wait until they are thrown out or leave."""
    body = dispatch_body(notice(enrolment_id), [pdf])
    head = (
        "POST /v1/notices HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {service.agency.bearer()}\r\nIdempotency-Key: broken\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    port = httpx2.URL(service.url).port or 80
    with ExitStack() as open_ones:
        hanging = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(2)
        ]
        for wire in hanging:
            wire.sendall(head + body[: 8 << 20])
        for size in (1 << 20, len(body) - 10):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
                wire.sendall(head + body[:size])
        time.sleep(0.5)
    # Answered behind the others: what the closed connections left is taken note of by now.
    assert httpx2.get(f"{service.url}/readyz", timeout=60).status_code == 200
    time.sleep(0.5)


def _scan(size: int) -> bytes:
    """A PDF like a scanned letter: one stream that does not compress, ``size`` bytes in all."""
    frame = len(make_pdf(extra=_stream(b""))) + len(str(size))
    return make_pdf(extra=_stream(os.urandom(size - frame)))


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _memory(service: Service, field: str) -> int:
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field}")


def _notices(service: Service) -> int:
    with service.tables() as connection:
        return connection.execute(select(func.count()).select_from(_notice)).scalar_one()


def _temporary_files(service: Service) -> list[str]:
    folder = Path(f"/proc/{service.pid}/fd")
    try:
        held = [str(entry.readlink()) for entry in folder.iterdir()]
    except PermissionError:  # the service lets only root look
        return []
    return [path for path in held if path.endswith("(deleted)")]
