"""A sealed PDF receipt for tests, its seal key, and a trust file that pins it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from siegelpost.evidence.receipt import write_receipt
from siegelpost.evidence.seal_certificate import SealCertificate
from siegelpost.evidence.timestamps import TimestampAuthority
from siegelpost.evidence.trust import write_trust
from siegelpost.keyring.seal_key import SealKey, new_seal_key
from siegelpost.receipts.pdf import make_pdf
from siegelpost.receipts.sealing import Timestamp, seal_pdf
from siegelpost.receipts.words import Language
from tests.support.receipts import Sample, sample_trust


def receipt_json() -> bytes:
    """The sample receipt."""
    return write_receipt(Sample().receipt())


def unsealed(language: Language = "de") -> bytes:
    """The sample receipt as PDF without seal."""
    return make_pdf(receipt_json(), language=language, agency_name="Jobcenter Musterstadt")


@dataclass(kw_only=True)
class Sealer:
    """A service that seals, and what verifiers pin of it."""

    key: SealKey = field(
        default_factory=lambda: new_seal_key("post.example", now=datetime.now(UTC))
    )
    #: Since when the key is in use.
    since: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=1))
    until: datetime | None = None
    compromised_at: datetime | None = None
    authorities: tuple[TimestampAuthority, ...] = ()
    timestamp: Timestamp | None = None

    def seal(self, pdf: bytes) -> bytes:
        """The sealed PDF."""
        return seal_pdf(pdf, self.key, timestamp=self.timestamp)

    def trust(self) -> bytes:
        """The trust file that goes with it."""
        pinned = SealCertificate(
            der=self.key.certificates[0],
            valid_from=self.since,
            valid_until=self.until,
            compromised_at=self.compromised_at,
        )
        return write_trust(
            replace(
                sample_trust(),
                seal_certificates=(pinned,),
                timestamp_authorities=self.authorities,
            )
        )
