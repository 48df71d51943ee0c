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


def statement(prefix: bytes, value: dict[str, Json]) -> bytes:
    """The bytes to sign: prefix line and canonical JSON, without a final newline."""
    return prefix + canonical.encode(value)


def read_statement(prefix: bytes, message: bytes) -> dict[str, Json]:
    """The object of a signed statement; FormatError if it is of another kind or malformed."""
    if not message.startswith(prefix):
        raise FormatError(f"no statement of the kind {prefix.decode('ascii').strip()}")
    return canonical.decode_object(message[len(prefix) :], max_size=MAX_STATEMENT)


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Return if `signature` (64 bytes) of `public_key` (32 bytes) is over `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError(f"the signature of the {what} does not verify") from None
