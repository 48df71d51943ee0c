"""Wrapped copies of a mailbox's seed (DESIGN section 6): all that the service stores of it.

The citizen's browser makes and opens them; `portal`'s JavaScript mirrors this file byte by byte.
Texts are UTF-8, ‖ joins bytes, 0 is a zero byte.

Wrapping: AES-256-GCM(key = wrapping key, nonce = 12 random bytes, plaintext = 32-byte seed,
AAD = "siegelpost/wrap/v1" ‖ 0 ‖ mailbox id ‖ 0 ‖ key id ‖ 0 ‖ method). The ciphertext is 48 bytes,
the tag last. Ids are 1 to 100 of A-Z a-z 0-9 . _ -, hence no zero byte.

Wrapping key (32 bytes) by method, each with a random 16-byte salt of its own:

- `passphrase`: Argon2id version 1.3 (RFC 9106) over NFKC(passphrase), memory 65536 KiB, 3 passes,
  1 lane, 64 bytes out: the first 32 are the login proof, the last 32 the wrapping key.
  Only the login proof and the ciphertext ever leave the browser.
- `recovery-code`: HKDF-SHA256(ikm = the 27 canonical characters, salt,
  info = "siegelpost/recovery-code/v1").
- `passkey`: HKDF-SHA256(ikm = 32-byte PRF output, salt, info = "siegelpost/passkey/v1").
- `successor`: HKDF-SHA256(ikm = 32-byte seed of the key that took its place, salt,
  info = "siegelpost/successor/v1"). The only copy of a retired key.
- `managed`: HKDF-SHA256(ikm = a 32-byte secret of the service's keyring, salt,
  info = "siegelpost/managed/v1"); or, if that secret never leaves a token,
  HMAC-SHA256(secret, "siegelpost/managed/v2" ‖ 0 ‖ mailbox id ‖ 0 ‖ key id ‖ 0 ‖ salt).
  Of managed mailboxes: the service can open it.

A recovery code proves a login, too, for somebody who forgot the passphrase:
HKDF-SHA256(ikm = the 27 canonical characters, salt, info = "siegelpost/recovery-login/v1").
Of the two outputs with one salt, neither tells anything about the other (RFC 5869, 3.2).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from siegelpost.evidence.errors import FormatError
from siegelpost.evidence.ids import KeyId, MailboxId, check_id
from siegelpost.sealing.errors import WrappingError
from siegelpost.sealing.keys import SEED_SIZE
from siegelpost.sealing.recovery_code import parse_recovery_code

#: Bytes of the random parts and of the results.
SALT_SIZE = 16
NONCE_SIZE = 12
KEY_SIZE = 32
WRAPPED_SIZE = SEED_SIZE + 16
#: Most characters of a passphrase, before normalisation.
MAX_PASSPHRASE = 1000

_AAD_PREFIX = "siegelpost/wrap/v1"
_MEMORY_KIB = 64 * 1024
_PASSES = 3
_LANES = 1


class Method(StrEnum):
    """How a wrapped copy is opened."""

    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a method
    RECOVERY_CODE = "recovery-code"
    PASSKEY = "passkey"
    SUCCESSOR = "successor"
    MANAGED = "managed"


@dataclass(frozen=True, kw_only=True)
class WrappedSeed:
    """One wrapped copy, as stored. Raises WrappingError for parts of the wrong form."""

    #: Id of the mailbox.
    mailbox_id: MailboxId
    #: Id of the mailbox key whose seed it is.
    key_id: KeyId
    #: How it is opened.
    method: Method
    #: 16 bytes for deriving the wrapping key.
    salt: bytes
    #: 12 bytes, never twice with one wrapping key.
    nonce: bytes
    #: 48 bytes: the encrypted seed and the tag.
    ciphertext: bytes

    def __post_init__(self) -> None:
        for what, value, size in (
            ("salt", self.salt, SALT_SIZE),
            ("nonce", self.nonce, NONCE_SIZE),
            ("ciphertext", self.ciphertext, WRAPPED_SIZE),
        ):
            if len(value) != size:
                raise WrappingError(f"{what} of {len(value)} bytes instead of {size}")


def split_passphrase(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    """Login proof and wrapping key, 32 bytes each (about 0.2 s and 64 MiB of memory).

    Raises WrappingError for an empty or overlong passphrase or a salt of the wrong length.
    """
    _check_size("salt", salt, SALT_SIZE)
    if not passphrase or len(passphrase) > MAX_PASSPHRASE:
        raise WrappingError(f"a passphrase has 1 to {MAX_PASSPHRASE} characters")
    try:
        secret = unicodedata.normalize("NFKC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        raise WrappingError("the passphrase holds a lone surrogate") from None
    output = Argon2id(
        salt=salt,
        length=2 * KEY_SIZE,
        iterations=_PASSES,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    ).derive(secret)
    return output[:KEY_SIZE], output[KEY_SIZE:]


def recovery_code_key(typed: str, salt: bytes) -> bytes:
    """Wrapping key of a recovery code as typed; RecoveryCodeError if it cannot be one."""
    code = parse_recovery_code(typed)
    return _hkdf(code.encode("ascii"), salt, b"siegelpost/recovery-code/v1")


def recovery_login_proof(typed: str, salt: bytes) -> bytes:
    """Login proof (32 bytes) of a recovery code as typed; RecoveryCodeError if it cannot be one."""
    code = parse_recovery_code(typed)
    return _hkdf(code.encode("ascii"), salt, b"siegelpost/recovery-login/v1")


def passkey_key(prf_output: bytes, salt: bytes) -> bytes:
    """Wrapping key of a passkey's 32-byte PRF output (WebAuthn `prf` extension)."""
    _check_size("PRF output", prf_output, KEY_SIZE)
    return _hkdf(prf_output, salt, b"siegelpost/passkey/v1")


