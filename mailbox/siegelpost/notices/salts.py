"""Document salts again, for answers and receipts, also after the secret was rotated.

A salt is derived from the secret in force when the notice came.
Beside each commitment the store keeps eight bytes of the salt's digest: they tell which secret it
was, and help nobody to guess 32 bytes.
The salts of an agency that seals on its own side are the agency's; the store keeps them masked by
what would be ours, so that they, too, need the secret.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.errors import NoticeError
from siegelpost.sealing.commitments import document_salt

_CHECK_PREFIX = b"siegelpost/salt-check/v1\0"


class SaltLost(NoticeError):
    """No secret in the keyring gives the salt: the one that was used is gone or compromised."""


def salt_check(salt: bytes) -> str:
    """16 hex digits that tell whether a derived salt is the one that was used."""
    return hashlib.sha256(_CHECK_PREFIX + salt).hexdigest()[:16]


def mask(secret: bytes, notice_id: NoticeId, index: int, salt: bytes) -> bytes:
    """The stored form of an agency's own 32-byte salt; applied again, the salt.

    A one-time pad: each notice and document has its own, and it is used for nothing else.
    """
    pad = document_salt(secret, notice_id, index)
    return bytes(one ^ other for one, other in zip(salt, pad, strict=True))


def salts_of(
    secrets: Sequence[bytes], notice_id: NoticeId, documents: Sequence[dict[str, Any]]
) -> list[bytes]:
    """The salts of a stored notice's documents; SaltLost if no secret gives them."""
    for secret in secrets:
        salts = [
            mask(secret, notice_id, index, bytes.fromhex(document["salt_mask"]))
            if "salt_mask" in document
            else document_salt(secret, notice_id, index)
            for index, document in enumerate(documents)
        ]
        if all(
            salt_check(salt) == document["salt_check"]
            for salt, document in zip(salts, documents, strict=True)
        ):
            return salts
    raise SaltLost("no secret gives the document salts of this notice")
