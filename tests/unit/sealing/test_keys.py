"""Identities, recipients and the acknowledgement key."""

from __future__ import annotations

import pytest

from siegelpost.sealing.age_header import Stanza
from siegelpost.sealing.errors import KeyFormatError
from siegelpost.sealing.keys import Identity, Recipient, acknowledgement_key
from tests.support.sealing import ALICE, CHARLIE, seed


def test_identity_and_recipient_texts_round_trip() -> None:
    text = ALICE.encode()
    assert text.startswith("AGE-SECRET-KEY-PQ-1")
    assert Identity.parse(text).seed == ALICE.seed
    public = ALICE.recipient.encode()
    assert public.startswith("age1pq1")
    assert Recipient.parse(public) == ALICE.recipient
    assert Recipient(ALICE.recipient.raw) == ALICE.recipient
    assert Recipient.parse(public) != CHARLIE.recipient


def test_example_identity_of_the_specification_gives_its_recipient() -> None:
    # c2sp.org/age, "The MLKEM768-X25519 hybrid post-quantum recipient type".
    identity = Identity.parse(
        "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
    )
    public = identity.recipient.encode()
    assert public.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5")
    assert public.endswith("qheyty7saeq0d3fzv49zc0k")


def test_wrapped_file_key_opens_for_its_identity_alone() -> None:
    file_key = b"0123456789abcdef"
    stanza = ALICE.recipient.wrap(file_key)
    grease = Stanza(arguments=("x-grease",), body=b"")
    assert ALICE.unwrap([grease, stanza]) == file_key
    assert CHARLIE.unwrap([grease, stanza]) is None


@pytest.mark.parametrize("size", [0, 31, 33])
def test_seed_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(KeyFormatError):
        Identity(bytes(size))
    with pytest.raises(KeyFormatError):
        acknowledgement_key(bytes(size))


def test_recipient_bytes_that_are_no_key_are_refused() -> None:
    raw = ALICE.recipient.raw
    for bad in (b"", raw[:-1], raw + b"\0", b"\xff" * 1216):
        with pytest.raises(KeyFormatError):
            Recipient(bad)


def test_recipient_of_low_order_is_refused_when_wrapping() -> None:
    weak = Recipient(ALICE.recipient.raw[:1184] + bytes(32))
    with pytest.raises(KeyFormatError, match="low order"):
        weak.wrap(bytes(16))


def test_classical_or_swapped_texts_are_refused() -> None:
    with pytest.raises(KeyFormatError):
        Identity.parse("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
    with pytest.raises(KeyFormatError):
        Identity.parse(ALICE.recipient.encode())
    with pytest.raises(KeyFormatError):
        Recipient.parse(ALICE.encode())


def test_repr_shows_no_secret() -> None:
    shown = repr(ALICE)
    assert ALICE.seed.hex() not in shown
    assert ALICE.encode() not in shown
    assert repr(ALICE.seed) not in shown


def test_acknowledgement_key_is_derived_as_documented() -> None:
    import hashlib
    import hmac

    extracted = hmac.digest(bytes(32), seed("alice"), hashlib.sha256)
    expected = hmac.digest(extracted, b"siegelpost/acknowledgement/v1\x01", hashlib.sha256)
    assert acknowledgement_key(seed("alice")).private_bytes_raw() == expected
