"""Wrapped seeds: each method, what is bound, and vectors for the browser's mirror."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from siegelpost.evidence.ids import KeyId, MailboxId
from siegelpost.sealing.errors import RecoveryCodeError, WrappingError
from siegelpost.sealing.recovery_code import new_recovery_code
from siegelpost.sealing.wrapping import (
    Method,
    passkey_key,
    recovery_code_key,
    split_passphrase,
    unwrap_seed,
    wrap_seed,
)
from tests.support.sealing import seed

SALT = bytes(range(16))
KEY = seed("wrapping key")
WRAPPED = wrap_seed(
    seed("alice"),
    wrapping_key=KEY,
    mailbox_id=MailboxId("mailbox-alice"),
    key_id=KeyId("key-1"),
    method=Method.PASSPHRASE,
    salt=SALT,
    nonce=bytes(12),
)


def test_seed_comes_back_with_the_right_key_alone() -> None:
    assert unwrap_seed(WRAPPED, KEY) == seed("alice")
    with pytest.raises(WrappingError):
        unwrap_seed(WRAPPED, seed("other key"))


@pytest.mark.parametrize(
    "change",
    [
        {"mailbox_id": MailboxId("mailbox-charlie")},
        {"key_id": KeyId("key-2")},
        {"method": Method.RECOVERY_CODE},
        {"nonce": b"\1" + bytes(11)},
        {"ciphertext": bytes(48)},
        {"mailbox_id": MailboxId("mailbox-alice\0key-1"), "key_id": KeyId("")},
    ],
)
def test_copy_is_bound_to_mailbox_key_and_method(change: dict[str, Any]) -> None:
    with pytest.raises(WrappingError):
        unwrap_seed(replace(WRAPPED, **change), KEY)


@pytest.mark.parametrize("change", [{"salt": b""}, {"nonce": bytes(16)}, {"ciphertext": bytes(47)}])
def test_parts_of_the_wrong_length_are_refused(change: dict[str, bytes]) -> None:
    with pytest.raises(WrappingError):
        replace(WRAPPED, **change)  # type: ignore[arg-type]  # mypy cannot see the key's field


def test_login_proof_does_not_unlock() -> None:
    proof, key = split_passphrase("korrekt pferd batterie", SALT)
    assert len(proof) == len(key) == 32
    assert proof != key
    wrapped = wrap_seed(
        seed("alice"),
        wrapping_key=key,
        mailbox_id=WRAPPED.mailbox_id,
        key_id=WRAPPED.key_id,
        method=Method.PASSPHRASE,
        salt=SALT,
        nonce=bytes(12),
    )
    assert unwrap_seed(wrapped, key) == seed("alice")
    with pytest.raises(WrappingError):
        unwrap_seed(wrapped, proof)


def test_passphrase_is_normalised_and_salted() -> None:
    composed, decomposed = "Gr\u00fc\u00dfe \u2460", "Gru\u0308\u00dfe 1"
    assert split_passphrase(composed, SALT) == split_passphrase(decomposed, SALT)
    assert split_passphrase(composed, SALT) != split_passphrase(composed, bytes(16))


@pytest.mark.parametrize("passphrase", ["", "x" * 1001, "\ud800"])
def test_impossible_passphrases_are_refused(passphrase: str) -> None:
    with pytest.raises(WrappingError):
        split_passphrase(passphrase, SALT)


def test_recovery_code_in_any_spelling_gives_one_key() -> None:
    code = new_recovery_code(bytes(range(27)))
    key = recovery_code_key(code, SALT)
    assert recovery_code_key(code.lower().replace("-", " "), SALT) == key
    assert recovery_code_key(code, bytes(16)) != key
    with pytest.raises(RecoveryCodeError):
        recovery_code_key(code[:-1] + "0", SALT)


def test_passkey_takes_a_prf_output_of_32_bytes() -> None:
    assert passkey_key(bytes(32), SALT) != recovery_code_key(new_recovery_code(bytes(27)), SALT)
    with pytest.raises(WrappingError):
        passkey_key(bytes(31), SALT)
