"""Canonical JSON: the examples of RFC 8785, and everything that is not canonical."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siegelpost.evidence.canonical import MAX_DEPTH, Json, decode, decode_object, encode, parse
from siegelpost.evidence.errors import CanonicalError

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=5)
    ),
    max_leaves=20,
)


def test_string_escapes_of_rfc_8785_section_3_2_2() -> None:
    value = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True]}
    assert encode(value) == (
        b'{"literals":[null,true],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_names_sort_by_utf_16_units_as_in_rfc_8785_section_3_2_3() -> None:
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(encode(names)).values()) == [2, 4, 6, 7, 1, 5, 3]


@given(JSON_VALUES)
def test_every_value_has_one_form_that_reads_back(value: Json) -> None:
    data = encode(value)
    assert decode(data) == value
    assert encode(parse(json.dumps(value, indent=2).encode())) == data


@pytest.mark.parametrize(
    "value",
    [1.5, 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, b"bytes", {1}, float("nan")],
    ids=repr,
)
def test_values_without_a_form_are_refused(value: Json) -> None:
    with pytest.raises(CanonicalError):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"9" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\xff"',
        b'\xef\xbb\xbf"a"',
        b'"a\nb"',
        b"[" * 100_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"{} {}",
        b"\x7b\x00\x7d\x00",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(CanonicalError):
        decode(data)


def test_nesting_up_to_the_limit_is_read() -> None:
    decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_size_is_checked_before_reading() -> None:
    with pytest.raises(CanonicalError, match="limit"):
        decode(b"[1]", max_size=2)


def test_object_is_demanded() -> None:
    with pytest.raises(CanonicalError):
        decode_object(b"[]")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except CanonicalError:
        return
    assert encode(value) == data
