"""Keys that are made in a token (PKCS #11) and never leave it: Ed25519 to sign, HMAC for custody.

Each is found by its id in the keyring, as CKA_ID. It is sensitive and not extractable, and used
only after the token has said so itself; each signature is verified before it is given away.
"""

from __future__ import annotations

from typing import Any

from siegelpost.evidence.errors import SignatureError
from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.evidence.notes import Verifier
from siegelpost.keyring.errors import KeyringError, TokenUnavailableError
from siegelpost.keyring.tokens import OpenSession, Token
from siegelpost.sealing.wrapping import KEY_SIZE, managed_context

#: CKA_EC_PARAMS of Ed25519: its object identifier (RFC 8410), or as older tokens want it, its name.
_CURVES = (bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519")
_SIGNATURE = 64
_PROBE = b"siegelpost/probe/v1"


class TokenSigner:
    """A `Signer` whose private key is in a token; `sign` blocks and raises KeyringError."""

    def __init__(self, token: Token, key: KeyId, verifier: Verifier) -> None:
        self._token = token
        self._key = key
        self._verifier = verifier

    @property
    def name(self) -> str:
        return self._verifier.name

    @property
    def verifier(self) -> Verifier:
        return self._verifier

    def sign(self, message: bytes) -> bytes:
        """Checked each time: a token with another key under this id would make void evidence."""
        signature = self._token.run(lambda session: _sign(session, self._key, message))
        try:
            self._verifier.verify(message, signature)
        except SignatureError:
            raise KeyringError(f"the token's key {self._key} is another one") from None
        return signature

    def probe(self) -> None:
        """Sign something that no reader of notes takes for one; KeyringError if that fails."""
        self.sign(_PROBE)


class TokenCustody:
    """A `Custody` whose secret is in a token: HMAC-SHA256 over what the copy is bound to."""

    def __init__(self, token: Token, key: KeyId) -> None:
        self._token = token
        self._key = key

    def wrapping_key(self, mailbox: MailboxId, key: KeyId, salt: bytes) -> bytes:
        context = managed_context(mailbox, key, salt)
        return self._token.run(lambda session: _hmac(session, self._key, context))


def make_signing_key(token: Token, key: KeyId, label: str) -> bytes:
    """Make an Ed25519 key in the token; returns its public half, 32 bytes."""

    def work(session: OpenSession) -> bytes:
        import pkcs11
        from pkcs11 import Attribute, KeyType

        with session.writable() as raw:
            for curve in _CURVES:
                _remove(raw, key)
                try:
                    public, private = raw.create_domain_parameters(
                        KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: curve}, local=True
                    ).generate_keypair(
                        mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                        capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
                        store=True,
                        id=key.encode("ascii"),
                        label=label,
                        private_template=kept(),
                    )
                except pkcs11.PKCS11Error:
                    if curve is _CURVES[-1]:
                        raise
                    continue
                check_kept(private)
                return _point(public[Attribute.EC_POINT])
        raise AssertionError("unreachable: the last curve returns or raises")

    public = token.run(work)
    TokenSigner(token, key, Verifier(name="probe", public_key=public)).probe()
    return public


def make_custody_key(token: Token, key: KeyId, label: str) -> None:
    """Make a secret of 32 bytes in the token."""

    def work(session: OpenSession) -> None:
        import pkcs11

        with session.writable() as raw:
            _remove(raw, key)
            made = raw.generate_key(
                pkcs11.KeyType.GENERIC_SECRET,
                8 * KEY_SIZE,
                mechanism=pkcs11.Mechanism.GENERIC_SECRET_KEY_GEN,
                capabilities=pkcs11.MechanismFlag.SIGN,
                store=True,
                id=key.encode("ascii"),
                label=label,
                template=kept(),
            )
            check_kept(made)

    token.run(work)
    token.run(lambda session: _hmac(session, key, _PROBE))


def destroy(token: Token, key: KeyId) -> None:
    """Remove whatever the token holds under this id; nothing there is well, too."""

    def work(session: OpenSession) -> None:
        with session.writable() as raw:
            _remove(raw, key)

    token.run(work)


def _sign(session: OpenSession, key: KeyId, message: bytes) -> bytes:
    from pkcs11 import Mechanism

    private = session.key("PRIVATE_KEY", key.encode("ascii"))
    return _exactly(private.sign(message, mechanism=Mechanism.EDDSA), _SIGNATURE)


def _hmac(session: OpenSession, key: KeyId, context: bytes) -> bytes:
    from pkcs11 import Mechanism

    secret = session.key("SECRET_KEY", key.encode("ascii"))
    return _exactly(secret.sign(context, mechanism=Mechanism.SHA256_HMAC), KEY_SIZE)


def _exactly(data: Any, size: int) -> bytes:
    if not isinstance(data, bytes) or len(data) != size:
        raise TokenUnavailableError(f"the token answered with something else than {size} bytes")
    return data


def kept() -> dict[Any, bool]:
    """What a private key's template says, so that it stays where it is."""
    from pkcs11 import Attribute

    return {
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.MODIFIABLE: False,  # nor does it learn to wrap or derive later
    }


def check_kept(made: Any) -> None:
    """Return if the token says so itself; else it is removed, and this is a KeyringError."""
    from pkcs11 import Attribute

    if made[Attribute.EXTRACTABLE] or not (made[Attribute.SENSITIVE] and made[Attribute.PRIVATE]):
        made.destroy()
        raise KeyringError("the token made a key that could leave it; it was removed again")


def _remove(raw: Any, key: KeyId) -> None:
    """Work may run twice: what the first try left would make the key ambiguous."""
    from pkcs11 import Attribute

    for found in list(raw.get_objects({Attribute.ID: key.encode("ascii")})):
        found.destroy()


def _point(encoded: bytes) -> bytes:
    """CKA_EC_POINT as tokens give it: raw, or as an OCTET or BIT STRING (DER)."""
    for head in (b"", b"\x04\x20", b"\x03\x21\x00"):
        if len(encoded) == len(head) + 32 and encoded.startswith(head):
            return encoded[len(head) :]
    raise KeyringError("the token tells a public key in an unknown form")
