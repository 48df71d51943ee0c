"""Detached CMS signatures of pinned certificates (RFC 5652, CAdES-B: ETSI EN 319 122-1).

Small on purpose: one signer, whose certificate the trust file pins byte for byte, so no chain is
built and no revocation looked up. Needs asn1crypto (extra `verify`), imported only then.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from siegelpost.evidence.errors import EvidenceError, FormatError, SignatureError

#: Largest signature that is read, in bytes.
MAX_CMS = 64_000

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class CmsUnavailable(EvidenceError):
    """The library that reads CMS is not installed."""


def verify_cms(signature: bytes, content: bytes) -> bytes:
    """The certificate (DER) whose key signed `content`; the caller compares it with pinned ones.

    Raises CmsUnavailable, FormatError for what is no such signature, and SignatureError.
    """
    if len(signature) > MAX_CMS:
        raise FormatError(f"a CMS signature of more than {MAX_CMS} bytes")
    try:
        # `tsp` teaches `cms` the attribute signing-certificate-v2; it is not used otherwise.
        from asn1crypto import cms, tsp  # type: ignore[import-untyped]  # it has no types
    except ModuleNotFoundError:
        raise CmsUnavailable("CMS needs asn1crypto: pip install 'siegelpost[verify]'") from None
    assert tsp is not None
    try:
        info = cms.ContentInfo.load(signature, strict=True)
        if info["content_type"].native != "signed_data":
            raise FormatError("not a CMS signature")
        signed = info["content"]
        (signer,) = signed["signer_infos"]
        if signed["encap_content_info"]["content"].native is not None:
            raise FormatError("the CMS signature holds contents of its own")
        certificate = _certificate(signed, signer)
        attributes = {
            attribute["type"].native: attribute["values"] for attribute in signer["signed_attrs"]
        }
        hash_name = signer["digest_algorithm"]["algorithm"].native
        digest = attributes["message_digest"][0].native
        content_type = attributes["content_type"][0].native
        named = attributes["signing_certificate_v2"][0]["certs"][0]
        named_hash = named["hash_algorithm"]["algorithm"].native
        named_digest = named["cert_hash"].native
        # RFC 5652, 5.4: the attributes are signed as an explicit SET OF.
        message = signer["signed_attrs"].untag().dump()
        value = signer["signature"].native
    except FormatError:
        raise
    except Exception as error:  # asn1crypto raises ValueError, TypeError, KeyError and more
        raise FormatError(f"the CMS signature is malformed: {type(error).__name__}") from error
    if hash_name not in _HASHES or named_hash not in _HASHES or content_type != "data":
        raise FormatError("the CMS signature uses what court files do not")
    if hashlib.new(hash_name, content).digest() != digest:
        raise SignatureError("the CMS signature is over other contents")
    if hashlib.new(named_hash, certificate).digest() != named_digest:
        raise SignatureError("the CMS signature names another certificate")
    _verify(certificate, value, message, _HASHES[hash_name])
    return certificate


def _certificate(signed: Any, signer: Any) -> bytes:
    """The signer's certificate among those enclosed."""
    wanted = signer["sid"].chosen
    for choice in signed["certificates"]:
        certificate = choice.chosen
        if (certificate.issuer, certificate.serial_number) == (
            wanted["issuer"],
            wanted["serial_number"].native,
        ):
            return bytes(certificate.dump())
    raise FormatError("the CMS signature encloses no certificate of its signer")


def _verify(
    certificate: bytes, value: bytes, message: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, message, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, message, padding.PKCS1v15(), algorithm)
        else:
            raise FormatError("a seal certificate has an ECDSA or RSA key")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise SignatureError("the CMS signature does not verify") from None