def successor_key(seed: bytes, salt: bytes) -> bytes:
    """Wrapping key for a retired key's seed, out of the seed (32 bytes) of its successor."""
    _check_size("seed", seed, SEED_SIZE)
    return _hkdf(seed, salt, b"siegelpost/successor/v1")


def managed_key(secret: bytes, salt: bytes) -> bytes:
    """Wrapping key of a managed mailbox, out of a 32-byte secret of the service's keyring."""
    _check_size("secret", secret, KEY_SIZE)
    return _hkdf(secret, salt, b"siegelpost/managed/v1")


def managed_context(mailbox_id: MailboxId, key_id: KeyId, salt: bytes) -> bytes:
    """What a token makes the HMAC of: the wrapping key is good for this one copy."""
    _check_size("salt", salt, SALT_SIZE)
    return _joined("siegelpost/managed/v2", mailbox_id, key_id) + b"\0" + salt


def wrap_seed(
    seed: bytes,
    *,
    wrapping_key: bytes,
    mailbox_id: MailboxId,
    key_id: KeyId,
    method: Method,
    salt: bytes,
    nonce: bytes,
) -> WrappedSeed:
    """A copy of `seed` that `wrapping_key`, derived by `method` with `salt`, opens."""
    _check_size("seed", seed, SEED_SIZE)
    _check_size("wrapping key", wrapping_key, KEY_SIZE)
    _check_size("nonce", nonce, NONCE_SIZE)
    aad = _associated_data(mailbox_id, key_id, method)
    return WrappedSeed(
        mailbox_id=mailbox_id,
        key_id=key_id,
        method=method,
        salt=salt,
        nonce=nonce,
        ciphertext=AESGCM(wrapping_key).encrypt(nonce, seed, aad),
    )


def unwrap_seed(wrapped: WrappedSeed, wrapping_key: bytes) -> bytes:
    """The 32-byte seed; WrappingError if the key is wrong or any bound part was exchanged."""
    _check_size("wrapping key", wrapping_key, KEY_SIZE)
    aad = _associated_data(wrapped.mailbox_id, wrapped.key_id, wrapped.method)
    try:
        return AESGCM(wrapping_key).decrypt(wrapped.nonce, wrapped.ciphertext, aad)
    except InvalidTag:
        raise WrappingError("the wrapped seed does not open with this key") from None


def _associated_data(mailbox_id: MailboxId, key_id: KeyId, method: Method) -> bytes:
    return _joined(_AAD_PREFIX, mailbox_id, key_id, method.value)


def _joined(prefix: str, mailbox_id: MailboxId, key_id: KeyId, *more: str) -> bytes:
    try:
        check_id(mailbox_id, "mailbox id")
        check_id(key_id, "key id")
    except FormatError as error:
        raise WrappingError(str(error)) from None
    return "\0".join((prefix, mailbox_id, key_id, *more)).encode("utf-8")


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    _check_size("salt", salt, SALT_SIZE)
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=info).derive(secret)


def _check_size(what: str, value: bytes, size: int) -> None:
    if len(value) != size:
        raise WrappingError(f"{what} of {len(value)} bytes instead of {size}")
