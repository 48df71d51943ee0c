"""RFC 3161 timestamps of checkpoints: an outside authority says "this existed at that time".

One token dates a signed checkpoint, and with it every event in its tree: none of them is younger.
It does not say that they are not older.
Checking a token needs `rfc3161-client` (extra `verify`), imported only then; without it,
`TimestampsUnavailable` says what to install. Revocation of an authority's certificate is not
looked up: an authority that lost its key gets a `valid_until` in the trust file.
Issuing tokens and fetching them is the caller's.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from siegelpost.evidence.canonical import Json
from siegelpost.evidence.checkpoint import MAX_CHECKPOINT
from siegelpost.evidence.errors import EvidenceError, FormatError, InclusionError
from siegelpost.evidence.fields import Fields
from siegelpost.evidence.merkle import HASH_SIZE, MAX_LEVEL
from siegelpost.evidence.notes import split_note
from siegelpost.evidence.renewal import MAX_LEAVES, renewal_leaf, root_of_path
from siegelpost.evidence.times import format_time

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

#: Largest token that is read, in bytes.
MAX_TOKEN = 32_000
#: Most renewals of one timestamp: one every two years for a century.
MAX_RENEWALS = 50
#: What a verifier installs to check timestamps.
INSTALL = "pip install 'siegelpost[verify]'"

_HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


class TimestampError(EvidenceError):
    """A token is malformed, is over something else, or no trusted authority issued it."""


class TimestampExpired(TimestampError):
    """A token was renewed, or relied upon, only after its certificate had ended."""


class TimestampsUnavailable(EvidenceError):
    """The library that checks tokens is not installed."""

    def __init__(self) -> None:
        super().__init__(f"timestamps need rfc3161-client: {INSTALL}")


@dataclass(frozen=True, kw_only=True)
class TimestampAuthority:
    """An authority whose tokens count."""

    #: For people.
    name: str
    #: Its roots and intermediates, PEM, one certificate each; tokens carry their own leaf.
    certificates: tuple[str, ...]
    #: Tokens of this time and later count no more; None: trusted.
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        if not self.certificates:
            raise FormatError(f"timestamp authority {self.name} has no certificate")
        self.loaded()

    def loaded(self) -> list[x509.Certificate]:
        """The certificates; FormatError if one is not PEM."""
        try:
            return [x509.load_pem_x509_certificate(pem.encode()) for pem in self.certificates]
        except ValueError:
            raise FormatError(f"a certificate of {self.name} is not PEM") from None


@dataclass(frozen=True, kw_only=True)
class VerifiedToken:
    """What a token says, once it holds."""

    #: Name of the authority.
    authority: str
    #: The message existed then: the token's time plus the accuracy that it claims.
    at: datetime
    #: When the certificate that signed it ends; renew before.
    expires_at: datetime
    #: Hash over the message, such as `sha512`.
    hash_name: str


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A later token over a tree in which the one before is a leaf (see `renewal`)."""

    token: bytes
    #: Place of the renewed token in the tree, the tree's size, and the path to its root.
    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class CheckpointTimestamp:
    """A timestamp as a receipt carries it."""

    #: The checkpoint that is dated: the receipt's or an earlier one.
    checkpoint: str
    #: Proof that the receipt's checkpoint extends it (RFC 6962, 2.1.2).
    consistency: tuple[bytes, ...] = ()
    #: TimeStampToken, DER.
    token: bytes
    #: Oldest first.
    renewals: tuple[Renewal, ...] = ()

    def json(self) -> dict[str, Json]:
        """As it stands in the receipt."""
        return {
            "checkpoint": self.checkpoint,
            "consistency": [_b64(part) for part in self.consistency],
            "token": _b64(self.token),
            "renewals": [
                {
                    "token": _b64(renewal.token),
                    "index": renewal.index,
                    "size": renewal.size,
                    "path": [_b64(part) for part in renewal.path],
                }
                for renewal in self.renewals
            ],
        }


def parse_timestamp(value: Json) -> CheckpointTimestamp:
    """The timestamp of a receipt's JSON; FormatError if malformed. Nothing is verified."""
    fields = Fields(
        value,
        "receipt: timestamp",
        required=("checkpoint", "consistency", "token"),
        optional=("renewals",),
    )
    renewals = fields.items("renewals", max_items=MAX_RENEWALS) if fields.has("renewals") else ()
    return CheckpointTimestamp(
        checkpoint=fields.text("checkpoint", max_length=MAX_CHECKPOINT),
        consistency=_hashes(fields, "consistency", HASH_SIZE, MAX_LEVEL + 1),
        token=_token(fields),
        renewals=tuple(_parse_renewal(item) for item in renewals),
    )


def timestamped_message(note: str) -> bytes:
    """What a token dates: the checkpoint's text, an empty line and its first signature line.

    The first line is the log's own; later lines (cosignatures, a newer key) change nothing.
    """
    text, signatures = split_note(note)
    return f"{text}\n{signatures[0].line()}".encode()


def verify_token(
    token: bytes, message: bytes, authorities: Sequence[TimestampAuthority]
) -> VerifiedToken:
    """What `token` says about `message`, by the first of `authorities` that issued it.

    Raises TimestampError, and TimestampsUnavailable without rfc3161-client.
    """
    response = _decode(token)
    reasons: list[str] = []
    for authority in authorities:
        try:
            return _verify(response, message, authority)
        except TimestampError as error:
            reasons.append(f"{authority.name}: {error}")
    raise TimestampError("; ".join(reasons) or "no authority is trusted")


