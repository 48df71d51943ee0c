"""The running service keeps two agencies apart, from the API to the citizen's pages."""

from __future__ import annotations

import pytest

from siegelpost.service.client import Refused
from siegelpost.service.demo.citizen import Citizen
from tests.support.pdfs import make_pdf
from tests.support.service import Service


def test_other_agency_sees_nothing_of_a_notice_that_its_citizen_reads(
    running_service: Service,
) -> None:
    alice = running_service.activate("Alice Beispiel")
    sent = running_service.dispatch(alice.id, make_pdf("Für Alice"))

    for call in (
        lambda: running_service.charlies.notice(sent["id"]),
        lambda: running_service.charlies.receipt(sent["id"]),
        lambda: running_service.dispatch(
            alice.id, make_pdf("Von Charlie"), agency=running_service.charlies
        ),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.status == 404

    async def read(citizen: Citizen) -> bytes:
        (line,) = await citizen.inbox()
        return bytes((await citizen.open(line.id)).package.documents[0].content)

    assert running_service.as_citizen(alice, read) == make_pdf("Für Alice")
    running_service.verify(running_service.receipt(sent["id"]), make_pdf("Für Alice"))
