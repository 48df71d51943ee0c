"""Salts of document commitments (DESIGN section 5).

What leaves the sealed package about a document is `document_commitment(salt, document)`. The salt
comes from a secret in the keyring, so that a thief of the database cannot confirm guesses, and
can be computed again when the agency asks for it.
"""

from __future__ import annotations

import hmac

from siegelpost.evidence.commitments import document_commitment

__all__ = ["document_commitment", "document_salt"]

#: Shortest secret, in bytes.
MIN_SECRET_SIZE = 32

_PREFIX = b"siegelpost/document-salt/v1\0"


def document_salt(secret: bytes, notice_id: str, index: int) -> bytes:
    """The 32-byte salt of document `index` (from 0) of a notice.

    HMAC-SHA256(secret, "siegelpost/document-salt/v1" ‖ 0 ‖ notice id ‖ 0 ‖ index in decimal).
    Raises ValueError for a secret shorter than 32 bytes, an empty id or a negative index.
    """
    if len(secret) < MIN_SECRET_SIZE:
        raise ValueError(f"secret of {len(secret)} bytes, need {MIN_SECRET_SIZE}")
    if not notice_id or "\0" in notice_id or index < 0:
        raise ValueError("a salt needs a notice id and an index from 0")
    return hmac.digest(secret, _PREFIX + f"{notice_id}\0{index}".encode(), "sha256")
