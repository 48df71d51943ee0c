"""The key that seals PDF receipts: its certificates, and the key itself or where a token holds it.

ECDSA on P-256, or RSA from a certification authority; PAdES (ETSI EN 319 142-1) needs X.509, so
this key lives beside the others in a format of its own. A key in hardware is named by module,
token and label (PKCS #11); its PIN is never kept here.
Making a certificate says nothing about who vouches for it: one that the service signs itself is
worth what the trust file is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.fields import Fields
from siegelpost.keyring.errors import KeyringError

FORMAT = "siegelpost/seal-key/v1"
#: How long a certificate that the service signs itself lives.
LIFETIME = timedelta(days=3653)
#: Clocks differ: a certificate begins a little before it is made.
_BEFORE = timedelta(minutes=5)
_MOST_CERTIFICATES = 10


@dataclass(frozen=True, kw_only=True)
class TokenKey:
    """Where a token holds the key."""

    #: Path of the PKCS #11 library.
    module: str
    #: Label of the token.
    token: str
    #: Label of the key.
    label: str


@dataclass(frozen=True, kw_only=True)
class SealKey:
    """A seal key; exactly one of `private` and `on_token`."""

    #: Its certificate and those up to a root, DER; empty while one is asked for.
    certificates: tuple[bytes, ...] = ()
    #: PKCS #8, DER.
    private: bytes | None = field(default=None, repr=False)
    on_token: TokenKey | None = None

    def __post_init__(self) -> None:
        if (self.private is None) == (self.on_token is None):
            raise KeyringError("a seal key is either here or on a token")

    def encode(self) -> bytes:
        """As the keyring keeps it."""
        token: dict[str, Json] | None = None
        if self.on_token is not None:
            token = {
                "module": self.on_token.module,
                "token": self.on_token.token,
                "label": self.on_token.label,
            }
        return canonical.encode(
            {
                "format": FORMAT,
                "certificates": [der.hex() for der in self.certificates],
                "private": None if self.private is None else self.private.hex(),
                "token": token,
            }
        )


def read_seal_key(data: bytes) -> SealKey:
    """The key as `encode` wrote it; FormatError if malformed."""
    fields = Fields(
        canonical.decode(data),
        "seal key",
        required=("format", "certificates", "private", "token"),
    )
    fields.expect("format", FORMAT)
    on_token = None
    if fields.has("token"):
        token = Fields(fields.mapping("token"), "token", required=("module", "token", "label"))
        on_token = TokenKey(
            module=token.text("module"), token=token.text("token"), label=token.text("label")
        )
    private = None
    if fields.has("private"):
        private = _bytes(fields.text("private", max_length=20_000))
    return SealKey(
        certificates=tuple(
            _bytes(item) for item in fields.items("certificates", max_items=_MOST_CERTIFICATES)
        ),
        private=private,
        on_token=on_token,
    )


def new_seal_key(
    origin: str,
    *,
    organisation: str | None = None,
    now: datetime,
    held: tuple[TokenKey, ec.EllipticCurvePrivateKey] | None = None,
) -> SealKey:
    """A new key on P-256 with a certificate that it signs itself; `held` was made in a token."""
    on_token, key = held or (None, ec.generate_private_key(ec.SECP256R1()))
    name = subject(origin, organisation)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return SealKey(
        certificates=(certificate.public_bytes(Encoding.DER),),
        private=None if on_token else _pkcs8(key),
        on_token=on_token,
    )


def request_certificate(
    origin: str,
    *,
    organisation: str | None = None,
    held: tuple[TokenKey, ec.EllipticCurvePrivateKey] | None = None,
) -> tuple[SealKey, bytes]:
    """A new key without a certificate, and the request for one (PKCS #10, PEM); `held` likewise."""
    on_token, key = held or (None, ec.generate_private_key(ec.SECP256R1()))
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject(origin, organisation))
        .add_extension(_USAGE, critical=True)
        .sign(key, hashes.SHA256())
    )
    made = SealKey(private=None if on_token else _pkcs8(key), on_token=on_token)
    return made, request.public_bytes(Encoding.PEM)


def with_certificates(key: SealKey, certificates: Sequence[x509.Certificate]) -> SealKey:
    """The key with its certificates, the own one first; KeyringError if it is of another key.

    Whether a token holds the key of a certificate shows when it first seals.
    """
    if not 0 < len(certificates) <= _MOST_CERTIFICATES:
        raise KeyringError(f"between 1 and {_MOST_CERTIFICATES} certificates")
    if key.private is not None:
        own = load_der_private_key(key.private, None).public_key()
        if _spki(own) != _spki(certificates[0].public_key()):
            raise KeyringError("the first certificate is of another key")
    return SealKey(
        certificates=tuple(item.public_bytes(Encoding.DER) for item in certificates),
        private=key.private,
        on_token=key.on_token,
    )


def subject(origin: str, organisation: str | None) -> x509.Name:
    """Whom the certificate names: the service, and who runs it."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, f"Siegel {origin}"[:64])]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]))
    return x509.Name(parts)


#: Signs documents, and nothing else: RFC 5280 4.2.1.3, digitalSignature and nonRepudiation.
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _bytes(text: Json) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        raise FormatError("seal key: not hex") from None


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _spki(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of key has it
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return encoded
