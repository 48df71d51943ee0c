"""A notice's way through the API: 201, status, opened by the citizen, acknowledged, receipt."""

from __future__ import annotations

import threading
from typing import Any

import pikepdf
import pytest

from siegelpost.evidence.acceptance import open_acceptance
from siegelpost.evidence.acknowledgement import PREFIX, Acknowledgement
from siegelpost.evidence.commitments import document_commitment
from siegelpost.evidence.ids import NoticeId
from siegelpost.evidence.notes import Verifier
from siegelpost.evidence.receipt import parse_receipt
from siegelpost.evidence.trust import Purpose
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.notices import dispatch as dispatching
from siegelpost.notices.acknowledge import acknowledge
from siegelpost.notices.documents import check_thoroughly
from siegelpost.notices.inbox import inbox
from siegelpost.notices.retrieve import retrieve
from siegelpost.notices.show import show
from siegelpost.sealing.covers import open_cover
from siegelpost.sealing.manifest import encode_manifest
from siegelpost.sealing.package import open_package
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from siegelpost.store.sequencer import Sequencer
from tests.support.agencies import Agency, Citizen
from tests.support.dispatches import ApiClient, dispatch_body, notice_json
from tests.support.pdfs import make_pdf, save_variant

pytestmark = pytest.mark.anyio


async def test_one_notice_goes_its_whole_way(
    context: Context, keyring: FileKeyring, agency: Agency, alice: Citizen, api: ApiClient
) -> None:
    document = make_pdf("Sie bekommen 563 Euro.")
    answer = await api.dispatch(
        dispatch_body(notice_json(alice.enrolment_id, reference="BG-1"), [document])
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    notice_id = NoticeId(made["id"])
    assert answer.headers["location"] == f"/v1/notices/{notice_id}"
    [kept] = made["documents"]
    assert kept["commitment"] == document_commitment(bytes.fromhex(kept["salt"]), document).hex()
    accepted, _ = open_acceptance(
        made["acceptance"], [keyring.signer(KeyPurpose.ACCEPTANCE).verifier]
    )
    assert accepted.notice == notice_id

    [entry] = (await inbox(context, alice.reader)).notices
    assert entry.cover is not None
    cover = open_cover(entry.cover, [alice.identity])
    assert cover.title == "Bewilligung von Bürgergeld"
    assert cover.who_helps.endswith("Aktenzeichen: BG-1")

    shown = await show(context, alice.reader, notice_id)
    retrieval = await retrieve(context, alice.reader, notice_id)
    sealed = b"".join([part async for part in retrieval.parts])
    assert len(sealed) == retrieval.size == shown.package_size
    package = open_package(
        sealed,
        [alice.identity],
        verifiers=[Verifier.from_vkey(key) for key in shown.manifest_keys],
        notice_id=notice_id,
        mailbox_id=alice.mailbox_id,
        agency_id=agency.id,
    )
    assert bytes(package.documents[0].content) == document
    assert package.manifest.salt is not None

    from hashlib import sha256

    said = Acknowledgement(
        mailbox=alice.mailbox_id,
        notice=notice_id,
        manifest_sha256=sha256(encode_manifest(package.manifest)).digest(),
        payload_sha256=retrieval.payload_sha256,
        acknowledged_at=context.now(),
    )
    signature = alice.signing_key.sign(said.message())
    statement = said.message().removeprefix(PREFIX)
    first = await acknowledge(
        context, alice.reader, notice_id, statement=statement, signature=signature
    )
    assert first == context.now()

    early = await api.get(f"/v1/notices/{notice_id}/receipt")
    assert early.status_code == 409
    assert early.json()["type"] == "urn:siegelpost:problem:not-yet-logged"

    sequencer = Sequencer(log_origin(context.origin), keyring.signer(KeyPurpose.LOG))
    await context.store.write(lambda connection: sequencer(connection, context.now()))
    status = (await api.get(f"/v1/notices/{notice_id}")).json()
    assert status["state"] == "acknowledged"
    assert [event["type"] for event in status["events"]] == [
        "submission-accepted",
        "provided",
        "retrieved",
        "acknowledged",
    ]
    assert status["alert"]["state"] == "queued"

    answer = await api.get(f"/v1/notices/{notice_id}/receipt")
    assert answer.status_code == 200, answer.text
    receipt = parse_receipt(answer.content)
    assert receipt.documents[0].salt == bytes.fromhex(kept["salt"])
    assert receipt.acceptance == made["acceptance"]
    assert any(key.purpose is Purpose.LOG for key in keyring.public_keys())


async def test_pdf_that_needs_qpdf_is_checked_off_the_event_loop(
    alice: Citizen, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def note(*arguments: Any) -> None:
        threads.append(threading.current_thread())
        check_thoroughly(*arguments)

    monkeypatch.setattr(dispatching, "check_thoroughly", note)
    packed = save_variant(make_pdf(), object_stream_mode=pikepdf.ObjectStreamMode.generate)
    for number, document in enumerate((make_pdf(), packed)):
        body = dispatch_body(notice_json(alice.enrolment_id), [document])
        assert (await api.dispatch(body, key=f"key-{number}")).status_code == 201
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
