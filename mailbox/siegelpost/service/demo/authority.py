"""A timestamp authority on this machine, by `openssl ts`: for the demo and for tests.

Its certificates are made here and prove nothing to anybody: real installations name authorities
that courts trust.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: No `certs` line: tokens with a chain in them are not read by every client.
_CONFIGURATION = """\
[ tsa ]
default_tsa = local
[ local ]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_MAX_REQUEST = 10_000


class LocalAuthority:
    """Keys and certificates in a folder; `reply` answers one request."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "Zeitstempel (Demo)",
        now: datetime | None = None,
        days: float = 3650,
    ) -> None:
        """Make a root and a timestamping certificate that ends after ``days``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        begun = (now or datetime.now(UTC)) - timedelta(days=1)
        root_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        ended = begun + timedelta(days=1 + days)
        root = _certificate(
            f"{name} Root", root_key, None, root_key, begun, begun + timedelta(days=9000)
        )
        leaf = _certificate(name, key, root, root_key, begun, ended)
        self._root, self._root_key = root, root_key
        self.certificate = folder / "ca.pem"
        self.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(_CONFIGURATION.format(folder=folder))
        self._lock = threading.Lock()  # openssl counts serials in a file

    def revocations(self, now: datetime) -> bytes:
        """The root's revocation list (CRL, DER), which is empty."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._root.subject)
            .last_update(now - timedelta(minutes=1))
            .next_update(now + timedelta(days=7))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key()),
                critical=False,
            )
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        crl = builder.sign(self._root_key, hashes.SHA256())
        return crl.public_bytes(serialization.Encoding.DER)

    def reply(self, request: bytes) -> bytes:
        """The TimeStampResp to a TimeStampReq (both DER)."""
        with self._lock:
            query = self.folder / "query.tsq"
            query.write_bytes(request)
            configuration = self.folder / "ts.cnf"
            command: list[str | Path] = ["openssl", "ts", "-reply", "-config", configuration]
            done = subprocess.run(  # noqa: S603 - a fixed program on a file of ours
                [*command, "-queryfile", query], capture_output=True, check=True, timeout=30
            )
            return done.stdout


@contextmanager
def serving(authority: LocalAuthority) -> Iterator[str]:
    """Answer over HTTP on this machine for the length of the block; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = min(int(self.headers.get("Content-Length", "0")), _MAX_REQUEST)
            try:
                answer = authority.reply(self.rfile.read(size))
            except subprocess.SubprocessError:
                self.send_error(500)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="timestamp-authority", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    begun: datetime,
    ended: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(ended)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if issuer is None:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
    else:
        # RFC 3161, 2.3: exactly this one purpose, and critical.
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
    return builder.sign(issuer_key, hashes.SHA256())
