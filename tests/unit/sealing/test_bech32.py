"""Bech32 against the examples of BIP-173 and by round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.sealing import bech32
from siegelpost.sealing.errors import KeyFormatError


@pytest.mark.parametrize(
    ("text", "prefix", "size"),
    [
        ("A12UEL5L", "a", 0),
        ("a12uel5l", "a", 0),
        ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 20),
    ],
)
def test_valid_examples_of_bip_173(text: str, prefix: str, size: int) -> None:
    found, data = bech32.decode(text)
    assert (found, len(data)) == (prefix, size)
    assert bech32.encode(found, data) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pzry9x0s0muk",  # no separator
        "1pzry9x0s0muk",  # empty prefix
        "x1b4n0q5v",  # character outside the alphabet
        "li1dgmt3",  # checksum too short
        "A1G7SGD8",  # checksum of the upper-case prefix
        "A12uEL5L",  # mixed case
        "a12uel5m",  # wrong checksum
        "a\x7f12uel5l",
        "q" * 9000,
    ],
)
def test_invalid_text_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError):
        bech32.decode(text)


def test_non_zero_padding_is_refused() -> None:
    # One data character carries five bits: no whole byte, and not all zero.
    values = [1]
    polymod = bech32._polymod([*bech32._expand("age"), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [(polymod >> 5 * (5 - index)) & 31 for index in range(6)]
    text = "age1" + "".join(bech32._ALPHABET[value] for value in [*values, *checksum])
    with pytest.raises(KeyFormatError, match="padding"):
        bech32.decode(text)


@given(st.binary(max_size=100))
def test_round_trip(data: bytes) -> None:
    text = bech32.encode("age1pq", data)
    assert bech32.decode(text) == ("age1pq", data)
    assert bech32.decode(text.upper()) == ("age1pq", data)
