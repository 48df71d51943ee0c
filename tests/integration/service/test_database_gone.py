"""PostgreSQL stops amid dispatches and comes back: calls fail clean, and nothing is lost."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from siegelpost.service.client import Refused
from siegelpost.store import tables
from tests.support.pdfs import make_pdf
from tests.support.postgres import running_server
from tests.support.service import Service, service_in
from tests.support.service_load import Senders
from tests.support.service_values import eventually

_alert = tables.core(tables.Alert)
_notice = tables.core(tables.Notice)


def test_dispatches_survive_a_database_that_vanishes_and_returns(tmp_path: Path) -> None:
    with running_server() as server, service_in(tmp_path, server.create("gone")) as service:
        alice = service.activate("Alice Beispiel")
        senders = Senders(service=service, enrolments=[alice.id], count=3)
        senders.start()
        eventually(lambda: len(senders.answered) >= 10, "no dispatch was answered")
        server.stop()
        stopped_at = len(senders.answered)

        _refuses_clean(service, alice.id)
        assert len(senders.answered) <= stopped_at + senders.count, "answered without a database"

        server.start()
        eventually(lambda: len(senders.answered) >= stopped_at + 10, "it does not recover")
        assert _answer(service, "/readyz") == 200
        senders.finish()
        assert senders.repeated["503"] > 0
        assert set(senders.repeated) <= {"503", "ReadTimeout"}, "another failure than 503"
        eventually(lambda: _alerts_open(service) == 0, "alerts are still waiting")

        with service.tables() as connection:
            kept = Counter(connection.execute(select(_notice.c.id)).scalars())
        assert kept == Counter(answer["id"] for _, answer in senders.answered)
        call, answer = senders.answered[-1]
        service.verify(service.receipt(answer["id"]), call.pdf)


def _refuses_clean(service: Service, enrolment_id: str) -> None:
    begun = time.monotonic()
    with pytest.raises(Refused) as refused:
        service.dispatch(enrolment_id, make_pdf("without a database"))
    assert refused.value.status == 503
    assert refused.value.problem["type"] == "urn:siegelpost:problem:unavailable"
    assert time.monotonic() - begun < 30
    assert _answer(service, "/livez") == 200
    assert _answer(service, "/readyz") == 503
    assert _answer(service, "/log/checkpoint") == 503
    assert _answer(service, "/inbox/notices", cookie="__Host-siegelpost=" + 43 * "A") == 503


def _answer(service: Service, path: str, *, cookie: str = "") -> int:
    return httpx2.get(service.url + path, timeout=30, headers={"Cookie": cookie}).status_code


def _alerts_open(service: Service) -> int:
    with service.tables() as connection:
        open_ones = select(_alert.c.id).where(_alert.c.finished_at.is_(None))
        return len(connection.execute(open_ones).all())
