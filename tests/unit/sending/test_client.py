"""Handing over sealed parts: what leaves open whether it arrived is sent again, byte for byte."""

from __future__ import annotations

import httpx2
import pytest

from siegelpost.evidence.ids import AgencyId
from siegelpost.sending import client as sending
from siegelpost.sending.client import Refused, SealingClient
from siegelpost.sending.keys import ManifestKey
from siegelpost.sending.seal import SealedNotice
from tests.support.receipts import ACCEPTANCE, sample_trust

SEALED = SealedNotice(
    notice={"id": "n"},
    cover=b"cover",
    package=b"package",
    payload_digests=(b"", b""),
    commitments=(),
)


def handed_over(
    monkeypatch: pytest.MonkeyPatch, answers: list[int]
) -> tuple[int, set[tuple[str, int]]]:
    """The last answer's status, and what was sent: idempotency key and size of each body."""
    monkeypatch.setattr(sending, "PAUSE_SECONDS", 0)
    sent: list[tuple[str, int]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.headers["idempotency-key"], len(request.read())))
        return httpx2.Response(answers[len(sent) - 1], json={"type": "urn:x", "detail": ""})

    with httpx2.Client(
        transport=httpx2.MockTransport(answer), base_url="https://post.example"
    ) as http:
        key = ManifestKey(agency=AgencyId("jobcenter"), signer=ACCEPTANCE)
        client = SealingClient(http, bearer=lambda: "token", trust=sample_trust(), key=key)
        try:
            client.hand_over(SEALED, idempotency_key="call-1")
            status = 201
        except Refused as refused:
            status = refused.status
    assert len(sent) == len(answers)
    return status, set(sent)


@pytest.mark.parametrize("unknown", [502, 503, 504])
def test_a_service_that_is_unavailable_gets_the_same_call_again(
    monkeypatch: pytest.MonkeyPatch, unknown: int
) -> None:
    status, sent = handed_over(monkeypatch, [unknown, unknown, 201])
    assert status == 201
    assert len(sent) == 1
    assert handed_over(monkeypatch, [unknown] * 3)[0] == unknown


def test_a_refusal_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert handed_over(monkeypatch, [422])[0] == 422
