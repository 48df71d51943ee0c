"""Timestamps of a sealed PDF: the one in the seal, and those over the document (RFC 3161).

Each is verified as the log's are: by authorities that the trust file names, without a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from siegelpost.evidence.pdf_explanations import pdf_failure
from siegelpost.evidence.spoken import exact
from siegelpost.evidence.times import format_time
from siegelpost.evidence.timestamps import (
    INSTALL,
    TimestampError,
    TimestampsUnavailable,
    VerifiedToken,
    verify_token,
)
from siegelpost.evidence.trust import Trust

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature


def check_tokens(
    reader: PdfFileReader, seal: EmbeddedPdfSignature, trusted: Trust, at: datetime | None
) -> tuple[list[VerifiedToken], str]:
    """All tokens, the seal's own first, and why there are none."""
    authorities = trusted.timestamp_authorities
    if not authorities:
        return [], "no-authority"
    pairs = []
    own = _token_of(seal)
    if own is not None:
        pairs.append((own, bytes(seal.signer_info["signature"].native)))
    documents = reader.embedded_timestamp_signatures
    pairs += [(_content(one), _covered(reader, one)) for one in documents]
    tokens: list[VerifiedToken] = []
    try:
        for token, message in pairs:
            verified = verify_token(token, message, authorities)
            if tokens and not tokens[-1].at <= verified.at < tokens[-1].expires_at:
                raise pdf_failure(
                    "pdf-timestamp-expired",
                    f"renewed {format_time(verified.at)}, but the certificate before ended "
                    f"{format_time(tokens[-1].expires_at)}",
                )
            tokens.append(verified)
    except TimestampsUnavailable:
        return [], "no-library"
    except TimestampError as error:
        raise pdf_failure("pdf-timestamp-invalid", error) from error
    if tokens and at is not None and tokens[-1].expires_at <= at:
        raise pdf_failure("pdf-timestamp-expired", f"good until {tokens[-1].expires_at.date()}")
    return tokens, "" if tokens else "no-timestamp"


def tokens_result(tokens: Sequence[VerifiedToken], unchecked: str) -> tuple[str, str]:
    if tokens:
        names = ", ".join(sorted({token.authority for token in tokens}))
        first, until = tokens[0].at, tokens[-1].expires_at
        return (
            f"{len(tokens)} von {names}, zuerst {exact(first, 'de')}. "
            f"Zu erneuern bis {exact(until, 'de')}.",
            f"{len(tokens)} of {names}, first {exact(first, 'en')}. "
            f"Renew before {exact(until, 'en')}.",
        )
    return {
        "no-authority": (
            "Nicht geprüft: Die Vertrauensdatei nennt keine Zeitstempelstelle.",
            "Not checked: the trust file names no timestamp authority.",
        ),
        "no-library": (
            f"Nicht geprüft: Es fehlt ein Programmteil. Bitte nachholen: {INSTALL}",
            f"Not checked: a library is missing. To do so: {INSTALL}",
        ),
    }.get(
        unchecked,
        (
            "Nicht geprüft: Das Siegel trägt keinen Zeitstempel; seine Zeit sagt der Dienst.",
            "Not checked: the seal bears no timestamp; its time is the service's word.",
        ),
    )


def _token_of(seal: EmbeddedPdfSignature) -> bytes | None:
    from asn1crypto.cms import CMSAttributes  # type: ignore[import-untyped]  # it has no types

    attributes = seal.signer_info["unsigned_attrs"]
    for attribute in attributes if isinstance(attributes, CMSAttributes) else ():
        if attribute["type"].native == "signature_time_stamp_token":
            return bytes(attribute["values"][0].dump())
    return None


def _content(signature: EmbeddedPdfSignature) -> bytes:
    # /Contents is padded with zeros behind the DER.
    from asn1crypto.cms import ContentInfo

    return bytes(ContentInfo.load(signature.pkcs7_content).dump())


def _covered(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> bytes:
    parts = []
    ranges = [int(value) for value in signature.byte_range]
    for start, length in zip(ranges[::2], ranges[1::2], strict=True):
        reader.stream.seek(start)
        parts.append(reader.stream.read(length))
    return b"".join(parts)
