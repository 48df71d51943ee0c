"""How this service seals PDF receipts: key of the keyring, PIN of a file, authorities in order.

A PDF is sealed also when no timestamp can be had just then: the receipt inside carries timestamps
of its own, and `siegelpost renew FILE` adds one to the PDF later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import httpx2
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from siegelpost.evidence.errors import EvidenceError
from siegelpost.evidence.timestamps import MAX_TOKEN, TimestampError, token_of_response
from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.file_keyring import FileKeyring
from siegelpost.keyring.pins import Pin
from siegelpost.keyring.protocol import KeyPurpose, Keyring
from siegelpost.keyring.seal_key import SealKey, read_seal_key
from siegelpost.service.errors import ServiceError
from siegelpost.service.timestamping import NoAuthority, ReachableAuthority

_TIMEOUT_SECONDS = 10.0

_log = structlog.get_logger("siegelpost.pdf")


def pdf_sealer(
    keyring: FileKeyring, authorities: Sequence[ReachableAuthority], pin_file: Path | None
) -> Callable[[bytes], bytes]:
    """Return what seals a PDF; it blocks, and raises SealingFailed."""
    pin = seal_pin(keyring, pin_file)

    def seal(pdf: bytes) -> bytes:
        # pyHanko takes a second to load; only processes that seal pay for it.
        from siegelpost.receipts.sealing import SealingFailed, seal_pdf

        try:
            key = current_seal_key(keyring)
        except (KeyringError, EvidenceError) as error:
            raise SealingFailed(f"{error}; `siegelpost seal make` makes a key") from error
        if not authorities:
            return seal_pdf(pdf, key, pin=pin)
        try:
            return seal_pdf(pdf, key, timestamp=lambda ask: fetch(authorities, ask), pin=pin)
        except SealingFailed as error:
            if not isinstance(error.__cause__, NoAuthority):
                raise
            _log.warning("sealed without timestamp", reason=str(error))
            return seal_pdf(pdf, key, pin=pin)

    return seal


def current_seal_key(keyring: Keyring) -> SealKey:
    """Return the seal key in force; raises KeyMissingError."""
    return read_seal_key(keyring.private_key(KeyPurpose.SEAL))


def seal_pin(keyring: FileKeyring, file: Path | None) -> Pin | None:
    """Return the PIN of the token, if a file is named; it is read when it is needed."""
    return None if file is None else keyring.pin(file)


def fetch(authorities: Sequence[ReachableAuthority], request: bytes) -> bytes:
    """Return the first good answer to a TimeStampReq (RFC 3161, DER); raises NoAuthority."""
    reasons = []
    with httpx2.Client(timeout=_TIMEOUT_SECONDS) as http:
        for reachable in authorities:
            try:
                response = http.post(
                    reachable.url,
                    content=request,
                    headers={"Content-Type": "application/timestamp-query"},
                )
                if response.status_code != 200 or len(response.content) > MAX_TOKEN:
                    raise TimestampError(f"status {response.status_code}")
                token_of_response(response.content)
            except (TimestampError, httpx2.HTTPError) as error:
                reason = str(error) or type(error).__name__
                reasons.append(f"{reachable.authority.name}: {reason[:300]}")
            else:
                return response.content
    raise NoAuthority("; ".join(reasons) or "none is configured")


def roots_of(keyring: Keyring, authorities: Sequence[ReachableAuthority]) -> list[bytes]:
    """Return what seals and timestamps lead to, DER: for validation data in long-lived PDFs."""
    found = [item.der for item in keyring.seal_certificates()]
    with suppress(KeyringError):
        found += current_seal_key(keyring).certificates[1:]
    found += [
        x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
        for reachable in authorities
        for pem in reachable.authority.certificates
    ]
    return found


def renew_files(
    files: Sequence[Path],
    keyring: Keyring,
    authorities: Sequence[ReachableAuthority],
    revocations: Sequence[bytes],
    *,
    now: datetime,
) -> None:
    """Add a timestamp over each PDF, in place (PAdES B-LTA); raises ServiceError.

    Each file is replaced as a whole: whoever is interrupted runs it again, and has at worst one
    timestamp more than needed.
    """
    from siegelpost.receipts.sealing import SealingFailed, extend_pdf

    roots = roots_of(keyring, authorities)
    for file in files:
        try:
            longer = extend_pdf(
                file.read_bytes(),
                timestamp=lambda ask: fetch(authorities, ask),
                roots=roots,
                revocations=revocations,
                now=now,
            )
            temporary = file.with_name(f".{file.name}.new")
            temporary.write_bytes(longer)
            temporary.replace(file)
        except (SealingFailed, OSError) as error:
            raise ServiceError(f"{file}: {error}") from error
