"""A certification authority for seal certificates, as a state's one would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


class SealCa:
    """Issues certificates for requests, and an empty revocation list."""

    def __init__(self, *, days: int = 9000) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA Musterland")])
        self.root = self._issue(self._name, self._key.public_key(), days=days, ca=True)

    def certify(self, request: bytes, *, days: int = 3650) -> x509.Certificate:
        """The certificate for a request (PEM)."""
        asked = x509.load_pem_x509_csr(request)
        assert asked.is_signature_valid
        return self._issue(asked.subject, asked.public_key(), days=days, ca=False)

    def certify_key(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """The certificate for a key that cannot ask by itself."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._issue(subject, key, days=3650, ca=False)

    def revocations(self) -> bytes:
        """CRL, DER."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + timedelta(days=7))
            .add_extension(_authority_key(self._key), critical=False)
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _issue(self, subject: x509.Name, key: object, *, days: int, ca: bool) -> x509.Certificate:
        now = datetime.now(UTC)
        public = key
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(not ca, not ca, False, False, False, ca, ca, False, False),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(_authority_key(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _authority_key(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
