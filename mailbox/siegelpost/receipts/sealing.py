"""Seals a PDF: PAdES by pyHanko, B-B or B-T at once, B-LTA later (ETSI EN 319 142-1).

The seal certifies the document and allows no change but further timestamps and validation data.
It has no picture on the page: the place of a seal that proves something is the verifier.
Blocking, with network where `timestamp` has it: never call it on the event loop.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from asn1crypto import crl, keys, tsp, x509  # type: ignore[import-untyped]  # it has no types
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_signer import TimestampDSSContentSettings
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from siegelpost.keyring.pins import Pin
from siegelpost.keyring.seal_key import SealKey, TokenKey
from siegelpost.keyring.tokens import OpenSession, token_at

#: Name of the signature's field.
FIELD = "Siegel"
#: Room for a signature by RSA with 4096 bits, the longest of those in use.
_LONGEST_SIGNATURE = 512

#: Answers a TimeStampReq with a TimeStampResp (RFC 3161, DER); raises if no authority can.
Timestamp = Callable[[bytes], bytes]


class SealingFailed(Exception):
    """The seal could not be made; says why, without secrets."""


def seal_pdf(
    pdf: bytes,
    key: SealKey,
    *,
    timestamp: Timestamp | None = None,
    pin: Pin | None = None,
) -> bytes:
    """The sealed PDF: B-T with `timestamp`, else B-B. `pin` opens the token, if one holds the key.

    Raises SealingFailed, also if the timestamp cannot be had.
    """
    signer = signer_of(key, pin)
    assert signer.signing_cert is not None
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        name=signer.signing_cert.subject.native.get("common_name", ""),
    )
    pdf_signer = signers.PdfSigner(
        metadata,
        signer=signer,
        timestamper=None if timestamp is None else _Timestamper(timestamp),
        # PDF/A wants it printable, PDF/UA outside of the page: it is no part of the text.
        new_field_spec=fields.SigFieldSpec(
            FIELD, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True)
        ),
    )
    sealed = io.BytesIO()
    try:
        pdf_signer.sign_pdf(_Writer(io.BytesIO(pdf)), output=sealed)
    except Exception as error:  # pyHanko, asn1crypto and PKCS #11 share no root
        raise SealingFailed(f"{type(error).__name__}: {error}") from error
    return sealed.getvalue()


def extend_pdf(
    pdf: bytes,
    *,
    timestamp: Timestamp,
    roots: Sequence[bytes],
    revocations: Sequence[bytes] = (),
    now: datetime,
) -> bytes:
    """The PDF with validation data and one more document timestamp over all: B-LTA.

    `roots` (DER) are what the seal and its timestamps lead to: the seal's own certificate if it
    signs itself, and the authorities' roots; `revocations` are their lists (CRL, DER). Our own
    verifier needs no list, others will, once certificates have ended. Nothing is fetched.
    Do it again before the last timestamp ages. Raises SealingFailed.
    """
    lists = [crl.CertificateList.load(der) for der in revocations]
    context = ValidationContext(
        trust_roots=_certificates(roots),
        crls=lists,
        allow_fetching=False,
        moment=now,
        revocation_mode="soft-fail",
    )
    out = io.BytesIO(pdf)
    try:
        reader = PdfFileReader(out)
        seal = next(iter(reader.embedded_regular_signatures), None)
        if seal is None:
            raise SealingFailed("the file has no seal")
        writer = _Writer(out)
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=[*_certificates(roots), seal.signer_cert, *seal.other_embedded_certs],
            crls=lists,
        )
        signers.PdfTimeStamper(_Timestamper(timestamp)).timestamp_pdf(
            writer,
            md_algorithm="sha512",
            validation_context=context,
            in_place=True,
            # Under the timestamp, so that it covers the file to its last byte.
            dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
        )
    except SealingFailed:
        raise
    except Exception as error:  # pyHanko, certvalidator and asn1crypto share no root
        raise SealingFailed(f"{type(error).__name__}: {error}") from error
    return out.getvalue()


class _Writer(IncrementalPdfFileWriter):
    """Appends, and leaves the metadata alone: what conforms to PDF/A stays as it was checked."""

    def _update_meta(self) -> None:
        return


class _Timestamper(TimeStamper):
    """pyHanko's way to an authority, by a function of ours."""

    def __init__(self, timestamp: Timestamp) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in pyHanko
        self._timestamp = timestamp

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._timestamp(req.dump()))


def _certificates(ders: Sequence[bytes]) -> list[x509.Certificate]:
    return [x509.Certificate.load(der) for der in ders]


def signer_of(key: SealKey, pin: Pin | None) -> signers.Signer:
    """pyHanko's signer for a key here or in a token; SealingFailed without a certificate."""
    if not key.certificates:
        raise SealingFailed("the seal key has no certificate yet")
    own, *others = _certificates(key.certificates)
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # untyped in pyHanko
    store.register_multiple(others)
    if key.private is not None:
        return signers.SimpleSigner(
            signing_cert=own,
            signing_key=keys.PrivateKeyInfo.load(key.private),
            cert_registry=store,
        )
    assert key.on_token is not None
    return _TokenSigner(key.on_token, pin, signing_cert=own, cert_registry=store)


class _TokenSigner(signers.Signer):
    """Asks a token, and holds it no longer than the signature takes: timestamps take seconds."""

    def __init__(self, key: TokenKey, pin: Pin | None, **certificates: Any) -> None:
        super().__init__(**certificates)
        self._label = key.label
        self._token = token_at(key.module, key.token, pin)

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if dry_run:
            return bytes(_LONGEST_SIGNATURE)

        def work(session: OpenSession) -> bytes:
            from pyhanko.sign.pkcs11 import PKCS11Signer

            # pyHanko looks itself, but says of a missing key what others say of a broken token.
            session.find("PRIVATE_KEY", "LABEL", self._label)
            signer = PKCS11Signer(
                session.raw,
                signing_cert=self.signing_cert,
                key_label=self._label,
                # SoftHSM, and tokens like it, sign digests and leave hashing to us.
                use_raw_mechanism=True,
            )
            return asyncio.run(signer.async_sign_raw(data, digest_algorithm))

        return await asyncio.to_thread(self._token.run, work)
