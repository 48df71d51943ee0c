"""The key that seals PDFs, made in a token (PKCS #11): ECDSA on P-256, as X.509 wants it.

`TokenEcKey` lets the certificate, or the request for one, be signed in the token; sealing itself
goes through `receipts.sealing`. It is found by its label, as keys are that were made elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import NoReturn, cast

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.utils import Buffer

from siegelpost.keyring.errors import KeyringError
from siegelpost.keyring.token_keys import check_kept, kept
from siegelpost.keyring.tokens import OpenSession, Token


class TokenEcKey(ec.EllipticCurvePrivateKey):
    """A key on P-256 in a token, for whoever asks `cryptography`'s keys to sign."""

    def __init__(self, token: Token, label: str, public: ec.EllipticCurvePublicKey) -> None:
        self._token = token
        self._label = label
        self._public = public

    def sign(
        self,
        data: Buffer,
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """The signature, DER; blocks, and raises KeyringError."""
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, utils.Prehashed):
            raise KeyringError("the token's key signs data, not digests")
        digest = hashlib.new(algorithm.name, data).digest()

        def work(session: OpenSession) -> bytes:
            from pkcs11 import Mechanism
            from pkcs11.util.ec import encode_ecdsa_signature

            private = session.find("PRIVATE_KEY", "LABEL", self._label)
            return encode_ecdsa_signature(private.sign(digest, mechanism=Mechanism.ECDSA))

        return self._token.run(work)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, *_: object) -> NoReturn:
        raise KeyringError("the token's key only signs")

    def private_numbers(self) -> NoReturn:
        raise KeyringError("the key does not leave the token")

    def private_bytes(self, *_: object) -> NoReturn:
        raise KeyringError("the key does not leave the token")

    def __copy__(self) -> TokenEcKey:
        return self

    def __deepcopy__(self, memo: object) -> TokenEcKey:
        return self


def make_ec_key(token: Token, label: str) -> TokenEcKey:
    """Make a key on P-256 in the token, under a label that nothing there has yet."""

    def work(session: OpenSession) -> bytes:
        from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag
        from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

        with session.writable() as raw:
            for left in list(raw.get_objects({Attribute.LABEL: label})):
                left.destroy()  # by a first try that failed half-way
            public, private = raw.create_domain_parameters(
                KeyType.EC,
                {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
                local=True,
            ).generate_keypair(
                mechanism=Mechanism.EC_KEY_PAIR_GEN,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                store=True,
                label=label,
                private_template=kept(),
            )
            check_kept(private)
            return encode_ec_public_key(public)

    public = cast(ec.EllipticCurvePublicKey, load_der_public_key(token.run(work)))
    return TokenEcKey(token, label, public)
