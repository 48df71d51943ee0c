"""The whole service with packages in segments: killed under load, out of room, a large notice."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from siegelpost.notices.limits import Limits
from siegelpost.store import tables
from tests.integration.service.test_object_storage import (
    BOUND,
    fill,
    memory,
    named,
    read_newest,
    refused,
    small_disk,
)
from tests.support.large_pdf import large_pdf
from tests.support.object_stores import segment_fields, use_objects
from tests.support.pdfs import make_pdf, make_text_pdf
from tests.support.service import prepared_service
from tests.support.service_load import Senders

#: How often the service is killed.
KILLS = 4

_notice = tables.core(tables.Notice)


@pytest.fixture
def seed() -> int:
    """When the service is killed; set SIEGELPOST_SEED to repeat a run."""
    seed = int(os.environ.get("SIEGELPOST_SEED", time.time_ns() % 1_000_000))
    print(f"SIEGELPOST_SEED={seed}")  # pytest shows it with a failure
    return seed


@pytest.mark.parametrize("service_database", ["sqlite", "postgresql"], indirect=True)
def test_every_answered_dispatch_has_its_package_after_kills(
    tmp_path: Path, service_database: str, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - moments of kills
    folder = tmp_path / "segments"
    with prepared_service(tmp_path / "house", service_database) as service:
        use_objects(service, segment_fields(folder))
        service.start()
        alice = service.activate("Alice Beispiel")
        senders = Senders(service=service, enrolments=[alice.id])
        # Each search reads every package and compares it with the digest in evidence.
        senders.send_through_kills(KILLS, random, "a notice without its package")

        with service.tables() as connection:
            notices = set(connection.execute(select(_notice.c.id)).scalars())
        assert {answer["id"] for _, answer in senders.answered} == notices
        places = named(service)
        assert len(places) == len(notices) > 0
        assert {place.partition(":")[0] for place in places} <= {
            file.name for file in folder.iterdir()
        }
        call, answer = senders.answered[-1]
        service.verify(service.receipt(answer["id"]), call.pdf)


def test_dispatch_fails_clean_on_a_full_disk_of_segments(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, prepared_service(tmp_path / "house") as service:
        use_objects(service, segment_fields(disk / "segments"))
        service.start()
        alice = service.activate("Alice Beispiel")
        pdf = make_text_pdf(400_000)
        service.dispatch(alice.id, pdf)
        ballast = disk / "ballast"
        fill(ballast)
        (segment,) = (disk / "segments").iterdir()
        size = segment.stat().st_size
        refused(service, alice.id, pdf)
        refused(service, alice.id, pdf)
        assert [(file, file.stat().st_size) for file in (disk / "segments").iterdir()] == [
            (segment, size)
        ], "what did not fit stays"
        ballast.unlink()
        notice = service.dispatch(alice.id, pdf, idempotency_key="again")
        service.verify(service.receipt(notice["id"]), pdf)
        assert service.as_citizen(alice, read_newest) == pdf


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc (Linux)"
)
def test_25_mb_pass_within_150_mib_in_segments(tmp_path: Path) -> None:
    with prepared_service(tmp_path / "house") as service:
        use_objects(service, segment_fields(tmp_path / "segments"))
        service.start()
        alice = service.activate("Alice Beispiel")
        service.dispatch(alice.id, make_pdf("warm"))
        service.as_citizen(alice, read_newest)
        idle = memory(service, "VmRSS")
        large = bytes(large_pdf("Scan.pdf", Limits().document_bytes - 2000).content)
        service.dispatch(alice.id, large)
        assert service.as_citizen(alice, read_newest) == large
        peak = memory(service, "VmHWM")
        print(f"idle {idle >> 20} MiB, peak {peak >> 20} MiB")
        assert peak - idle < BOUND
