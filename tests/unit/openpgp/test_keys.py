"""Which citizens' keys are taken and which are refused, judged by the real gpg."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siegelpost.openpgp import KeyRefused, OpenPgp, Refusal
from siegelpost.openpgp.armor import MAX_KEY, binary_public_key, one_public_key
from tests.support.openpgp import Person


def refusal(engine: OpenPgp, data: bytes, *, binary: bool = False) -> Refusal:
    with pytest.raises(KeyRefused) as refused:
        engine.read_key(data, binary=binary)
    return refused.value.reason


def test_good_key_is_read_with_its_fingerprint(engine: OpenPgp, alice: Person, good: str) -> None:
    key = engine.read_key(alice.export(good))
    assert key.fingerprint == good
    assert key.shown_fingerprint.replace(" ", "") == good
    assert len(key.shown_fingerprint.split(" ")) == 10
    assert key.user_ids == ("Alice Beispiel <alice@example.org>",)
    assert key.algorithm == "ed25519"
    assert key.expires_at is None
    assert abs(key.created_at - datetime.now(UTC)) < timedelta(minutes=10)
    assert key.armored.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert engine.read_key(key.armored.encode()) == key


def test_key_in_a_mail_s_text_is_found(engine: OpenPgp, alice: Person, good: str) -> None:
    pasted = (
        b"Guten Tag,\r\nhier:\r\n\r\n"
        + alice.export(good).replace(b"\n", b"\r\n")
        + b"\r\nTsch\xc3\xbcs"
    )
    assert engine.read_key(pasted).fingerprint == good


def test_binary_key_as_wkd_serves_it(engine: OpenPgp, alice: Person, good: str) -> None:
    assert engine.read_key(alice.export(good, armor=False), binary=True).fingerprint == good


def test_end_of_a_key_is_the_earlier_of_key_and_subkey(engine: OpenPgp, alice: Person) -> None:
    made = alice.make("Ends <ends@example.org>", expires="3y", subkey_expires="1y")
    end = engine.read_key(alice.export(made)).expires_at
    assert end is not None
    assert timedelta(days=364) < end - datetime.now(UTC) < timedelta(days=367)


def test_expired_key_is_refused(engine: OpenPgp, alice: Person) -> None:
    made = alice.make("Old <old@example.org>", expires="1y", on="20200101")
    assert refusal(engine, alice.export(made)) is Refusal.EXPIRED


def test_key_whose_only_encryption_subkey_expired_is_refused(
    engine: OpenPgp, alice: Person
) -> None:
    made = alice.make("Half <half@example.org>", subkey_expires="1y", on="20200101")
    assert refusal(engine, alice.export(made)) is Refusal.EXPIRED


def test_revoked_key_is_refused(engine: OpenPgp, alice: Person) -> None:
    made = alice.make("Revoked <revoked@example.org>")
    alice.revoke(made)
    assert refusal(engine, alice.export(made)) is Refusal.REVOKED


def test_key_that_only_signs_is_refused(engine: OpenPgp, alice: Person) -> None:
    made = alice.make("Signs <signs@example.org>", subkey=None)
    assert refusal(engine, alice.export(made)) is Refusal.CANNOT_ENCRYPT


def test_short_key_is_refused(engine: OpenPgp, alice: Person) -> None:
    made = alice.make("Short <short@example.org>", algorithm="rsa1024", subkey="rsa1024")
    assert refusal(engine, alice.export(made)) is Refusal.TOO_WEAK


def test_several_keys_are_refused_together_or_one_after_the_other(
    engine: OpenPgp, alice: Person, good: str
) -> None:
    other = alice.make("Bob Muster <bob@example.org>")
    assert refusal(engine, alice.export(good, other)) is Refusal.SEVERAL_KEYS
    assert refusal(engine, alice.export(good) + alice.export(other)) is Refusal.SEVERAL_KEYS
    both = alice.export(good, armor=False) + alice.export(other, armor=False)
    assert refusal(engine, both, binary=True) is Refusal.SEVERAL_KEYS


def test_private_key_is_refused_before_gpg_sees_it(
    engine: OpenPgp, alice: Person, good: str
) -> None:
    assert refusal(engine, alice.export_secret(good)) is Refusal.PRIVATE_KEY
    both = alice.export(good) + alice.export_secret(good)
    assert refusal(engine, both) is Refusal.PRIVATE_KEY


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----",
        b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + b"\xff" * 5000,
    ],
)
def test_garbage_is_refused(engine: OpenPgp, data: bytes) -> None:
    assert refusal(engine, data) is Refusal.UNREADABLE


def test_damaged_key_is_refused(engine: OpenPgp, alice: Person, good: str) -> None:
    damaged = bytearray(alice.export(good, armor=False))
    damaged[40:60] = bytes(20)
    assert refusal(engine, bytes(damaged), binary=True) is Refusal.UNREADABLE


def test_huge_input_is_refused_without_a_process(alice: Person, good: str) -> None:
    huge = alice.export(good) + b"\n" * MAX_KEY
    assert refusal(OpenPgp(program="/nowhere/gpg"), huge) is Refusal.TOO_LARGE


def test_key_with_much_else_is_cleaned(engine: OpenPgp, alice: Person, good: str) -> None:
    made = alice.make("Many <many@example.org>")
    for number in range(12):
        alice.gpg("--quick-add-uid", made, f"Many {number} {'x' * 60} <many{number}@example.org>")
    alice.gpg("--yes", "--default-key", good, "--quick-sign-key", made)
    exported = alice.export(made)
    key = engine.read_key(exported)
    assert key.fingerprint == made
    assert len(key.armored) < len(exported)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda b: b"-----BEGIN PGP " + b))
def test_the_look_before_gpg_gives_the_data_back_or_refuses(data: bytes) -> None:
    for look in (one_public_key, binary_public_key):
        with contextlib.suppress(KeyRefused):
            assert look(data) == data


def test_nothing_of_an_upload_stays(alice: Person, good: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        with OpenPgp(Path(folder)) as engine:
            engine.read_key(alice.export(good))
            [home] = Path(folder).iterdir()
            assert not engine_knows(home, good)
        assert list(Path(folder).iterdir()) == []


def engine_knows(home: Path, fingerprint: str) -> bool:
    return Person(home=home).gpg("--list-keys", fingerprint, check=False).returncode == 0
