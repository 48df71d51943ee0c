# mypy: disable-error-code="no-untyped-call"
# Reason: pyHanko's PDF objects have no types.
"""PDF seals over the years: timestamps, renewal, keys that are stolen, and pyHanko's simulation."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509  # type: ignore[import-untyped]  # it has no types
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from siegelpost.evidence.pdf_explanations import PdfError
from siegelpost.evidence.pdf_verify import verify_pdf
from siegelpost.evidence.timestamps import TimestampAuthority
from siegelpost.keyring.seal_key import request_certificate, with_certificates
from siegelpost.receipts.sealing import SealingFailed, extend_pdf
from siegelpost.service.demo.authority import LocalAuthority
from tests.support.pdf_receipts import Sealer, unsealed
from tests.support.receipts import NOTICE
from tests.support.seal_ca import SealCa
from tests.support.tsa import trusted

NOW = datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class World:
    authority: LocalAuthority
    sealer: Sealer
    sealed: bytes
    roots: list[bytes]


def der(authority: LocalAuthority) -> bytes:
    certificate = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    return certificate.public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    authority = LocalAuthority(tmp_path_factory.mktemp("tsa"), name="TSA Musterland")
    sealer = Sealer(timestamp=authority.reply, authorities=(trusted(authority),))
    return World(
        authority=authority,
        sealer=sealer,
        sealed=sealer.seal(unsealed()),
        roots=[sealer.key.certificates[0], der(authority)],
    )


def extended(world: World, pdf: bytes) -> bytes:
    return extend_pdf(
        pdf,
        timestamp=world.authority.reply,
        roots=world.roots,
        revocations=[world.authority.revocations(datetime.now(UTC))],
        now=datetime.now(UTC),
    )


def test_a_seal_is_dated_from_outside_at_once(world: World) -> None:
    verified = verify_pdf(world.sealed, world.sealer.trust(), now=NOW)
    assert verified.dated
    assert verified.steps[4].checked


def test_renewal_adds_and_changes_nothing_before(world: World) -> None:
    pdf, trust = world.sealed, world.sealer.trust()
    for count in (2, 3):
        longer = extended(world, pdf)
        assert longer.startswith(pdf)
        verified = verify_pdf(longer, trust, now=NOW)
        assert verified.steps[4].result_en.startswith(f"{count} of TSA Musterland")
        assert verified.steps[5].result_en.startswith("Only timestamps")
        pdf = longer


def test_a_pdf_without_timestamp_gets_one_later(world: World) -> None:
    plain = Sealer(key=world.sealer.key, authorities=world.sealer.authorities)
    sealed = plain.seal(unsealed())
    assert not verify_pdf(sealed, plain.trust(), now=NOW).dated
    assert verify_pdf(extended(world, sealed), plain.trust(), now=NOW).dated


def test_timestamps_must_still_be_good_on_the_day_asked_for(world: World) -> None:
    with pytest.raises(PdfError) as caught:
        verify_pdf(world.sealed, world.sealer.trust(), at=NOW + timedelta(days=4000), now=NOW)
    assert caught.value.code == "pdf-timestamp-expired"


def test_a_later_authority_carries_the_seal_on(world: World, tmp_path: Path) -> None:
    later = LocalAuthority(tmp_path, name="TSA Neuland", days=8000)
    pdf = extend_pdf(
        extended(world, world.sealed),
        timestamp=later.reply,
        roots=[*world.roots, der(later)],
        now=datetime.now(UTC),
    )
    both = Sealer(
        key=world.sealer.key, authorities=(*world.sealer.authorities, trusted(later))
    ).trust()
    verify_pdf(pdf, both, at=NOW + timedelta(days=15 * 365), now=NOW)


def other_title(writer: IncrementalPdfFileWriter) -> None:
    """What viewers show above the pages, as anybody could append it."""
    information = generic.DictionaryObject(
        {
            generic.pdf_name("/Title"): generic.pdf_string(
                f"{NOTICE}: nicht zugestellt, bitte nicht beachten"
            )
        }
    )
    writer.set_info(writer.add_object(information))


def other_metadata(writer: IncrementalPdfFileWriter) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">nicht zugestellt</x:xmpmeta>'
    stream = generic.StreamObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Metadata"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/XML"),
        },
        stream_data=xmp,
    )
    writer.root["/Metadata"] = writer.add_object(stream)
    writer.update_root()


@pytest.mark.parametrize("change", [other_title, other_metadata])
def test_a_renewal_by_anybody_gives_no_other_title(
    world: World, change: Callable[[IncrementalPdfFileWriter], None]
) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(world.sealed))
    change(writer)
    changed = io.BytesIO()
    writer.write(changed)
    # Everybody can have the public authority's timestamp over what they appended.
    for trust in (world.sealer.trust(), replace(world.sealer, authorities=()).trust()):
        with pytest.raises(PdfError) as caught:
            verify_pdf(extended(world, changed.getvalue()), trust, now=NOW)
        assert caught.value.code == "pdf-changed-later"


def test_timestamps_of_strangers_are_refused(world: World) -> None:
    stranger = TimestampAuthority(name="Fremd", certificates=(_stranger_pem(),))
    with pytest.raises(PdfError) as caught:
        verify_pdf(
            world.sealed,
            Sealer(key=world.sealer.key, authorities=(stranger,)).trust(),
            now=NOW,
        )
    assert caught.value.code == "pdf-timestamp-invalid"


def test_a_stolen_key_counts_for_what_was_dated_before(world: World) -> None:
    stolen = Sealer(
        key=world.sealer.key,
        authorities=world.sealer.authorities,
        compromised_at=datetime.now(UTC) + timedelta(hours=1),
        until=datetime.now(UTC) + timedelta(hours=1),
    )
    assert verify_pdf(world.sealed, stolen.trust(), now=NOW).dated
    before = Sealer(
        key=world.sealer.key,
        authorities=world.sealer.authorities,
        compromised_at=NOW - timedelta(hours=1),
        until=NOW - timedelta(hours=1),
    )
    with pytest.raises(PdfError) as caught:
        verify_pdf(world.sealed, before.trust(), now=NOW)
    assert caught.value.code == "pdf-key-compromised"


def test_nothing_unsealed_is_renewed(world: World) -> None:
    with pytest.raises(SealingFailed):
        extended(world, unsealed())


async def test_pyhanko_finds_the_seal_good_in_fifteen_years(world: World) -> None:
    """ETSI EN 319 102-1, validation with archival data, simulated in the future.

    With a certificate of an authority that publishes revocation lists: one that the service signs
    itself has none, and counts by being pinned alone.
    """
    ca = SealCa()
    asked, request = request_certificate("post.example")
    key = with_certificates(asked, [ca.certify(request), ca.root])
    sealer = Sealer(key=key, authorities=world.sealer.authorities, timestamp=world.sealer.timestamp)
    roots = [ca.root.public_bytes(Encoding.DER), der(world.authority)]

    def sealed_for_long() -> bytes:
        return extend_pdf(
            sealer.seal(unsealed()),
            timestamp=world.authority.reply,
            roots=roots,
            revocations=[ca.revocations(), world.authority.revocations(datetime.now(UTC))],
            now=datetime.now(UTC),
        )

    pdf = await asyncio.to_thread(sealed_for_long)
    verify_pdf(pdf, sealer.trust(), now=NOW)
    (seal,) = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_regular_signatures
    anchors = [asn1_x509.Certificate.load(root) for root in roots]
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build(trust_roots=anchors),
                revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
            ),
            local_knowledge=LocalKnowledge(),
        )
    )
    status = await ades.simulate_future_ades_lta_validation(
        seal, spec, future_validation_time=datetime.now(UTC) + timedelta(days=15 * 365)
    )
    assert status.ades_subindic is AdESPassed.OK, status.failure_msg


def _stranger_pem() -> str:
    from siegelpost.keyring.seal_key import new_seal_key

    key = new_seal_key("charlie.example", now=NOW)
    certificate = x509.load_der_x509_certificate(key.certificates[0])
    return certificate.public_bytes(Encoding.PEM).decode()