def verify_timestamp(
    timestamp: CheckpointTimestamp, authorities: Sequence[TimestampAuthority]
) -> tuple[VerifiedToken, VerifiedToken]:
    """The first token and the last renewal (the first again without any), all of them good.

    Raises TimestampError, TimestampExpired if a renewal came too late, NoteError if the checkpoint
    is malformed, TimestampsUnavailable.
    """
    message = timestamped_message(timestamp.checkpoint)
    token = timestamp.token
    first = last = verify_token(token, message, authorities)
    for renewal in timestamp.renewals:
        try:
            root = root_of_path(
                renewal_leaf(token, message), renewal.index, renewal.size, renewal.path
            )
        except (FormatError, InclusionError) as error:
            raise TimestampError(str(error)) from error
        newer = verify_token(renewal.token, root, authorities)
        if newer.at >= last.expires_at or newer.at < last.at:
            raise TimestampExpired(
                f"renewed {format_time(newer.at)}, but the certificate before ended "
                f"{format_time(last.expires_at)}"
            )
        token, message, last = renewal.token, root, newer
    return first, last


def token_of_response(response: bytes) -> bytes:
    """The token in an authority's answer (TimeStampResp, DER); TimestampError if refused."""
    decoded = _parse(response)
    if decoded.status != 0:
        said = "; ".join(decoded.status_string)
        raise TimestampError(f"the authority refused with status {decoded.status}: {said}")
    return decoded.time_stamp_token()


def describe_token(token: bytes) -> tuple[datetime, str, bytes]:
    """Time, hash name and message digest of a token, unverified; TimestampError if malformed."""
    try:
        info = _decode(token).tst_info
    except ValueError as error:
        raise TimestampError(f"no timestamp: {error}") from error
    imprint = info.message_imprint
    name = _HASHES.get(imprint.hash_algorithm.dotted_string, "unknown")
    return info.gen_time.astimezone(UTC), name, imprint.message


def _verify(
    response: TimeStampResponse, message: bytes, authority: TimestampAuthority
) -> VerifiedToken:
    from rfc3161_client import VerificationError, VerifierBuilder

    verifier = VerifierBuilder(roots=authority.loaded()).build()
    try:
        verifier.verify_message(response, message)
    except (VerificationError, ValueError) as error:
        raise TimestampError(str(error)) from error
    info = response.tst_info
    at = info.gen_time.astimezone(UTC) + _accuracy(response)
    if authority.valid_until is not None and at >= authority.valid_until:
        raise TimestampError(f"trusted only until {format_time(authority.valid_until)}")
    return VerifiedToken(
        authority=authority.name,
        at=at,
        expires_at=_signer(response).not_valid_after_utc,
        hash_name=_HASHES[info.message_imprint.hash_algorithm.dotted_string],
    )


def _signer(response: TimeStampResponse) -> x509.Certificate:
    (signer,) = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (
            signer.issuer,
            signer.serial_number,
        ):
            return certificate
    raise TimestampError("the token does not carry its certificate")


def _accuracy(response: TimeStampResponse) -> timedelta:
    accuracy = response.tst_info.accuracy
    if accuracy is None:
        return timedelta()
    return timedelta(
        seconds=accuracy.seconds or 0,
        milliseconds=accuracy.millis or 0,
        microseconds=accuracy.micros or 0,
    )


def _decode(token: bytes) -> TimeStampResponse:
    # The library reads answers: TimeStampResp ::= SEQUENCE { SEQUENCE { INTEGER 0 }, token }.
    body = bytes.fromhex("3003020100") + token
    size = len(body)
    length = bytes([size]) if size < 0x80 else b"\x82" + size.to_bytes(2)
    if len(token) > MAX_TOKEN:
        raise TimestampError(f"the token is larger than {MAX_TOKEN} bytes")
    return _parse(b"\x30" + length + body)


def _parse(response: bytes) -> TimeStampResponse:
    try:
        from rfc3161_client import decode_timestamp_response
    except ImportError:
        raise TimestampsUnavailable from None
    if len(response) > MAX_TOKEN + 1000:
        raise TimestampError("the authority's answer is too large")
    try:
        return decode_timestamp_response(response)
    except ValueError as error:
        raise TimestampError(f"no timestamp: {error}") from error


def _parse_renewal(value: Json) -> Renewal:
    fields = Fields(value, "receipt: renewal", required=("token", "index", "size", "path"))
    return Renewal(
        token=_token(fields),
        index=fields.integer("index"),
        size=fields.integer("size", minimum=1),
        path=_hashes(fields, "path", 64, MAX_LEAVES.bit_length()),
    )


def _token(fields: Fields) -> bytes:
    return _unb64(fields.text("token", max_length=MAX_TOKEN * 4 // 3 + 4), "token")


def _hashes(fields: Fields, name: str, size: int, count: int) -> tuple[bytes, ...]:
    parts = [_unb64(item, name) for item in fields.items(name, max_items=count)]
    if any(len(part) != size for part in parts):
        raise FormatError(f"receipt: {name} holds no hashes of {size} bytes")
    return tuple(parts)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: Json, what: str) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "!", validate=True)
    except ValueError:
        raise FormatError(f"receipt: {what} is not base64") from None
