"""The citizen's receipt as PDF: hers alone, in the language of her page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.trust import Trust, write_trust
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.protocol import KeyPurpose
from siegelpost.keyring.seal_key import new_seal_key
from siegelpost.service.demo.citizen import PortalRefused
from siegelpost.service.pdf_sealing import pdf_sealer
from siegelpost.store.context import Context
from siegelpost.store.log import log_origin
from tests.support.portal import Town


@pytest.fixture
def context(context: Context, keyring: FileKeyring) -> Context:
    """A service with a seal."""
    made_at = datetime.now(UTC) - timedelta(days=1)
    private = new_seal_key(context.origin, now=made_at).encode()
    keyring.add_key(KeyPurpose.SEAL, now=made_at, private=private)
    return replace(context, pdf_seal=pdf_sealer(keyring, (), None))


async def test_alice_gets_hers_and_charlie_the_answer_for_unknown_notices(
    town: Town, keyring: FileKeyring
) -> None:
    enrolled = await town.letter()
    alice = await town.active("alice@beispiel.example", enrolled=enrolled)
    notice = await town.dispatch(enrolled)
    await alice.open(notice)
    with pytest.raises(PortalRefused, match="not-yet-logged"):
        await alice.send("GET", f"/notices/{notice}/receipt.pdf")
    await town.sequence()
    trust = Trust(
        origin=log_origin(town.context.origin),
        keys=keyring.public_keys(),
        seal_certificates=keyring.seal_certificates(),
    )
    sizes = set()
    for language, title in (("de", "Quittung"), ("en", "Delivery receipt")):
        answer = await alice.send("GET", f"/notices/{notice}/receipt.pdf?lang={language}")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["cache-control"].startswith(("private", "no-store"))
        verified = verify_pdf(answer.content, write_trust(trust), now=town.context.now())
        assert verified.receipt.receipt.notice == notice
        assert title.encode("utf-16-be") in answer.content or title.encode() in answer.content
        sizes.add(len(answer.content))
    assert len(sizes) == 2

    charlie = await town.active("charlie@fremd.example")
    answers = []
    for wanted in (notice, "01900000-0000-7000-8000-000000000000"):
        with pytest.raises(PortalRefused) as refused:
            await charlie.send("GET", f"/notices/{wanted}/receipt.pdf")
        answers.append((refused.value.status, refused.value.problem))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
