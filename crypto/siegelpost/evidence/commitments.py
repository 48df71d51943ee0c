"""Salted commitments to events and documents (DESIGN sections 5 and 7).

A commitment reveals nothing about its content to someone without the salt, and binds whoever
published it: no second content opens it. Each kind has its own prefix, so none passes for another.
Where salts come from (HMAC of a keyring secret, or randomness) is the caller's business.
"""

from __future__ import annotations

import hashlib

from siegelpost.evidence.errors import FormatError

#: Bytes of a salt, and of a commitment.
SALT_SIZE = 32
COMMITMENT_SIZE = 32

_EVENT_PREFIX = b"siegelpost/event/v1\0"
_DOCUMENT_PREFIX = b"siegelpost/document/v1\0"


def commitment(salt: bytes, body: bytes) -> bytes:
    """SHA-256(prefix ‖ salt ‖ event body): 32 bytes, the leaf data of the log."""
    return hashlib.sha256(_EVENT_PREFIX + _checked(salt) + body).digest()


def document_commitment(salt: bytes, document: bytes) -> bytes:
    """SHA-256(prefix ‖ salt ‖ document): 32 bytes, named in acceptance and event."""
    digest = hashlib.sha256(_DOCUMENT_PREFIX + _checked(salt))
    digest.update(document)
    return digest.digest()


def _checked(salt: bytes) -> bytes:
    if len(salt) != SALT_SIZE:
        raise FormatError(f"salt of {len(salt)} bytes instead of {SALT_SIZE}")
    return salt
