"""Ed25519 signatures of mailbox keys over canonical statements (RFC 8032, RFC 8785).

Shared by acknowledgements and key bindings. A prefix line names the kind of statement, so that a
signature over one kind is never one over another.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from siegelpost.evidence import canonical
from siegelpost.evidence.canonical import Json
from siegelpost.evidence.errors import FormatError, SignatureError

#: Largest statement that is read, in bytes.
MAX_STATEMENT = 4096

#: The y coordinates of the eight points of small order, little-endian without the sign bit,
#: with both encodings of 0 and of 1. Under such a key a signature fits many messages
#: (RFC 8032, 5.1.7 does not exclude them).
_SMALL_ORDER = frozenset(
    {
        bytes(32),
        (1).to_bytes(32, "little"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        (2**255 - 20).to_bytes(32, "little"),
        (2**255 - 19).to_bytes(32, "little"),
        (2**255 - 18).to_bytes(32, "little"),
    }
)


def statement(prefix: bytes, value: dict[str, Json]) -> bytes:
    """The bytes to sign: prefix line and canonical JSON, without a final newline."""
    return prefix + canonical.encode(value)


def read_statement(prefix: bytes, message: bytes) -> dict[str, Json]:
    """The object of a signed statement; FormatError if it is of another kind or malformed."""
    if not message.startswith(prefix):
        raise FormatError(f"no statement of the kind {prefix.decode('ascii').strip()}")
    return canonical.decode_object(message[len(prefix) :], max_size=MAX_STATEMENT)


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Return if `signature` (64 bytes) of `public_key` (32 bytes) is over `message`.

    SignatureError otherwise, and for keys of small order, which prove nothing.
    """
    if public_key[:31] + bytes(byte & 0x7F for byte in public_key[31:]) in _SMALL_ORDER:
        raise SignatureError(f"the key of the {what} is of small order and proves nothing")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError(f"the signature of the {what} does not verify") from None
