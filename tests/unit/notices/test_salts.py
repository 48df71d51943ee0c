"""Salts are found again after the secret was rotated, and never guessed."""

from __future__ import annotations

import pytest

from siegelpost.evidence.ids import NoticeId
from siegelpost.notices.salts import SaltLost, salt_check, salts_of
from siegelpost.sealing.commitments import document_salt

NOTICE = NoticeId("notice-1")


def test_salt_of_an_older_secret_is_found() -> None:
    old, new = b"o" * 32, b"n" * 32
    salts = [document_salt(old, NOTICE, index) for index in range(2)]
    documents = [{"salt_check": salt_check(salt)} for salt in salts]
    assert salts_of([new, old], NOTICE, documents) == salts


def test_lost_secret_is_an_error_and_no_wrong_salt() -> None:
    documents = [{"salt_check": salt_check(document_salt(b"o" * 32, NOTICE, 0))}]
    with pytest.raises(SaltLost):
        salts_of([b"n" * 32], NOTICE, documents)
