"""Document commitments and their salts."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from siegelpost.sealing.commitments import document_commitment, document_salt
from tests.support.sealing import seed


def test_salt_and_commitment_are_as_documented() -> None:
    salt = document_salt(seed("keyring"), "notice-1", 2)
    message = b"siegelpost/document-salt/v1\0notice-1\x002"
    assert salt == hmac.digest(seed("keyring"), message, "sha256")
    expected = hashlib.sha256(b"siegelpost/document/v1\0" + salt + b"%PDF").digest()
    assert document_commitment(salt, b"%PDF") == expected


def test_each_document_has_a_salt_of_its_own() -> None:
    salts = {
        document_salt(secret, notice, index)
        for secret in (seed("a"), seed("b"))
        for notice in ("notice-1", "notice-11")
        for index in (0, 1, 10)
    }
    assert len(salts) == 12


@pytest.mark.parametrize(
    ("secret", "notice", "index"),
    [(bytes(31), "n", 0), (bytes(32), "", 0), (bytes(32), "n\0", 0), (bytes(32), "n", -1)],
)
def test_unusable_inputs_are_refused(secret: bytes, notice: str, index: int) -> None:
    with pytest.raises(ValueError, match=r"secret|salt"):
        document_salt(secret, notice, index)
