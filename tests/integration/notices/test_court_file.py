"""A court file of a real notice: alert sent, report in, retrieved; verified and redacted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from siegelpost.bounces.intake import Intake
from siegelpost.bounces.settings import BounceSettings
from siegelpost.evidence.court_file import REPORTS, parse_court_file
from siegelpost.evidence.court_verify import verify_court_file
from siegelpost.evidence.ids import AlertId, NoticeId
from siegelpost.evidence.redacted import Redaction
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import new_seal_key
from siegelpost.notices.court_file import make_court_file
from siegelpost.notices.errors import NoSuchNotice
from siegelpost.notices.retrieve import retrieve
from siegelpost.receipts.court_seal import seal_manifest
from siegelpost.receipts.sealing import seal_pdf
from siegelpost.sealing.age import open_bytes
from siegelpost.sealing.keys import Identity
from siegelpost.store import tables
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import Agency, Citizen
from tests.support.alerts import World, settings
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf
from tests.support.reports import DOMAIN, address_of, hand_in, report
from tests.support.smtp_servers import Script, scripted_server

pytestmark = pytest.mark.anyio

DOCUMENT = make_pdf("Sie bekommen 563 Euro.")
ALERT = tables.core(tables.Alert)
ADDRESS = tables.core(tables.Address)
AGENCY = tables.core(tables.Agency)


@pytest.fixture
def api(context: Context, agency: Agency) -> ApiClient:
    """The API, called by the sending agency."""
    return ApiClient(context, agency)


@pytest.fixture
def sealed_context(context: Context, keyring: FileKeyring) -> Context:
    """A service with a seal certificate."""
    since = context.now() - timedelta(days=3650)  # pyHanko tells the real time in its seals
    key = new_seal_key(context.origin, now=datetime.now(UTC))
    keyring.add_key(KeyPurpose.SEAL, now=since, private=key.encode())
    return replace(
        context,
        pdf_seal=lambda pdf: seal_pdf(pdf, key),
        manifest_seal=lambda manifest: seal_manifest(manifest, key),
    )


@pytest.fixture
async def notice(context: Context, alice: Citizen, api: ApiClient) -> NoticeId:
    """Alice's notice, on its whole way."""
    return await _notice(context, alice, api)


async def _notice(context: Context, alice: Citizen, api: ApiClient) -> NoticeId:
    """Dispatched, its alert sent, reported as delivered, and the package retrieved."""
    answer = await api.dispatch(dispatch_body(notice_json(alice.enrolment_id), [DOCUMENT]))
    notice_id = NoticeId(answer.json()["id"])
    async with scripted_server(Script()) as port:
        worker = World(context=context, clock=context.clock).worker(settings(port))  # type: ignore[arg-type]  # any clock will do
        await worker.run_once()
        await worker.close()
    alert, email = await context.store.read(
        lambda c: c.execute(
            select(ALERT.c.id, ADDRESS.c.email)
            .join(ADDRESS, ADDRESS.c.id == ALERT.c.address_id)
            .where(ALERT.c.notice_id == notice_id)
        ).one()
    )
    to = address_of(context, AlertId(alert))
    intake = Intake(context, BounceSettings(domain=DOMAIN))
    await hand_in(intake, report(to, "delivered", recipient=email), to)
    retrieval = await retrieve(context, alice.reader, notice_id)
    _ = [part async for part in retrieval.parts]
    await _sequence(context)
    return notice_id


async def _sequence(context: Context) -> None:
    sequencer = Sequencer(log_origin(context.origin), context.keyring.signer(KeyPurpose.LOG))
    await context.store.write(lambda connection: sequencer(connection, context.now()))


def trust_of(context: Context) -> bytes:
    return write_trust(
        Trust(
            origin=log_origin(context.origin),
            keys=context.keyring.public_keys(),
            seal_certificates=context.keyring.seal_certificates(),
        )
    )


