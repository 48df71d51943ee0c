"""Document salts again, for answers and receipts, also after the secret was rotated.

A salt is derived from the secret in force when the notice came.
Beside each commitment the store keeps eight bytes of the salt's digest: they tell which secret it
was, and help nobody to guess 32 bytes.
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


def salts_of(
    secrets: Sequence[bytes], notice_id: NoticeId, documents: Sequence[dict[str, Any]]
) -> list[bytes]:
    """The salts of a stored notice's documents; SaltLost if no secret gives them."""
    for secret in secrets:
        salts = [document_salt(secret, notice_id, index) for index in range(len(documents))]
        if all(
            salt_check(salt) == document["salt_check"]
            for salt, document in zip(salts, documents, strict=True)
        ):
            return salts
    raise SaltLost("no secret gives the document salts of this notice")
