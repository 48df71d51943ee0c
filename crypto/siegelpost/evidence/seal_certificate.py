"""Certificates of the keys that seal PDF receipts, as trust files pin them (DESIGN section 7).

A certificate is pinned as it is: who issued it and when it ends decides nothing here. When it was
in use does, as for every other key of a trust file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.times import format_time


@dataclass(frozen=True, kw_only=True)
class SealCertificate:
    """One pinned certificate and when it was in use."""

    #: The certificate, DER.
    der: bytes
    #: First moment of its use.
    valid_from: datetime
    #: Moment from which it seals no more; seals made before stay good. None: in use.
    valid_until: datetime | None = None
    #: Since when somebody else may have sealed with it; only what a timestamp dates before counts.
    compromised_at: datetime | None = None

    def __post_init__(self) -> None:
        try:
            x509.load_der_x509_certificate(self.der)
        except ValueError:
            raise FormatError("a seal certificate is not readable") from None

    def in_force(self, moment: datetime) -> bool:
        """Whether the key sealed at `moment` by its validity."""
        return self.valid_from <= moment and (self.valid_until is None or moment < self.valid_until)

    @property
    def name(self) -> str:
        """Whom the certificate names, RFC 4514."""
        return x509.load_der_x509_certificate(self.der).subject.rfc4514_string()

    def json(self) -> dict[str, Json]:
        """As it stands in the trust file."""
        pem = x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM)
        value: dict[str, Json] = {
            "certificate": pem.decode("ascii"),
            "valid_from": format_time(self.valid_from),
            "valid_until": None if self.valid_until is None else format_time(self.valid_until),
        }
        if self.compromised_at is not None:
            value["compromised_at"] = format_time(self.compromised_at)
        return value


def parse_seal_certificate(value: Json | Mapping[str, Json]) -> SealCertificate:
    """The certificate of a trust file's entry; FormatError if malformed."""
    fields = Fields(
        value,
        "trust file: seal certificate",
        required=("certificate", "valid_from", "valid_until"),
        optional=("compromised_at",),
    )
    try:
        pem = fields.text("certificate", max_length=20_000).encode("ascii")
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise FormatError("trust file: a seal certificate is not PEM") from None
    return SealCertificate(
        der=certificate.public_bytes(Encoding.DER),
        valid_from=fields.time("valid_from"),
        valid_until=fields.time("valid_until") if fields.has("valid_until") else None,
        compromised_at=fields.time("compromised_at") if fields.has("compromised_at") else None,
    )
