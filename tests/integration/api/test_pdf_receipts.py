"""PDF receipts at the doors: who gets one, in which way asked for, and made by whom."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import new_seal_key
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import ALL_SCOPES, Agency, Citizen
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf

pytestmark = pytest.mark.anyio


@pytest.fixture
def context(context: Context, keyring: FileKeyring) -> Context:
    """A service with a seal, whose key is older than the test."""
    made_at = datetime.now(UTC) - timedelta(days=1)
    private = new_seal_key(context.origin, now=made_at).encode()
    keyring.add_key(KeyPurpose.SEAL, now=made_at, private=private)
    return replace(context, pdf_seal=pdf_sealer(keyring, (), None))


async def logged(context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen) -> str:
    """The id of a notice that is in the log."""
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id), [make_pdf()]))
    sequencer = Sequencer(log_origin(context.origin), keyring.signer(KeyPurpose.LOG))
    await context.store.write(lambda connection: sequencer(connection, context.now()))
    return str(answer.json()["id"])


def trust_of(context: Context, keyring: FileKeyring) -> bytes:
    return write_trust(
        Trust(
            origin=log_origin(context.origin),
            keys=keyring.public_keys(),
            seal_certificates=keyring.seal_certificates(),
        )
    )


async def test_the_agencys_pdf_verifies_and_names_it(
    context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen
) -> None:
    notice = await logged(context, keyring, api, alice)
    answer = await api.get(f"/v1/notices/{notice}/receipt?format=pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "private, no-store"
    assert f'filename="receipt-{notice}.pdf"' in answer.headers["content-disposition"]
    verified = verify_pdf(answer.content, trust_of(context, keyring), now=context.now())
    assert verified.receipt.receipt.notice == notice
    assert verified.receipt.receipt.seal is not None


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/pdf", "pdf"),
        ("application/pdf;q=0.9", "pdf"),
        ("application/pdf, application/json", "json"),
        ("application/pdf, */*;q=0.1", "json"),
        ("*/*", "json"),
        ("", "json"),
        ("text/html", "json"),
    ],
)
async def test_json_unless_only_a_pdf_is_welcome(
    context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen, accept: str, kind: str
) -> None:
    notice = await logged(context, keyring, api, alice)
    headers = {**await api.headers(scope=ALL_SCOPES), "Accept": accept}
    answer = await api.http.get(f"/v1/notices/{notice}/receipt", headers=headers)
    assert answer.headers["content-type"] == f"application/{kind}"
    assert "Accept" in answer.headers["vary"]


async def test_other_formats_are_refused(
    context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen
) -> None:
    notice = await logged(context, keyring, api, alice)
    answer = await api.get(f"/v1/notices/{notice}/receipt?format=docx")
    assert answer.json()["type"] == "urn:siegelpost:problem:request-invalid"


async def test_charlies_agency_gets_the_answer_for_unknown_notices(
    context: Context,
    keyring: FileKeyring,
    api: ApiClient,
    alice: Citizen,
    charlies_agency: Agency,
) -> None:
    notice = await logged(context, keyring, api, alice)
    charlie = ApiClient(context, charlies_agency)
    foreign = await charlie.get(f"/v1/notices/{notice}/receipt?format=pdf")
    unknown = await charlie.get(
        "/v1/notices/01900000-0000-7000-8000-000000000000/receipt?format=pdf"
    )
    assert foreign.status_code == unknown.status_code == 404


async def test_a_pdf_of_what_is_not_logged_waits_like_the_json(
    api: ApiClient, alice: Citizen
) -> None:
    made = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id), [make_pdf()]))
    answer = await api.get(f"/v1/notices/{made.json()['id']}/receipt?format=pdf")
    assert answer.json()["type"] == "urn:siegelpost:problem:not-yet-logged"


async def test_without_a_seal_there_is_no_pdf_but_the_json(
    context: Context, keyring: FileKeyring, agency: Agency, api: ApiClient, alice: Citizen
) -> None:
    notice = await logged(context, keyring, api, alice)
    without = ApiClient(replace(context, pdf_seal=None), agency)
    answer = await without.get(f"/v1/notices/{notice}/receipt?format=pdf")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:siegelpost:problem:seal-unavailable"
    assert (await without.get(f"/v1/notices/{notice}/receipt")).status_code == 200


async def test_pdfs_are_made_off_the_event_loop(
    context: Context, keyring: FileKeyring, agency: Agency, api: ApiClient, alice: Citizen
) -> None:
    notice = await logged(context, keyring, api, alice)
    threads: list[str] = []

    def note(pdf: bytes) -> bytes:
        threads.append(threading.current_thread().name)
        return pdf

    await ApiClient(replace(context, pdf_seal=note), agency).get(
        f"/v1/notices/{notice}/receipt?format=pdf"
    )
    assert threads
    assert all(name.startswith("pdf-receipt") for name in threads)


async def test_a_rotated_seal_key_leaves_old_pdfs_good(
    context: Context, keyring: FileKeyring, api: ApiClient, alice: Citizen
) -> None:
    notice = await logged(context, keyring, api, alice)
    old = (await api.get(f"/v1/notices/{notice}/receipt?format=pdf")).content
    now = datetime.now(UTC)
    keyring.rotate(
        KeyPurpose.SEAL,
        now=now,
        overlap=timedelta(minutes=1),
        private=new_seal_key(context.origin, now=now).encode(),
    )
    new = (await api.get(f"/v1/notices/{notice}/receipt?format=pdf")).content
    trust = trust_of(context, keyring)
    for pdf in (old, new):
        verify_pdf(pdf, trust, now=context.now())