async def test_full_court_file_holds_everything_and_verifies(
    sealed_context: Context, agency: Agency, notice: NoticeId
) -> None:
    data = await make_court_file(sealed_context, agency.id, notice, redaction=Redaction.FULL)
    verification = verify_court_file(data, trust_of(sealed_context), documents=[DOCUMENT])
    assert all(step.checked for step in verification.steps)
    files = parse_court_file(data).files
    (opened,) = [name for name in files if name.startswith(REPORTS)]
    assert opened.endswith(".eml")
    assert b"250 2.0.0 delivered to mailbox" in files[opened]
    assert files["quittung.pdf"].startswith(b"%PDF-")
    assert "1 Berichte" in verification.steps[4].result_de


@pytest.mark.parametrize("level", [Redaction.WITHOUT_ADDRESSES, Redaction.TIMES_ONLY])
async def test_redacted_court_file_of_a_real_notice_names_no_address(
    sealed_context: Context, agency: Agency, notice: NoticeId, level: Redaction
) -> None:
    emails = await sealed_context.store.read(
        lambda c: c.execute(select(ADDRESS.c.email)).scalars().all()
    )
    data = await make_court_file(sealed_context, agency.id, notice, redaction=level)
    verification = verify_court_file(data, trust_of(sealed_context))
    assert verification.receipt.redaction is level
    for email in emails:
        assert email.encode() not in data
        assert email.partition("@")[0].encode() not in data
    if level is Redaction.WITHOUT_ADDRESSES:
        assert b"250 2.0.0 delivered to mailbox" in data


async def test_without_a_seal_certificate_the_court_file_still_verifies(
    context: Context, agency: Agency, notice: NoticeId
) -> None:
    data = await make_court_file(context, agency.id, notice, redaction=Redaction.FULL)
    verification = verify_court_file(data, trust_of(context))
    assert not verification.steps[3].checked
    assert "quittung.pdf" not in parse_court_file(data).files


async def test_an_agency_with_its_own_evidence_key_gets_its_reports_sealed(
    context: Context, agency: Agency, alice: Citizen, api: ApiClient
) -> None:
    own = Identity(bytes(range(32)))
    await context.store.write(
        lambda c: c.execute(
            AGENCY.update()
            .where(AGENCY.c.id == agency.id)
            .values(evidence_recipient=own.recipient.raw)
        )
    )
    notice_id = await _notice(context, alice, api)
    data = await make_court_file(context, agency.id, notice_id, redaction=Redaction.FULL)
    files = parse_court_file(data).files
    (sealed,) = [name for name in files if name.startswith(REPORTS)]
    assert sealed.endswith(".eml.age")
    assert b"delivered to mailbox" in open_bytes(files[sealed], [own])
    assert b"Verschlossene Berichte" in files["LIESMICH.txt"]
    result = verify_court_file(data, trust_of(context)).steps[4].result_de
    assert "1 Berichte sind verschlossen" in result


async def test_charlies_agency_gets_no_court_file(
    context: Context,
    agency: Agency,
    charlies_agency: Agency,
    notice: NoticeId,
    api: ApiClient,
) -> None:
    with pytest.raises(NoSuchNotice):
        await make_court_file(context, charlies_agency.id, notice, redaction=Redaction.FULL)
    path = f"/v1/notices/{notice}/court-file?redaction=full"
    foreign = await api.as_agency(charlies_agency).get(path)
    unknown = await api.get("/v1/notices/none/court-file?redaction=full")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["type"] == unknown.json()["type"]


async def test_court_file_over_http_needs_its_own_scope_and_a_level(
    context: Context, notice: NoticeId, api: ApiClient
) -> None:
    path = f"/v1/notices/{notice}/court-file"
    answer = await api.get(f"{path}?redaction=times-only")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
    assert answer.headers["content-disposition"].endswith('.asice"')
    verify_court_file(answer.content, trust_of(context))
    assert (await api.get(path)).json()["type"].endswith(":request-invalid")
    denied = await api.get(f"{path}?redaction=full", scope="receipts:read notices:read")
    assert denied.status_code == 403
